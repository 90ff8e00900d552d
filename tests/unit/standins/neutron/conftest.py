"""A new network service for every test, with the caller's identity where the check of tokens would put it."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from mininova import conf, states
from mininova.db import instances, networks
from mininova.objects import Flavor, Instance
from mininova.standins.neutron import routes
from mininova.standins.neutron.nova_events import Nova
from mininova.standins.neutron.service import Service
from mininova.wsgi import Application, Request
from mininova.wsgi.deploy import at_once
from mininova.wsgi.faults import FaultWrap
from mininova.wsgi.request import CONTEXT
from tests.fixtures.callers import CALLERS


@pytest.fixture
def db(empty_database):
    return empty_database()


@pytest.fixture
def settings():
    return conf.for_tests("api", **{"network.label": "flat", "network.cidr": "10.0.0.0/24"})


@pytest.fixture
def http(db, settings):
    """Send a request as one of CALLERS; give the response."""
    app = FaultWrap(Application(routes.table(Service(db, settings, Nova(settings, at_once))), "network"), "network")

    def send(method, path, body=None, *, by="ann"):
        request = Request.blank(f"/v2.0{path}", method=method, base_url="http://cloud.example.org/network")
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
def make(http):
    """Make a thing, such as a ``network``; give its document."""

    def make(kind, by="ann", **said):
        response = http("POST", f"/{kind.replace('_', '-')}s", {kind: said}, by=by)
        assert response.status_int == 201, response.text
        return response.json[kind]

    return make


@pytest.fixture
def boot(db, settings):
    """Have an instance have an address; give its uuid."""

    def boot(project_id="ours", host="host-1", security_groups=None):
        flavor = Flavor(flavor_id="1", name="m1", memory_mb=512, vcpus=1, root_gb=1)
        instance = Instance(
            uuid=str(uuid4()), project_id=project_id, user_id="ann", display_name="one", hostname="one", flavor=flavor,
            vm_state=states.ACTIVE, host=host, availability_zone="east", created_at=datetime.now(UTC),
        )  # fmt: skip
        with db.write() as tx:
            instances.create(tx, [instance], security_groups=security_groups)
            networks.allocate(tx, settings.network.label, settings.network.cidr, instance.uuid)
        return instance.uuid

    return boot
