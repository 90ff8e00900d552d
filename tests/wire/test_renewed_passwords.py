"""A compute renews its password at the broker, and whatever dies in between, it can log in."""

import shlex
import shutil
import stat
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from stack import broker

from mininova import conf
from mininova.compute.credential import Credential
from mininova.conductor.credentials import Credentials
from mininova.db import identities as recorded
from mininova.db.schema import NOVA
from mininova.db.session import Database
from mininova.manage import identities as commands
from mininova.manage.broker_admin import BrokerAdmin
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.amqp.address import addresses
from mininova.trust import identities
from mininova.trust.broker import definitions
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.taken_over import PATIENCE, REFUSALS, connect, url_in

NUMBERS = count(1)  # of hosts: each test has its own, for what one had stays recorded
SERVICES = {identities.trusted(name): "secret" for name in identities.TRUSTED}
LIFETIME = 1000.0


class Died(BaseException):
    """A process died at some step."""


@pytest.fixture(scope="module")
def node(rabbitmq_server: Path) -> Iterator[PrivateBroker]:
    """Run a broker that has the users of the services, and no compute yet."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    wanted = definitions.together(broker.node_definitions(), definitions.users(SERVICES))
    made = PrivateBroker(folder, rabbitmq_server, definitions=wanted)
    made.start()
    yield made
    made.kill()
    shutil.rmtree(folder)


class World:
    """A compute that an operator has let in, and the conductor that renews its password.

    :ivar host: its name, and ``user`` that of its broker user
    :ivar dies: the step before which a process dies
    """

    def __init__(self, folder: Path, node: PrivateBroker) -> None:
        self.folder, self.node, self.now, self.dies = folder, node, time.time(), ""
        self.host = f"host-{next(NUMBERS)}"
        self.user = f"compute.{self.host}"
        self.file, self.kept = folder / "compute.conf", folder / "state" / f"{self.user}.passwords"
        self.settings = self.set_up(node.definitions_file)
        self.db = Database(self.settings.database.connection)
        NOVA.upgrade(self.db)
        self.operator(commands.add)

    def set_up(self, kept_in: Path | None, begins: str = "") -> Any:
        """Make the settings of the controller.

        :param begins: what the command of the broker begins with
        """
        admin = {
            "broker_admin.command": f"{begins}{shlex.quote(str(self.node.tool))}",
            "broker_admin.definitions_file": kept_in,
        }
        places = {"state_path": str(self.folder), "transport_url": self.node.url_of("manage", "secret")}
        return conf.for_tests("manage", **places, **admin)

    def operator(self, command: Any) -> None:
        """Run ``mininova-manage host``, at our time."""
        command(self.settings, Namespace(name=self.host, hosts="", file=str(self.file)))
        with self.db.write() as tx:
            if (known := recorded.password(tx, self.user)) is not None and known.hashed:
                recorded.change_password(tx, self.user, known.hashed, datetime.fromtimestamp(self.now, UTC))

    # ---- the compute

    def credential(self) -> Credential:
        """Read the passwords, as a compute that starts does."""
        configured = addresses(url_in(self.file))[0].password or ""
        return Credential(self.kept, configured, lifetime=LIFETIME, clock=lambda: self.now)

    def start(self) -> tuple[Credential, AMQPTransport]:
        """Start a compute: it logs in."""
        credential = self.credential()
        transport = AMQPTransport(url_in(self.file), declares=False, passwords=credential)
        transport.start()
        return credential, transport

    def can_log_in(self, password: str) -> bool:
        """Tell whether the broker takes a password."""
        host = url_in(self.file).rpartition("@")[2]
        with suppress(*REFUSALS):
            connect(f"amqp://{self.user}:{password}@{host}").close()
            return True
        return False

    # ---- the conductor, of which a process may die at each step

    def renew_password(self, ctxt: object, password_hash: str, instead_of: str) -> dict[str, str]:
        """Do what a conductor does that is asked."""
        self.step("the conductor is asked")
        has = self.conductor.renew(self.user, password_hash, instead_of)
        self.step("it answers")
        return {"password_hash": has}

    @property
    def conductor(self) -> Credentials:
        """Start a conductor."""
        return Credentials(
            self.db, self, lifetime=LIFETIME, clock=lambda: datetime.fromtimestamp(self.now, UTC)
        )  # fmt: skip

    def define(self, wanted: definitions.Definitions) -> None:
        """Change the broker's users."""
        self.step("the broker is told")
        BrokerAdmin(self.settings).define(wanted)

    def disconnect(self, user: str, why: str) -> None:
        """End connections."""
        self.step("connections end")
        BrokerAdmin(self.settings).disconnect(user, why)

    def step(self, name: str) -> None:
        """Die, if it is time."""
        if name == self.dies:
            self.dies = ""
            raise Died

    def is_renewed(self, old: str) -> bool:
        """Tell whether the newest password is the only one that is good."""
        newest, *_ = self.credential().to_try()
        return newest != old and self.can_log_in(newest) and not self.can_log_in(old)


@pytest.fixture
def world(tmp_path: Path, node: PrivateBroker) -> Iterator[World]:
    """Give a cloud."""
    made = World(tmp_path, node)
    yield made
    made.db.close()


def test_a_renewed_password(world: World):
    """The compute logs in with the new one, the old one is refused, and what was connected with it is cut off."""
    credential, transport = world.start()
    (old,) = credential.to_try()
    thief = connect(url_in(world.file))
    is_back = threading.Event()
    transport.on_restored = is_back.set
    world.now += LIFETIME

    credential.renew(world)

    with pytest.raises(REFUSALS):
        thief.drain_events(timeout=PATIENCE)
    thief.collect()
    assert is_back.wait(PATIENCE)  # with the new one
    transport.declare(world.user, f"mininova.from.{world.user}", world.user)
    transport.stop()
    assert world.is_renewed(old)
    assert stat.S_IMODE(world.kept.stat().st_mode) == 0o600


def test_without_erl_call(world: World, node: PrivateBroker):
    """All that is asked of the broker is as well asked of RabbitMQ's own command."""
    world.settings = world.set_up(node.definitions_file, begins="env PATH=/nowhere ")
    credential, transport = world.start()
    (old,) = credential.to_try()
    world.now += LIFETIME
    credential.renew(world)
    transport.stop()
    assert world.is_renewed(old)

    world.operator(commands.remove)
    assert not any(world.can_log_in(password) for password in credential.to_try())


def test_a_password_that_is_not_old_is_kept(world: World):
    """Before its time, nothing is asked."""
    credential, transport = world.start()
    transport.stop()
    before = world.kept.read_bytes()
    world.now += LIFETIME / 2
    credential.renew(world)
    assert world.kept.read_bytes() == before


@pytest.mark.parametrize(
    "step", ["the conductor is asked", "the broker is told", "connections end", "it answers", "the compute logs in"]
)
def test_a_process_dies_before(world: World, step: str):
    """The compute starts again, logs in, and has the password renewed that it was about to."""
    credential, transport = world.start()
    transport.stop()
    (old,) = credential.to_try()
    world.now, world.dies = world.now + LIFETIME, step

    with suppress(Died):
        credential.renew(world)

    again, transport = world.start()
    again.renew(world)
    transport.stop()
    assert world.is_renewed(old)


def test_the_broker_is_away(world: World, node: PrivateBroker):
    """When it is back, the compute logs in, and asks again."""
    credential, transport = world.start()
    transport.stop()
    (old,) = credential.to_try()
    world.now += LIFETIME
    node.kill()
    credential.renew(world)
    node.start()

    again, transport = world.start()
    again.renew(world)
    transport.stop()
    assert world.is_renewed(old)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
def test_the_broker_loses_its_disk(world: World, node: PrivateBroker, kept: bool):
    """What it loads when it boots may know the first password only: the compute has that, and renews it again."""
    world.settings = world.set_up(node.definitions_file if kept else None)
    credential, transport = world.start()
    (old,) = credential.to_try()
    world.now += LIFETIME
    credential.renew(world)
    transport.stop()
    _, transport = world.start()
    transport.stop()
    node.lose_disk()
    assert world.can_log_in(old) is not kept

    again, transport = world.start()
    again.renew(world)
    transport.stop()
    assert world.is_renewed(old)


def test_an_operators_password(world: World):
    """A compute with its new file logs in with that, and what it renews is that."""
    credential, transport = world.start()
    transport.stop()
    world.now += LIFETIME
    credential.renew(world)
    world.operator(commands.rotate)
    configured = addresses(url_in(world.file))[0].password or ""

    again, transport = world.start()
    assert again.to_try() == (configured,)
    world.now += LIFETIME
    again.renew(world)
    transport.stop()
    assert world.is_renewed(configured)


# ---- what a compute that was shut out had sent


@pytest.mark.parametrize("step", ["the conductor is asked", "the broker is told", "connections end"])
def test_what_comes_after_an_operators_password(world: World, monkeypatch: pytest.MonkeyPatch, step: str):
    """The operator's word stands, wherever the conductor is with an earlier request."""
    credential, transport = world.start()
    transport.stop()
    world.now += LIFETIME
    done = World.step

    def meanwhile(self: World, name: str) -> None:
        if name == step:
            monkeypatch.setattr(World, "step", done)
            world.operator(commands.rotate)

    monkeypatch.setattr(World, "step", meanwhile)
    credential.renew(world)

    assert world.can_log_in(addresses(url_in(world.file))[0].password or "")
    assert [password for password in credential.to_try() if world.can_log_in(password)] == []
