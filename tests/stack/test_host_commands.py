"""mininova-manage host add, rotate and remove, and check: on a broker and a database of their own."""

import configparser
import json
import shlex
import shutil
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import amqp
import pytest
from stack import broker

from mininova.db import identities as recorded
from mininova.db import networks
from mininova.db.schema import NOVA
from mininova.db.session import Database
from mininova.trust import identities
from mininova.trust.broker import definitions
from tests.fixtures import forked
from tests.fixtures.local_stack import run
from tests.fixtures.private_broker import PrivateBroker

SERVICES = {identities.trusted(name): "secret" for name in identities.TRUSTED}


@pytest.fixture(scope="module")
def node(rabbitmq_server):
    """Run a broker that has the users of the services, and no compute yet."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    wanted = definitions.together(broker.node_definitions(), definitions.users(SERVICES))
    made = PrivateBroker(folder, rabbitmq_server, definitions=wanted)
    made.start()
    yield made
    made.kill()
    shutil.rmtree(folder)


class Cloud:
    """A controller: its database, its settings, and its mininova-manage.

    :ivar file: where the commands write the settings of a compute
    """

    def __init__(self, folder: Path, node: PrivateBroker) -> None:
        self.file, self._settings = folder / "compute.conf", folder / "mininova.conf"
        self.database = Database(f"sqlite:///{folder / 'mininova.sqlite'}", connect_retry=0)
        NOVA.upgrade(self.database)
        self.recorded_only: list[identities.Identity] = []
        self.write(node)

    def write(self, node: PrivateBroker, more: str = "") -> None:
        """Write the settings of the controller."""
        self._settings.write_text(
            f"[DEFAULT]\ntransport_url = {node.url_of('manage', 'secret')}\n"
            f"[database]\nconnection = {self.database.name}\n"
            f"[broker_admin]\ncommand = {shlex.quote(str(node.tool))}\ndefinitions_file = {node.definitions_file}\n"
            f"[flow]\nenabled = true\n{more}"
        )

    def manage(self, *words: object):
        """Run a command."""
        return forked.run("mininova-manage", ["--config-file", self._settings, *words], {})

    def broker(self, node: PrivateBroker):
        """Give what a broker has."""
        return json.loads(run([node.tool, "--quiet", "export_definitions", "-", "--format", "json"], {}).stdout)

    def host(self, verb: str, name: str, *words: object):
        """Run a command about a host, which must succeed."""
        file = () if verb == "remove" else ("--config", self.file)
        done = self.manage("host", verb, name, *words, *file)
        assert done.returncode == 0, done.stderr
        return done

    def record(self, name: str) -> None:
        """Record a compute that the broker does not know."""
        identity = identities.compute(name)
        self.recorded_only.append(identity)
        with self.database.write() as tx:
            recorded.record(tx, identity.name, identity.hosts, datetime.now(UTC))

    def log_in(self) -> amqp.Connection:
        """Connect as the compute, with the password in its file."""
        url = urlsplit(self.settings["DEFAULT"]["transport_url"])
        made = amqp.Connection(
            f"{url.hostname}:{url.port}", userid=url.username, password=url.password, login_method="PLAIN"
        )
        made.connect()
        return made

    @property
    def settings(self) -> configparser.RawConfigParser:
        """Give what is in the compute's file."""
        found = configparser.RawConfigParser()
        found.read(self.file)
        return found

    @property
    def identities(self) -> list[identities.Identity]:
        """Give the recorded identities."""
        with self.database.read() as tx:
            return recorded.search(tx)


# All rights in the first virtual host, as Erlang has them.
EVERYTHING = '<<"/">>, <<".*">>, <<".*">>, <<".*">>'


def change(node: PrivateBroker, how: str, user: str, *more: str) -> None:
    """Have the broker change a user, without a rabbitmqctl, which takes a second."""
    arguments = ", ".join([f'<<"{user}">>', *more, '<<"test">>'])
    node.evaluate(f"ok = rabbit_auth_backend_internal:{how}({arguments}).")


def forget(node: PrivateBroker, user: str) -> None:
    """Have the broker remove a user."""
    change(node, "delete_user", user)


@pytest.fixture
def cloud(tmp_path, node):
    """Give a controller; its users and exchanges are removed in the end."""
    made = Cloud(tmp_path, node)
    yield made
    for identity in made.identities:
        if identity not in made.recorded_only:
            forget(node, identity.name)
    made.database.close()


def test_a_host_is_added(cloud):
    """Its user can log in and use its own queue and no other, its hosts are recorded, and its file is private."""
    done = cloud.host("add", "host-1")

    assert "compute.host-1 may use the broker, for host-1" in done.stdout
    assert cloud.identities == [identities.compute("host-1")]
    assert stat.S_IMODE(cloud.file.stat().st_mode) == 0o600
    assert cloud.settings["DEFAULT"]["host"] == "host-1"
    assert cloud.settings["flow"]["enabled"] == "true"
    with cloud.log_in() as connection:
        connection.channel().queue_declare("compute.host-1", durable=True, auto_delete=False)
        connection.channel().basic_publish(amqp.Message("{}"), "mininova.from.compute.host-1", "events")
        with pytest.raises(amqp.exceptions.AccessRefused):
            connection.channel().queue_declare("compute.host-2", durable=True, auto_delete=False)


def test_a_compute_is_there_again_after_the_broker_lost_its_disk(cloud, node):
    """Its user, its rights and its lane are loaded with those of the services; a removed compute stays removed."""
    for name in ("host-1", "host-2"):
        cloud.host("add", name)
    cloud.host("remove", "host-1")
    node.lose_disk()
    with cloud.log_in() as connection:  # as host-2, which was added last
        connection.channel().queue_declare("compute.host-2", durable=True, auto_delete=False)
        connection.channel().basic_publish(amqp.Message("{}"), "mininova.from.compute.host-2", "conductor")
    users = {user["name"] for user in json.loads(node.definitions_file.read_text())["users"]}
    assert users == {*identities.TRUSTED, "compute.host-2"}


def test_a_file_that_cannot_be_changed_is_named(cloud, node):
    """The command says what was done and what was not, in a sentence."""
    kept = node.definitions_file.read_text()
    node.definitions_file.write_text("{")
    try:
        done = cloud.manage("host", "add", "host-3", "--config", cloud.file)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"The broker has done it, but {node.definitions_file}, its" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    finally:
        node.definitions_file.write_text(kept)
        forget(node, "compute.host-3")


def test_a_compute_of_many_hosts_is_added(cloud):
    """Its file names the process and the hosts; its user can use the queue of each, and of no other."""
    done = cloud.host("add", "lab", "--hosts", "edge, lab-[001-300]")

    assert "compute.lab may use the broker, for edge, lab-[001-300]" in done.stdout
    assert (cloud.settings["DEFAULT"]["host"], cloud.settings["compute"]["hosts"]) == ("lab", "edge, lab-[001-300]")
    assert len(cloud.identities[0].hosts) == 301
    with cloud.log_in() as connection:
        for host in ("edge", "lab-001", "lab-300"):
            connection.channel().queue_declare(f"compute.{host}", durable=True, auto_delete=False)
        for host in ("lab", "lab-301", "lab-0300"):
            with pytest.raises(amqp.exceptions.AccessRefused):
                connection.channel().queue_declare(f"compute.{host}", durable=True, auto_delete=False)


def test_a_file_that_is_there_keeps_what_it_says(cloud):
    """Only the broker's address is changed in it."""
    cloud.file.write_text("[DEFAULT]\nhost = edge\n# mine\ntransport_url = amqp://x:y@z/\n[fake]\nbehaviour = b.yaml\n")
    cloud.file.chmod(0o644)

    cloud.host("add", "edge", "--hosts", "edge-1,edge-2")

    assert cloud.identities == [identities.compute("edge", ["edge-1", "edge-2"])]
    assert "# mine\n" in cloud.file.read_text()
    assert cloud.settings["fake"]["behaviour"] == "b.yaml"
    assert stat.S_IMODE(cloud.file.stat().st_mode) == 0o600
    cloud.log_in().close()


def test_a_rotated_password(cloud):
    """The broker refuses the old password and closes the connection that used it; the new one works."""
    cloud.host("add", "host-1")
    before, old = cloud.log_in(), cloud.settings["DEFAULT"]["transport_url"]

    cloud.host("rotate", "host-1")

    with pytest.raises((amqp.exceptions.ConnectionForced, OSError)):
        before.drain_events(timeout=20)
    assert cloud.settings["DEFAULT"]["transport_url"] != old
    cloud.log_in().close()
    new = cloud.file.read_text()
    cloud.file.write_text(new.replace(cloud.settings["DEFAULT"]["transport_url"], old))
    with pytest.raises(amqp.exceptions.AccessRefused):
        cloud.log_in()


def test_a_removed_host(cloud):
    """The broker closes its connection and refuses it, its record is deleted, and no address waits for it."""
    cloud.host("add", "host-1")
    before = cloud.log_in()
    with cloud.database.write() as tx:
        networks.allocate(tx, "flat", "10.0.0.0/24", "u-1")
        networks.free(tx, "u-1", guest_on="host-1")

    cloud.host("remove", "host-1")

    with pytest.raises((amqp.exceptions.ConnectionForced, OSError)):
        before.drain_events(timeout=20)
    with pytest.raises(amqp.exceptions.AccessRefused):
        cloud.log_in()
    assert cloud.identities == []
    with cloud.database.read() as tx:
        assert networks.departed(tx, "host-1") == []


def test_what_a_removed_host_has_bound_is_gone(cloud, node):
    """The next compute of its name finds its lane as it was made, and those who asked it something are still there."""
    cloud.host("add", "host-1")
    lane, callers = "mininova.from.compute.host-1", "reply_api.ctl-1_0.from.compute.host-1"
    operator = amqp.Connection(node.url.rpartition("@")[2].strip("/"), userid=broker.USER, password="secret")
    bound = {"compute.host-1": "#", callers: "reply_api.ctl-1_0"}
    wanted = {
        "users": [definitions.user(broker.USER, "secret", tags="administrator")],
        "permissions": [{"user": broker.USER, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
    }
    node.define(wanted)
    operator.connect()
    channel = operator.channel()
    for queue, key in bound.items():
        channel.queue_declare(queue, durable=True, auto_delete=False)
        channel.queue_bind(queue, lane, key)
    operator.close()

    cloud.host("remove", "host-1")

    exported = cloud.broker(node)["bindings"]
    forget(node, broker.USER)
    left = {one["destination"] for one in exported if one["source"] == lane}
    assert callers in left
    assert "compute.host-1" not in left
    assert "conductor.from.compute.host-1" in left


def test_a_host_that_the_broker_does_not_know_can_be_removed(cloud):
    """The command finishes what an earlier one left half done."""
    cloud.record("host-1")
    cloud.host("remove", "host-1")
    assert cloud.identities == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "host-1"), "compute.host-1 stands for host-1 already"),
        (("add", "other", "--hosts", "host-9,host-1"), "compute.host-1 stands for host-1 already"),
        (("add", "host 1"), "'host 1' is no name of a host"),
        (("add", "host-1.dead"), "'host-1.dead' ends as the names of queues do"),
        (("add", "a", "--hosts", "b,c.pause.5"), "'c.pause.5' ends as the names of queues do"),
        (("add", "a", "--hosts", "b-[1-"), "'b-[1-' is no range of hosts"),
        (("rotate", "host-2"), "There is no identity compute.host-2"),
        (("add", "host-2", "--config", "/no/such/folder/x.conf"), "No such file or directory"),
        (("rotate", "host-1", "--config", "/no/such/folder/x.conf"), "No such file or directory"),
        (("rotate", "host-1", "--config", "/dev"), "Is a directory"),
        (("remove", "host-2"), "There is no identity compute.host-2"),
    ],
)
def test_invalid_commands(cloud, node, words, said):
    """The error is one line, and nothing is changed."""
    cloud.record("host-1")
    known, kept = cloud.identities, node.definitions_file.read_text()

    done = cloud.manage("host", *words)

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert said in line
    assert (cloud.identities, node.definitions_file.read_text()) == (known, kept)


def test_a_broker_that_cannot_be_administered(cloud, node):
    """The error names the setting to look at, and no compute is recorded."""
    settings = cloud._settings.read_text()
    cloud._settings.write_text(settings.replace(shlex.quote(str(node.tool)), "/nowhere/rabbitmqctl"))

    done = cloud.manage("host", "add", "host-1", "--config", cloud.file)

    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "/nowhere/rabbitmqctl failed" in line
    assert "[broker_admin] command" in line
    assert cloud.identities == []
    assert not cloud.file.exists()
    cloud._settings.write_text(settings)


# ---- check


def test_check_finds_nothing(cloud):
    """When each user has exactly its own rights, the command says so."""
    cloud.host("add", "host-1")
    done = cloud.manage("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("good    each of 5 services and 1 computes")


def test_check_names_what_is_weaker(cloud, node):
    """Each weakness is a line, and the command fails."""
    cloud.host("add", "host-1")
    cloud.write(node, "[identities]\nenforce = false\n")
    change(node, "add_user", "guest", '<<"guest">>')
    change(node, "set_permissions", "compute.host-1", EVERYTHING)
    change(node, "clear_topic_permissions", "scheduler", '<<"/">>')
    change(node, "set_tags", "conductor", "[impersonator]")
    try:
        done = cloud.manage("check")
    finally:
        forget(node, "guest")
        change(node, "set_tags", "conductor", "[]")
        cloud.manage("check", "--repair")

    assert done.returncode == 2
    assert "5 of the protections" in done.stderr
    lines = done.stdout.splitlines()
    for said in (
        "enforce is false",
        "guest",
        "compute.host-1 has other rights",
        "scheduler has other",
        "conductor has a tag",
    ):
        assert [line for line in lines if said in line and line.startswith("weaker  ")], (said, lines)


def test_check_repairs(cloud, node):
    """Rights, bounds, queues and the lane are as they should be again; the compute keeps its password."""
    cloud.host("add", "host-1")
    change(node, "set_permissions", "compute.host-1", EVERYTHING)
    change(node, "clear_topic_permissions", "compute.host-1", '<<"/">>')
    change(node, "clear_user_limits", "compute.host-1", '<<"all">>')
    node.evaluate('rabbit_policy:delete(<<"/">>, <<"what-computes-can-fill">>, <<"test">>).')
    node.evaluate(
        'rabbit_amqqueue:with(rabbit_misc:r(<<"/">>, queue, <<"compute.host-1">>), '
        'fun(Queue) -> {ok, _} = rabbit_amqqueue:delete(Queue, false, false, <<"test">>) end).'
    )
    node.evaluate(
        'rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, <<"mininova.from.compute.host-1">>), false, <<>>).'
    )
    weak = cloud.manage("check")
    assert (weak.returncode, len(weak.stdout.splitlines())) == (2, 4), weak.stdout

    done = cloud.manage("check", "--repair")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("good    each of 5 services and 1 computes")
    with cloud.log_in() as connection:
        connection.channel().basic_publish(amqp.Message("{}"), "mininova.from.compute.host-1", "conductor")
