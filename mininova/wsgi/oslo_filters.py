"""OpenStack's own middleware as lines of the Paste file: CORS, headers of a proxy, and the health check.

The code is oslo.middleware's.  Its factories read settings from a global; ours give it the settings of this process.
A filter that the settings do not switch on leaves the pipeline as it is, so that no request pays for it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from mininova.wsgi.deploy import current_parts

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    Filter = Callable[[WSGIApplication], WSGIApplication]


def cors_factory(global_conf: dict[str, str]) -> "Filter":
    """Make the Paste filter ``cors``: scripts of ``[cors] allowed_origin`` may use the API from a browser."""
    from oslo_middleware.cors import CORS

    conf = current_parts().conf
    return (lambda app: CORS(app, conf)) if conf.cors.allowed_origin else _unchanged


def http_proxy_to_wsgi_factory(global_conf: dict[str, str]) -> "Filter":
    """Make the Paste filter ``http_proxy_to_wsgi``: links are made with the address that a proxy was asked under.

    Anyone can send the headers, so they count only with ``[oslo_middleware] enable_proxy_headers_parsing``.
    """
    from oslo_middleware.http_proxy_to_wsgi import HTTPProxyToWSGI

    conf = current_parts().conf
    enabled = conf.oslo_middleware.enable_proxy_headers_parsing
    return (lambda app: HTTPProxyToWSGI(app, conf)) if enabled else _unchanged


def healthcheck_factory(global_conf: dict[str, str]) -> "WSGIApplication":
    """Make the Paste application ``healthcheck``, which answers 200 unless a backend of ``[healthcheck]`` objects."""
    from oslo_middleware.healthcheck import Healthcheck

    app: WSGIApplication = Healthcheck(None, current_parts().conf)
    return app


def _unchanged(app: "WSGIApplication") -> "WSGIApplication":
    return app
