"""The root of the port: a list of the five services and their addresses.

It needs no token.
"""

from mininova import __version__
from mininova.wsgi.application import Application
from mininova.wsgi.request import Request
from mininova.wsgi.router import Route

SERVICES = ("identity", "compute", "image", "network", "volume")


def index(request: Request) -> dict[str, object]:
    """List the services."""
    base = request.service_endpoint.rstrip("/")
    return {"mininova": __version__, "services": {name: f"{base}/{name}" for name in SERVICES}}


ROUTES = (Route("GET", "/", index),)


def app_factory(global_conf: dict[str, str]) -> Application:
    """Make the Paste application ``index``."""
    return Application(ROUTES, "compute")
