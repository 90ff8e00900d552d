"""Decides with which URL the links of an answer begin: what the operator has said, never what a client says.

Any client can write any Host, and a cache or a mail that repeats it leads others to its server.  So a link begins with
``[api] public_endpoint``.  Without that, and where the operator believes the headers of a proxy, it begins with what
the proxy was asked for; else with the address at which the request came in (Request.endpoint).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mininova.wsgi.deploy import current_parts
from mininova.wsgi.request import ENDPOINT, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Endpoint:
    """Tells the applications behind it how users reach the cloud.

    :param public_endpoint: the URL, if the operator has named one
    :param believes_proxies: whether Host and scheme are a proxy's word
    """

    def __init__(self, app: "WSGIApplication", public_endpoint: str | None, *, believes_proxies: bool) -> None:
        self._app = app
        self._public_endpoint, self._believes_proxies = public_endpoint, believes_proxies

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on (WSGI)."""
        if self._public_endpoint:
            environ[ENDPOINT] = self._public_endpoint.rstrip("/")
        elif self._believes_proxies:
            environ[ENDPOINT] = Request(environ).host_url
        return self._app(environ, start_response)


def filter_factory(global_conf: dict[str, str]) -> Callable[["WSGIApplication"], Endpoint]:
    """Make the Paste filter ``endpoint``, which stands behind ``http_proxy_to_wsgi``."""
    conf = current_parts().conf
    believes = conf.oslo_middleware.enable_proxy_headers_parsing
    return lambda app: Endpoint(app, conf.api.public_endpoint, believes_proxies=believes)
