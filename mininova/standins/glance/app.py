"""The image service as Paste Deploy starts it."""

from typing import TYPE_CHECKING, Any

from mininova.standins.glance import routes
from mininova.standins.glance.service import Service
from mininova.standins.glance.store import Store
from mininova.wsgi import Application, current_parts
from mininova.wsgi.middleware import SizeLimit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Limits:
    """Lets data in, which the store limits, and bounds every other body as those of the other services are."""

    def __init__(self, app: "WSGIApplication", max_document: int) -> None:
        self._data = app
        self._documents = SizeLimit(app, max_document)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on (WSGI)."""
        is_data = environ["REQUEST_METHOD"] == "PUT" and environ.get("PATH_INFO", "").rstrip("/").endswith("/file")
        return (self._data if is_data else self._documents)(environ, start_response)


def app_factory(global_conf: dict[str, str]) -> Limits:
    """Make the Paste application ``image_app``."""
    parts = current_parts()
    api, image = parts.conf.api, parts.conf.image
    service = Service(parts.db, Store(image.directory, image.max_size, parts.aside), api.max_limit)
    return Limits(Application(routes.table(service), "image"), api.max_request_body_size)
