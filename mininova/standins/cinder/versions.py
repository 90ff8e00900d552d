"""The version document of the Block Storage API: what a client asks first, before it has a token.

The Paste filter ``volume_versions`` stands before the check of tokens.  It answers the roots itself, and lets
everything else through.  Of what microversions up to the newest add, the default types of projects (3.62) are missing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova.wsgi import Filter, Microversion, Reply, Request, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MIN, MAX = Microversion(3, 0), Microversion(3, 68)
UPDATED = "2026-01-01T00:00:00Z"


class Versions(Filter):
    """Answers the version documents."""

    def __init__(self, app: "WSGIApplication") -> None:
        super().__init__([Route("GET", "/", self.index), Route("GET", "/v3", self.show)], "compute", app)

    def index(self, request: Request) -> Reply:
        """List the one version; it is several, by its status (300)."""
        return Reply(300, self.show(request))

    def show(self, request: Request) -> dict[str, Any]:
        """Show the version, and which microversions it has."""
        links = [{"rel": "self", "href": f"{request.service_endpoint}/v3/"}]
        about = {
            "id": "v3.0", "status": "CURRENT", "version": str(MAX), "min_version": str(MIN), "updated": UPDATED,
            "links": links, "media-types": [],
        }  # fmt: skip
        return {"versions": [about]}


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], Versions]:
    """Make the Paste filter ``volume_versions``."""
    return Versions
