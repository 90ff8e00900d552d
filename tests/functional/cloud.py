"""The whole cloud in one process, over the broker in memory: for tests that want every message in the same order.

The parts are the real ones, wired as cmd/ wires them; only the broker is ours, and messages move when ``run`` is
called.  A Cloud is driven over HTTP, as a client would.  Every process has an identity of its own, and everybody is
believed as far as that goes.
"""

import contextlib
import io
import random
from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from werkzeug.test import Client

import mininova.compute.admission
import mininova.conductor.admission
import mininova.scheduler.admission
from mininova import conf, replies, rpc
from mininova.admission import Gate
from mininova.compute.manager import ComputeManager
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.build import BuildFlow
from mininova.conductor.denials import DenialLog
from mininova.conductor.manager import ConductorManager
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.db import denials, identities, images, schema
from mininova.db.session import Database
from mininova.directory import Directory
from mininova.manage import bootstrap
from mininova.rejections import Rejections
from mininova.rpc.memory import MemoryBroker, MemoryTransport
from mininova.rpc.memory_faults import Faults
from mininova.scheduler.manager import SchedulerManager
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.upgrade_levels import TOPICS, UpgradeLevels
from mininova.virt.behaviour import Behaviour
from mininova.virt.fake import FakeDriver
from mininova.wire import CODEC
from mininova.wsgi.deploy import Parts, load_app

PASTE = Path(__file__).parents[2] / "etc/mininova/api-paste.ini"


def at_once(function: Callable[..., None], *args: Any) -> None:
    """Run a handler where it was delivered: no threads, so no surprises."""
    function(*args)


def _auto() -> UpgradeLevels:
    return UpgradeLevels(dict.fromkeys(TOPICS, "auto"))


class Silent:
    """Does nothing, whatever it is asked."""

    def __getattr__(self, method: str) -> Callable[..., None]:
        return lambda ctxt, **arguments: None


class Cloud:
    """An api, a scheduler, a conductor and computes, and the events of all their messages.

    :param path: a folder for the database and the guests
    :param hosts: the compute nodes' names
    :param racks: compute processes that stand for many hosts: name → hosts
    :param behaviour: the text of a fake-behaviour.yaml
    :param spans: makes the spans of all services
    """

    def __init__(
        self,
        path: Path,
        *,
        hosts: tuple[str, ...] = ("host-1", "host-2"),
        racks: Mapping[str, tuple[str, ...]] = {},
        behaviour: str = "",
        spans: Any = None,
    ) -> None:
        self.path, self.broker, self.events = path, MemoryBroker(), list[rpc.MessageEvent]()
        self.spans, self.levels, self.peers = spans, dict[str, UpgradeLevels](), dict[str, rpc.Peer]()
        self._servers: dict[str, rpc.Server] = {}
        (path / "behaviour.yaml").write_text(behaviour)
        self.db = Database(f"sqlite:///{path}/mininova.sqlite")
        schema.upgrade(self.db)
        self._bootstrap()
        self._seconds = 0.0
        self.directory = Directory(self.db, clock=lambda: self._seconds)
        self.denials = DenialLog(self.db, spawn=at_once, pause=0.0)
        self._start_conductor()
        self._start_scheduler()
        self.racks = {host: (host,) for host in hosts} | dict(racks)
        self.computes: dict[str, ComputeManager] = {}
        for name in self.racks:
            self._start_compute(name)
        self.app = self._make_api()
        self.tokens: dict[str, str] = {}

    # ---- the services

    def settings(self, service: str, host: str, **more: Any) -> Any:
        """Make a service's settings."""
        shared: dict[str, Any] = {"host": host, "state_path": str(self.path)}
        if service != "compute":
            shared["database.connection"] = f"sqlite:///{self.path}/mininova.sqlite"
        return conf.for_tests(service, **shared, **more)

    def _peer(self, service: str, host: str) -> rpc.Peer:
        name = f"{service}.{host}"
        has_database = service in ("api", "conductor")
        peer = rpc.Peer(
            MemoryTransport(self.broker, user_id=name if service == "compute" else service), name=name, codec=CODEC,
            report=self.events.append, watch=self.spans, levels=self.levels.setdefault(name, _auto()),
            answers=replies.believing(self.directory.at_once if has_database else replies.controller),
            answerable=replies.answerable, relays=replies.RELAYS.get(service, ()),
        )  # fmt: skip
        peer.start()
        self.peers[peer.name] = peer
        return peer

    def _serve(self, peer: rpc.Peer, host: str, interface: type[rpc.Interface], manager: object, admit: Gate) -> None:
        alone = interface is ComputeAPI
        server = rpc.Server(
            peer, host, [(interface, manager)], spawn=at_once, admit=admit, on_denied=self.denials, alone=alone
        )
        server.start()
        self._servers[host if alone else interface.topic] = server

    def _bootstrap(self) -> None:
        """Make users, flavors and an image, as ``mininova-manage bootstrap`` does."""
        settings = self.settings("manage", "ctl")
        with contextlib.redirect_stdout(io.StringIO()):
            bootstrap.run(settings, Namespace(admin_password="pw", demo_password="pw", compute=[]))
        with self.db.read() as tx:
            self.image = images.search(tx)[0].id

    def _start_conductor(self) -> None:
        settings = self.settings("conductor", "ctl")
        peer = self._peer("conductor", "ctl")
        notifier = rpc.Notifier(peer, "conductor.ctl")
        peer.on_rejected = Rejections(self.db, notifier, "conductor")
        flow = BuildFlow(settings, self.db, SchedulerAPI(peer), ComputeAPI(peer), notifier)
        manager = ConductorManager(settings, self.db, flow, notifier, self.directory, self.denials)
        gate = Gate(mininova.conductor.admission.RULES, self.directory)
        self._serve(peer, "ctl", ConductorAPI, manager, gate)

    def _start_scheduler(self) -> None:
        peer = self._peer("scheduler", "ctl")
        notifier = rpc.Notifier(peer, "scheduler.ctl")
        manager = SchedulerManager(self.settings("scheduler", "ctl"), self.db, notifier, dice=random.Random(1))
        self._serve(peer, "ctl", SchedulerAPI, manager, mininova.scheduler.admission.gate())

    def _start_compute(self, name: str) -> None:
        settings = self.settings("compute", name, **{"fake.behaviour": str(self.path / "behaviour.yaml")})
        with self.db.write() as tx:
            identities.record(tx, f"compute.{name}", self.racks[name], datetime.now(UTC))
        peer = self._peer("compute", name)
        notifier, behaviour = rpc.Notifier(peer, f"compute.{name}"), Behaviour(settings.fake.behaviour)
        for host in self.racks[name]:
            driver = FakeDriver.from_conf(settings, host, behaviour)
            manager = ComputeManager(host, driver, ConductorAPI(peer), notifier.prepare(f"compute.{host}"))
            manager.init_host()
            self._serve(peer, host, ComputeAPI, manager, mininova.compute.admission.gate())
            manager.report()
            self.computes[host] = manager
        self.learn(peer)

    def _make_api(self) -> Client:
        settings = self.settings("api", "ctl")
        peer = self._peer("api", "ctl")
        notifier = rpc.Notifier(peer, "api.ctl")
        peer.on_rejected = Rejections(self.db, notifier, "api")
        parts = Parts(settings, self.db, peer, notifier, self.events.append, self.spans)
        return Client(load_app(PASTE, "mininova", parts))

    def restart_compute(self, name: str) -> None:
        """End a compute process and start it again."""
        for host in self.racks[name]:
            self._servers.pop(host).stop()
        self._start_compute(name)

    def learn(self, peer: rpc.Peer) -> None:
        """Have a service learn what the others speak, as it does with each of its heartbeats."""
        asked = ConductorAPI(peer, pin=ConductorAPI.version)
        self.levels[peer.name].learn_from(lambda: asked.get_levels(service_context()))

    def denied(self) -> list[tuple[str, str, str, int]]:
        """List what was denied: the caller, the method, the object, and how often."""
        with self.db.read() as tx:
            return [(each.caller, each.method, each.object, each.count) for each in denials.search(tx)]

    # ---- faults, and worse

    def stranger(self, name: str, user_id: str | None) -> rpc.Peer:
        """Connect somebody to the broker who is no part of the cloud."""
        peer = rpc.Peer(MemoryTransport(self.broker, user_id=user_id), name=name, codec=CODEC)
        peer.start()
        return peer

    def silence(self, host: str) -> None:
        """Have a compute take its messages and do nothing about them."""
        server = self._servers[host]
        server.endpoints = [(interface, Silent()) for interface, _ in server.endpoints]

    def pass_seconds(self, seconds: float) -> None:
        """Have what is remembered for some time be forgotten."""
        self._seconds += seconds

    def duplicate(self, *queues: str) -> None:
        """Have the broker deliver every cast to some queues twice."""
        self.broker.suffer(Faults(duplicate=1.0, only=lambda message: message.routing_key in queues))

    def pretend_version(self, topic: str, version: str) -> None:
        """Have every server of a topic speak another version of its interface."""
        for server in self._servers.values():
            if server.topic == topic:
                server.endpoints = [
                    (type(interface.__name__, (interface,), {"version": version}), manager)
                    for interface, manager in server.endpoints
                ]

    # ---- the client

    def run(self) -> None:
        """Deliver messages until none is left."""
        self.broker.run()

    def login(self, user: str = "demo", project: str = "demo") -> str:
        """Give a token of a user, scoped to a project."""
        if user not in self.tokens:
            domain = {"name": "Default"}
            identity = {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": "pw"}},
            }
            scope = {"project": {"name": project, "domain": domain}}
            answer = self.app.post("/identity/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})
            self.tokens[user] = answer.headers["X-Subject-Token"]
        return self.tokens[user]

    def request(self, method: str, path: str, body: Any = None, *, user: str = "demo", version: str = "2.96") -> Any:
        """Send one request to the Compute API; give the response, whose ``json`` is the body."""
        headers = {"X-Auth-Token": self.login(user, user), "OpenStack-API-Version": f"compute {version}"}
        return self.app.open("/compute/v2.1" + path, method=method, json=body, headers=headers)

    def boot(self, **more: Any) -> str:
        """Ask for one server, and give its id; nothing has been delivered yet."""
        server = {"name": "one", "imageRef": self.image, "flavorRef": "1", "networks": "auto", **more}
        answer = self.request("POST", "/servers", {"server": server})
        assert answer.status_code == 202, answer.text
        return str(answer.json["server"]["id"])

    def show(self, uuid: str, user: str = "admin") -> dict[str, Any]:
        """Give a server as the API shows it to an administrator."""
        answer = self.request("GET", f"/servers/{uuid}", user=user)
        assert answer.status_code == 200, answer.text
        server: dict[str, Any] = answer.json["server"]
        return server

    def act(self, uuid: str, action: str, body: Any = None) -> int:
        """Post an action; give the status of the answer."""
        return int(self.request("POST", f"/servers/{uuid}/action", {action: body}).status_code)
