"""A new image service for every test, with the caller's identity where the check of tokens would put it."""

import io

import pytest
import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session

from mininova.standins.glance import routes
from mininova.standins.glance.app import Limits
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import Image
from mininova.standins.glance.service import Service
from mininova.standins.glance.store import Store
from mininova.wsgi import Application, Request
from mininova.wsgi.faults import FaultWrap
from mininova.wsgi.request import CONTEXT
from tests.fixtures.callers import CALLERS

MAX_SIZE = 1000


@pytest.fixture
def db(empty_database):
    return empty_database()


@pytest.fixture
def folder(tmp_path):
    """The folder with the data."""
    return tmp_path / "images"


@pytest.fixture
def app(db, folder):
    service = Service(db, Store(folder, MAX_SIZE))
    return FaultWrap(Limits(Application(routes.table(service), "image"), 4096), "image")


@pytest.fixture
def http(app):
    """Send a request as one of CALLERS; give the response."""

    def send(method, path, body=None, *, by="ann", content_type=None, data=None):
        request = Request.blank(path, method=method, base_url="http://cloud.example.org/image")
        if body is not None:
            request.json = body
        if data is not None:
            request.body = data
        if content_type is not None:
            request.content_type = content_type
        request.environ[CONTEXT] = CALLERS[by]
        return request.get_response(app)

    return send


@pytest.fixture
def make(http):
    """Make an image over HTTP; give its id."""

    def one(by="ann", **attributes):
        formats = {"container_format": "bare", "disk_format": "raw"}
        return http("POST", "/v2/images", {**formats, **attributes}, by=by).json["id"]

    return one


@pytest.fixture
def upload(http):
    """Send data for an image."""

    def put(image_id, data=b"data", by="ann", content_type="application/octet-stream"):
        return http("PUT", f"/v2/images/{image_id}/file", data=data, content_type=content_type, by=by)

    return put


@pytest.fixture
def kept(db):
    """Read an image from the database."""

    def read(image_id) -> Image:
        with db.read() as tx:
            return images.get(tx, image_id)

    return read


class Wire(requests.adapters.BaseAdapter):
    """Carries the requests of a session to an application, as the administrator that Nova's account is."""

    def __init__(self, app):
        super().__init__()
        self._app = app

    def send(self, request, **more):
        """Send a request."""
        asked = Request.blank(request.path_url, method=request.method, headers=dict(request.headers))
        asked.body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        asked.environ[CONTEXT] = CALLERS["admin"]
        answer, response = asked.get_response(self._app), requests.Response()
        response.status_code, response.headers = (
            answer.status_int,
            requests.structures.CaseInsensitiveDict(answer.headers),
        )
        response.raw, response.request, response.url = io.BytesIO(answer.body), request, request.url
        return response

    def close(self):
        """Keep nothing."""


@pytest.fixture
def glance(app):
    """Give what asks this image service over HTTP."""
    carried = requests.Session()
    carried.mount("http://", Wire(app))
    return Adapter(Session(NoAuth(endpoint="http://cloud.example.org/v2"), session=carried), service_type="image")
