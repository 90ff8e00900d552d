"""The version documents and the OpenAPI document: a client reads them before it has a token.

The Paste filter ``versions`` stands before the check of tokens.  It answers these URLs itself and lets everything
else through (nova: api/openstack/compute/versions.py; ``/openapi.json`` is ours).
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from mininova.api import microversions, openapi
from mininova.api.views.versions import list_versions, show_version
from mininova.wsgi import Filter, Microversion, Reply, Request, Response, Route
from mininova.wsgi.deploy import current_parts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class Versions(Filter):
    """Answers the version documents.

    :param maximum: the newest microversion that the cloud speaks
    """

    def __init__(self, app: "WSGIApplication", maximum: Microversion) -> None:
        routes = (
            Route("GET", "/", self.index),
            Route("GET", "/v2", self.v2),
            Route("GET", "/v2.1", self.v21),
            Route("GET", "/openapi.json", self.openapi),
        )
        super().__init__(routes, "compute", app)
        self._maximum = maximum

    def index(self, request: Request) -> dict[str, Any]:
        """List the versions."""
        return {"versions": list_versions(request, self._maximum)}

    def open(self, request: Request) -> str:
        """Negotiate the microversion below ``/v2.1``, where there are some."""
        if request.path_info.strip("/") == "v2.1":
            microversions.negotiate(request, self._maximum)
        return super().open(request)

    def close(self, request: Request, response: Response) -> None:
        """Say which microversion the answer is in."""
        microversions.announce(request, response)

    def v2(self, request: Request) -> dict[str, Any]:
        """Describe v2, which has no microversions."""
        return {"version": show_version(request, "v2", self._maximum)}

    def v21(self, request: Request) -> dict[str, Any]:
        """Describe v2.1 and the microversions it has."""
        return {"version": show_version(request, "v2.1", self._maximum)}

    def openapi(self, request: Request) -> Reply:
        """Describe every request that the API takes."""
        return Reply(200, openapi.encoded(), content_type="application/json")


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], Versions]:
    """Make the Paste filter ``versions``.

    :raises errors.ConfigError: when the operator chose a microversion that is none of ours
    """
    return partial(Versions, maximum=microversions.newest(current_parts().conf))
