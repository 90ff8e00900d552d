"""A new volume service for every test, with the caller's identity where the check of tokens would put it."""

import pytest

from mininova import conf, errors
from mininova.objects import ImageMeta
from mininova.standins.cinder.app import VolumeApplication
from mininova.standins.cinder.bootstrap import bootstrap
from mininova.standins.cinder.service import Service
from mininova.wsgi import Request
from mininova.wsgi.faults import FaultWrap
from mininova.wsgi.request import CONTEXT
from tests.fixtures.callers import CALLERS

IMAGE = ImageMeta(id="11111111-1111-4111-8111-111111111111", name="cirros", size=1, min_disk=2, properties={"os": "x"})


@pytest.fixture
def db(empty_database):
    """Give a database with the default type."""
    database = empty_database()
    bootstrap(database, conf.for_tests("api"), {}, {})
    return database


@pytest.fixture
def http(db):
    """Send a request as one of CALLERS; give the response."""

    def image(ctxt, id):
        if id != IMAGE.id:
            raise errors.ImageNotFound(image_id=id)
        return IMAGE

    app = FaultWrap(VolumeApplication(Service(db, image)), "compute")

    def send(method, path, body=None, *, by="ann", version="3.68"):
        request = Request.blank(f"/v3{path}", method=method, base_url="http://cloud.example.org/volume")
        if version is not None:
            request.headers["OpenStack-API-Version"] = f"volume {version}"
        if body is not None:
            request.json = body
        request.environ[CONTEXT] = CALLERS[by]
        return request.get_response(app)

    return send


@pytest.fixture
def get(http):
    """Read what is there; give what is under the one key of the answer."""

    def get(path, by="ann"):
        response = http("GET", path, by=by)
        assert response.status_int == 200, response.text
        return next(iter(response.json.values()))

    return get


@pytest.fixture
def volume(http):
    """Make a volume; give its document."""

    def make(by="ann", **said):
        response = http("POST", "/volumes", {"volume": {"size": 1, **said}}, by=by)
        assert response.status_int == 202, response.text
        return response.json["volume"]

    return make


@pytest.fixture
def act(http):
    """Ask for an action on a volume; give the status and the text of a refusal."""

    def act(id, action, said=None, **how):
        response = http("POST", f"/volumes/{id}/action", {action: said}, **how)
        return response.status_int, response.text

    return act


@pytest.fixture
def multiattach(http):
    """Make a type whose volumes several servers may have; give its name."""
    specs = {"multiattach": "<is> True"}
    assert http("POST", "/types", {"volume_type": {"name": "many", "extra_specs": specs}}, by="admin").status_int == 200
    return "many"
