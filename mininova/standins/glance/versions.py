"""The version documents of the Image API: what a client asks first, before it has a token.

The Paste filter ``image_versions`` stands before the check of tokens.  It answers these URLs itself and lets everything
else through.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova.wsgi import Filter, Reply, Request, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

VERSION = {"id": "v2.17", "status": "CURRENT"}


class Versions(Filter):
    """Answers the version documents."""

    def __init__(self, app: "WSGIApplication") -> None:
        routes = (Route("GET", "/", self.index), Route("GET", "/versions", self.show), Route("GET", "/v2", self.show))
        super().__init__(routes, "image", app)

    def index(self, request: Request) -> Reply:
        """Answer 300 with every version there is, as Glance does."""
        return Reply(300, self.show(request))

    def show(self, request: Request) -> dict[str, Any]:
        """List the one version."""
        link = {"rel": "self", "href": f"{request.service_endpoint}/v2/"}
        return {"versions": [{**VERSION, "links": [link]}]}


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], Versions]:
    """Make the Paste filter ``image_versions``."""
    return Versions
