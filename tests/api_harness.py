"""An api with a real database and everything around it faked: what it would have sent is written down.

The unit tests of the api and the contract tests both use it, through their conftest.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from mininova import conf
from mininova.api.app import ComputeApplication
from mininova.api.auth import KeystoneContext
from mininova.api.images import Images
from mininova.api.operations import Operations
from mininova.api.policy import Policy
from mininova.api.request import Cloud
from mininova.api.versions import Versions
from mininova.context import RequestContext
from mininova.db import flavors, hosts, images, instances, services
from mininova.db.images import Image
from mininova.db.session import Database
from mininova.objects import ComputeNode, Flavor, Instance, Service
from mininova.wsgi import Request
from mininova.wsgi.faults import FaultWrap
from mininova.wsgi.middleware import RequestId

IMAGE = "11111111-1111-4111-8111-111111111111"
PROJECT, OTHER_PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
USERS = {
    "reader": (PROJECT, "reader"),
    "member": (PROJECT, "member,reader"),
    "admin": ("cccccccccccccccccccccccccccccccc", "admin,manager,member,reader"),
    "stranger": (OTHER_PROJECT, "member,reader"),
}


class FakeConductor:
    """Takes builds, or fails to."""

    def __init__(self) -> None:
        self.builds: list[tuple[list[Instance], Any]] = []
        self.broken: Exception | None = None

    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: Any) -> None:
        if self.broken:
            raise self.broken
        self.builds.append((instances, request_spec))


class FakeCompute:
    """Takes casts and answers calls, or fails to; ``on`` gives itself."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Instance, tuple[Any, ...]]] = []
        self.broken: Exception | None = None
        self.answers: dict[str, Any] = {"get_console_output": "login:"}
        self.host = ""

    def on(self, host: str) -> "FakeCompute":
        self.host = host
        return self

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def send(ctxt: RequestContext, instance: Instance, *more: Any) -> Any:
            if self.broken:
                raise self.broken
            self.sent.append((self.host, method, instance, more))
            return self.answers.get(method)

        return send


class FakeNotifier:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []

    def info(self, ctxt: RequestContext, event_type: str, payload: dict[str, Any]) -> None:
        self.told.append((event_type, payload))

    error = info


class Answer:
    """A response, read."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_int
        self.headers = response.headers
        self.body = msgspec.json.decode(response.body) if response.body else None

    @property
    def message(self) -> str:
        """The words of an error."""
        ((_, fault),) = self.body.items()
        return fault["message"]


class Api:
    """A client of the api, as several users, and what is behind it."""

    def __init__(self, db: Database, **settings: Any) -> None:
        self.db, self.conductor, self.compute, self.notifier = db, FakeConductor(), FakeCompute(), FakeNotifier()
        self.conf = conf.for_tests("api", **settings)
        self.operations = Operations(self.conf, db, self.conductor, self.compute, self.notifier)  # type: ignore[arg-type]
        self.cloud = Cloud(self.conf, db, Policy(self.conf), Images(db), self.operations)
        app = Versions(KeystoneContext(ComputeApplication(self.cloud)), None)
        self.app = RequestId(FaultWrap(app, "compute"), ("x-openstack-request-id", "x-compute-request-id"))

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: str | None = None,
        user: str | None = "member",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request below /v2.1 (or elsewhere, if the path begins with two slashes)."""
        url = path[1:] if path.startswith("//") else f"/v2.1{path}"
        request = Request.blank(url, method=method, headers=headers or {})
        if user is not None:
            project, roles = USERS[user]
            request.headers.update(
                {"X-Identity-Status": "Confirmed", "X-User-Id": user, "X-Project-Id": project, "X-Roles": roles}
            )
        if version is not None:
            request.headers["OpenStack-API-Version"] = f"compute {version}"
        if body is not None:
            request.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
            request.content_type = "application/json"
        return Answer(request.get_response(self.app))

    def boot(self, *, version: str = "2.37", user: str = "member", **server: Any) -> str:
        """Ask for a server, and give its id."""
        wanted = {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto", **server}
        answer = self("POST", "/servers", {"server": wanted}, version=version, user=user)
        assert answer.status == 202, answer.body
        return answer.body["server"]["id"]

    def active(self, host: str = "host-1", **server: Any) -> str:
        """Have an active server on a host, as if it had been built."""
        uuid = self.boot(**server)
        self.change(uuid, vm_state="active", task_state=None, host=host, node=host, power_state=1)
        return uuid

    def change(self, uuid: str, **columns: Any) -> Instance:
        """Change an instance as other services would."""
        with self.db.write() as tx:
            return instances.update(tx, uuid, columns, generation=None, expected_task_state=None)

    def instance(self, uuid: str, deleted: bool = False) -> Instance:
        """Read an instance."""
        with self.db.read() as tx:
            return instances.get(tx, uuid, deleted=deleted)


def seed(db: Database) -> None:
    """Put in two flavors, an image, and two compute hosts."""
    now = datetime.now(UTC)
    with db.write() as tx:
        flavors.create(tx, Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1))
        flavors.create(tx, Flavor(flavor_id="2", name="m1.small", memory_mb=2048, vcpus=1, root_gb=20))
        images.create(
            tx, Image(id=IMAGE, owner=PROJECT, name="cirros", status="active", visibility="public", size=1024)
        )
        for host in ("host-1", "host-2"):
            services.report(
                tx, Service(binary="nova-compute", host=host, topic="compute", availability_zone="nova"), now
            )
            hosts.report(tx, ComputeNode(host=host, hypervisor_hostname=host, vcpus=8, memory_mb=16384, local_gb=200))
        services.report(tx, Service(binary="nova-conductor", host="ctl-1", topic="conductor"), now)


@pytest.fixture
def db(empty_database: Callable[[], Database]) -> Database:
    """Give a database of its own to each test."""
    database = empty_database()
    seed(database)
    return database


@pytest.fixture
def api(db: Database) -> Api:
    """Give an api with a database of its own."""
    return Api(db)


@pytest.fixture
def make_api(db: Database) -> Callable[..., Api]:
    """Make an api with other settings."""
    return lambda **settings: Api(db, **settings)
