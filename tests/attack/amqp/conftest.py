"""A running stack, one of whose computes is taken over: its process is stopped, and its credentials are ours.

Every test here is an attack.  Its docstring is the sentence that docs/security.md has for it, after "The taken-over
compute …", and its mark says what that page says beside it::

    @pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")

``refused_by`` is held against what the test did see: ``refused.by_…`` looks for the refusal where an operator would
(refusals.py).
Around each test the database is compared with itself; heartbeats and the denials themselves are left out.
"""

import json
import subprocess
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import openstack
import pytest
from stack.supervisor import Supervisor

from tests.fixtures import sdk, taken_over
from tests.fixtures.database_rows import Rows
from tests.fixtures.programs import Program
from tests.fixtures.refusals import Refusals
from tests.fixtures.taken_over import PATIENCE, TakenOver

MINE, THEIRS, LIKE_MINE = "host-1", "host-2", "host-1.annex"

PASSED = pytest.StashKey[bool]()

#: What a host says of itself.
REPORTED = (
    "host", "hypervisor_hostname", "hypervisor_type", "hypervisor_version", "host_ip", "running_vms",
    "vcpus", "memory_mb", "local_gb", "cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio",
)  # fmt: skip


def pytest_configure(config):
    """Name the mark."""
    config.addinivalue_line("markers", "attack(refused_by, sees): who stops this attack, and what the attacker sees")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep whether a test itself passed, for what is looked at after it."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


def pytest_collection_modifyitems(items):
    """Let the SDK announce what it will drop some day."""
    sdk.let_it_announce(items, __file__)


# ---- the stack


@pytest.fixture(scope="session")
def stack(make_stack):
    """Start a stack with three computes; the last one's name begins as the first one's, and a dot follows."""
    made = make_stack(BOOT="0")
    for words in ((), ("add-compute", LIKE_MINE)):
        done = made.sh(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="session")
def admin(stack):
    """Give the SDK's connection as the admin, who alone may choose a host."""
    return sdk.connect(stack)


@pytest.fixture(scope="session")
def boot(admin):
    """Give a function that asks for a server on a host, without waiting for it."""
    flavor, image = admin.compute.find_flavor("m1.tiny"), admin.image.find_image("cirros")

    def boot(name, host=None, **wanted):
        zone = {} if host is None else {"availability_zone": f"nova:{host}"}
        return admin.compute.create_server(
            name=name, flavor_id=flavor.id, image_id=image.id, networks="auto", **zone, **wanted
        )

    return boot


@pytest.fixture(scope="session")
def at_rest(admin):
    """Give a function that waits until a server is ACTIVE or in ERROR, as a client has to: by asking."""

    def at_rest(server, patience=60):
        return sdk.at_rest(admin, server, patience=patience)

    return at_rest


# ---- who attacks, and whom


@pytest.fixture(scope="session")
def servers(stack, boot, at_rest):
    """Boot a server on each host."""
    made = {host: boot(f"on-{host}", host) for host in (MINE, THEIRS, LIKE_MINE)}
    rested = {host: at_rest(server) for host, server in made.items()}
    assert {server.status for server in rested.values()} == {"ACTIVE"}
    return rested


@pytest.fixture(scope="session")
def attacker(stack, servers):
    """Take a compute over: its process ends, and we have what it knew."""
    Supervisor(stack.home).stop([f"mininova-compute-{MINE}"])
    url = taken_over.url_in(stack.home.etc / f"mininova-compute-{MINE}.conf")
    made = TakenOver(url, MINE)
    yield made
    made.close()


@pytest.fixture
def mine(attacker, servers):
    """Give the attacker's own instance as the conductor gives it to whoever stands for its host."""
    found = attacker.ask("get_instances", {"host": MINE}).result
    (instance,) = (it for it in found if it["versioned_object.data"]["uuid"] == servers[MINE].id)
    return instance


@pytest.fixture
def theirs(mine, servers, rows):
    """Give the instance of another host, down to its generation, as if the attacker had guessed all of it."""
    return _as_guessed(mine, rows.instance(servers[THEIRS].id))


@pytest.fixture
def spec(mine):
    """Give what the api would send along with a build of the attacker's instance."""
    data = mine["versioned_object.data"]
    image = taken_over.own_object("ImageMeta", id=data["image_ref"])
    return taken_over.own_object("RequestSpec", flavor=data["flavor"], image=image, project_id=data["project_id"])


@pytest.fixture
def service(attacker, rows):
    """Give the heartbeat that the host would send, word for word."""
    (row,) = rows.read("SELECT * FROM services WHERE host = ?", attacker.host)
    said = {name: row[name] for name in ("binary", "host", "topic", "availability_zone")}
    return taken_over.own_object("Service", **said, versions=json.loads(row["versions"]))


@pytest.fixture
def node(attacker, rows):
    """Give the room that the host would report, word for word."""
    row = rows.node(attacker.host)
    texts = ("cpu_info", "image_properties")
    said = {name: json.loads(row[name]) if name in texts else row[name] for name in (*REPORTED, *texts)}
    return taken_over.own_object("ComputeNode", **said)


def _as_guessed(mine, row):
    known = mine["versioned_object.data"].keys() & row.keys() - {"flavor", "addresses", "metadata", "tags"}
    plain = {name: row[name] for name in known if not name.endswith(("_at", "locked", "config_drive"))}
    return taken_over.changed(mine, **plain)


@pytest.fixture(scope="session")
def reply_queues(stack):
    """Name the reply queues of all processes: more than a compute can know of those it never worked for."""
    command = [stack.home.broker / "rabbitmqctl", "-q", "list_queues", "--no-table-headers", "name"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    names = [name for name in listed.stdout.split() if name.startswith("reply_") and ".from." not in name]
    return {name.split("_")[1].partition(".")[0]: name for name in names if MINE not in name}


class Console:
    """A user looks at a console: the one call by which the api asks a compute something that changes nothing."""

    def __init__(self, admin, attacker, servers):
        self._admin, self._attacker, self._servers = admin, attacker, servers

    def asked_of_mine(self, answer=None):
        """Have the console of the attacker's own server asked for, take that call, and answer it honestly.

        :param answer: publishes something else instead, given the call
        :return: the call, and what the user got
        """
        with ThreadPoolExecutor(1) as user:
            seen = user.submit(self.look, MINE)
            call = self._attacker.take("get_console_output")
            (answer or self.honestly)(call)
            return call, seen.result(PATIENCE)

    def honestly(self, call, result="all is well"):
        """Answer a call."""
        body = taken_over.reply(call.properties["message_id"], result)
        self._attacker.publish(call.properties["reply_to"], body)

    def look(self, host):
        """Look at the console of the server on a host, and give its text, or the error that the user gets."""
        try:
            return self._admin.compute.get_server_console_output(self._servers[host])["output"]
        except openstack.exceptions.HttpException as error:
            return error


@pytest.fixture
def console(admin, attacker, servers):
    """Give what a user sees of a console."""
    return Console(admin, attacker, servers)


class Queue:
    """A queue that an operator reads, to see what really passes; a new one, if it is to be filled from an exchange."""

    def __init__(self, url, name, exchange=None, key=None):
        self._connection = taken_over.connect(url)
        self._channel, self._came = self._connection.channel(), deque()
        if exchange is not None:
            self._channel.queue_declare(name, durable=False, auto_delete=False, arguments={"x-expires": 600_000})
            self._channel.queue_bind(name, exchange, key)
        self._channel.basic_consume(name, no_ack=True, callback=self._came.append)

    def next(self):
        """Wait for the next message."""
        while not self._came:
            self._connection.drain_events(timeout=PATIENCE)
        return self._came.popleft()

    def close(self):
        """Leave the broker."""
        self._connection.close()


@pytest.fixture
def flow(stack):
    """Give a function that waits for an event of the flow with these fields: whoever shows the flow sees all of it.

    What came before it is in its list ``passed_over``.
    """
    url = taken_over.url_in(stack.home.etc / "mininova.conf", stack.home.etc / "mininova-flow.conf")
    queue, events = Queue(url, f"flow_tail_{uuid4().hex}", "mininova.flow", "events"), deque()

    def next_event(**fields):
        while True:
            while events:
                if fields.items() <= (event := events.popleft()).items():
                    return event
                next_event.passed_over.append(event)
            events.extend(json.loads(queue.next().body))

    next_event.passed_over = []
    yield next_event
    queue.close()


@pytest.fixture
def listener(stack):
    """Give a function that waits for the notification with a body, and gives all up to it, as a listener."""
    queue = Queue(taken_over.url_in(stack.home.etc / "mininova.conf"), "notifications.info")

    def up_to(body):
        came = [queue.next()]
        while came[-1].body not in (body, body.encode()):  # text, if its sender said how it is encoded
            came.append(queue.next())
        return came

    yield up_to
    queue.close()


# ---- what must not change


@pytest.fixture(scope="session")
def rows(stack):
    """Give the database to look at."""
    return Rows(stack.home.database, (THEIRS, LIKE_MINE))


@pytest.fixture(autouse=True)
def unchanged(rows, attacker):
    """Compare the database before and after each attack."""
    before = rows.all()
    yield
    assert rows.all() == before


# ---- who refused


@pytest.fixture(scope="session")
def logs(stack):
    """Read the logs of all services as they grow."""
    services = ["rabbitmq", "mininova-api", "mininova-conductor", "mininova-scheduler", f"mininova-compute-{THEIRS}"]
    read = {name: Program(["tail", "-n", "+1", "-F", stack.home.log(name)], Path("/"), {}) for name in services}
    yield read
    for program in read.values():
        program.kill()


@pytest.fixture(scope="session")
def denied():
    """Remember what the conductor denied: the method, and the object of it; test_the_operator.py lists that."""
    return []


@pytest.fixture
def refused(request, attacker, logs, denied, rows):
    """Look for a refusal, and in the end hold what was seen against what the attack's mark says."""
    found = Refusals(attacker, THEIRS, logs, denied, rows)
    yield found
    if request.node.stash.get(PASSED, False):
        assert found.seen == {request.node.get_closest_marker("attack").kwargs["refused_by"]}
