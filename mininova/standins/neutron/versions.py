"""The version document of the Networking API: what a client asks first, before it has a token.

The Paste filter ``network_versions`` stands before the check of tokens.  It answers the root itself, and lets
everything else through.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova.wsgi import Filter, Request, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Versions(Filter):
    """Answers the version document."""

    def __init__(self, app: "WSGIApplication") -> None:
        super().__init__([Route("GET", "/", self.index)], "network", app)

    def index(self, request: Request) -> dict[str, Any]:
        """List the one version."""
        link = {"rel": "self", "href": f"{request.service_endpoint}/v2.0/"}
        return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]}


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], Versions]:
    """Make the Paste filter ``network_versions``."""
    return Versions
