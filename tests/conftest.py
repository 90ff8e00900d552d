"""Fixtures and flags for all tests: a RabbitMQ node, a database, a stack, and the flag that rewrites golden files."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from stack import broker, ports, processes, qpid
from stack.brokers import KINDS as BROKER_KINDS
from stack.brokers import RABBITMQ

from mininova import conf
from mininova.db.session import Database
from mininova.manage.database import schemas
from mininova.rpc.transports.kombu.brokers import BROKERS, PREFIX
from mininova.service import concurrency
from tests.fixtures.checked_stack import Checks
from tests.fixtures.compiled import Compiled
from tests.fixtures.local_stack import LocalStack
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.private_databases import KINDS, SERVERS, SQLITE, PrivateDatabaseServer
from tests.fixtures.private_redis import PrivateRedis

if TYPE_CHECKING:
    from openstack.connection import Connection

SERVICES = 8  # of a stack at most, with the computes that tests add: each shows its metrics on a port of its own

#: How many more objects are made than ended before the garbage collector looks: Python's own number is 700.
SELDOM = 50_000

# How long an example takes says nothing of us on a machine that does other things, too.  Each run tries the same
# examples, so that no change is refused for a bug of another; ``--hypothesis-profile anew`` looks for new ones.
settings.register_profile(
    "busy", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("anew", settings.get_profile("busy"), derandomize=False)
settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags: for golden files, the database, the broker and the kind of threads."""
    parser.addoption("--rewrite", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--database", default=SQLITE, choices=KINDS, help="where the tests run that name no database")
    threads = "what the threads of stacks are made of"
    attacked = "which broker the stack of tests/attack has"
    parser.addoption("--broker", default=RABBITMQ, choices=BROKER_KINDS, help=attacked)
    one = "what the tests of clients have in place of a stack: mininova-cloud"
    parser.addoption("--one-process", action="store_true", help=one)
    parser.addoption("--concurrency", default=concurrency.EVENTLET, choices=concurrency.KINDS, help=threads)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks."""
    config.addinivalue_line("markers", "needs(promise): runs over the brokers that keep this promise")
    config.addinivalue_line("markers", "shared: uses the one stack that most tests share, as its fixtures say")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage meanwhile, nor later in what was made here, and seldom in what is made then.

    A quarter of the time went into the first two, and a tenth of what was left into the third.
    """
    gc.set_threshold(SELDOM)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_finish() -> None:
    """Refuse to run with locks that only green threads wake: each worker of xdist would wait for the other for ever."""
    patcher = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        raise pytest.UsageError("a test module imports mininova.cmd, which is for processes: import it in a child")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out each test that needs what its broker cannot promise, and mark those that share the one stack.

    docs/rpc/brokers.md lists what a broker promises.
    """
    left_out = [item for item in items if _is_needless(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        if "local_stack" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")


def _is_needless(item: pytest.Item) -> bool:
    scheme = str(item.callspec.params.get("bench", "")) if hasattr(item, "callspec") else ""
    broker = BROKERS.get(scheme.removeprefix(PREFIX)) if scheme.startswith(PREFIX) else None
    return broker is not None and any(mark.args[0] in broker.lacks for mark in item.iter_markers("needs"))


@pytest.fixture(scope="session")
def rabbitmq_server() -> Path:
    """Find the rabbitmq-server program; without one the test is skipped, but in CI it fails."""
    server = broker.find_server(os.environ)
    if server is None and os.environ.get("CI"):
        pytest.fail("RabbitMQ is not installed: tools/stack.sh install")
    if server is None:
        pytest.skip("RabbitMQ is not installed: tools/stack.sh install")
    return server


@pytest.fixture(scope="session")
def private_broker(rabbitmq_server: Path) -> Iterator[PrivateBroker]:
    """Run a node for the whole session: tests that share it choose names of their own."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))  # a short path, for the socket in it
    node = PrivateBroker(folder, rabbitmq_server)
    node.start()
    yield node
    node.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def virtual_host(private_broker: PrivateBroker) -> Iterator[str]:
    """Give the URL of a virtual host there: in its queues, whose names are fixed, a cloud finds no other's messages."""
    name, everything = uuid4().hex, dict.fromkeys(("configure", "write", "read"), ".*")
    rights = [{"user": broker.USER, "vhost": name, **everything}]
    private_broker.define({"vhosts": [{"name": name}], "permissions": rights})
    yield f"{private_broker.url}{name}"
    private_broker.evaluate(f'rabbit_vhost:delete(<<"{name}">>, <<"tests">>).')


@pytest.fixture(scope="session")
def qpid_jars() -> Path:
    """Find the jars of Qpid Broker-J; without them the test is skipped, but in CI it fails."""
    jars = qpid.find_jars(os.environ)
    if jars is None and os.environ.get("CI"):
        pytest.fail("Qpid is not installed: tools/install-qpid.sh")
    if jars is None:
        pytest.skip("Qpid is not installed: tools/install-qpid.sh")
    return jars


@pytest.fixture(scope="session")
def private_qpid(qpid_jars: Path) -> Iterator[PrivateBroker]:
    """Run a Qpid for the whole session, likewise."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    node = PrivateBroker(folder, qpid_jars, kind=qpid.Node)
    node.start()
    yield node
    node.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def private_redis() -> Iterator[PrivateRedis]:
    """Run a Redis for the whole session; without it, or its client, the test is skipped, but in CI it fails."""
    if shutil.which("redis-server") is None or find_spec("redis") is None:
        absent = "Redis or its client is not installed: tools/install-redis.sh, pip install -e .[redis]"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(absent)
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    redis = PrivateRedis(folder)
    redis.start()
    yield redis
    redis.kill()
    shutil.rmtree(folder)


@pytest.fixture
def kombu_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Give a function that gives the URL of a broker for a transport by kombu, for its scheme."""
    urls: dict[str, Callable[[], str]] = {
        "kombu+amqp": lambda: f"kombu+{request.getfixturevalue('private_broker').url}",
        "kombu+redis": lambda: request.getfixturevalue("private_redis").url,
        "kombu+filesystem": lambda: f"kombu+filesystem://{tmp_path}/broker",
        "kombu+memory": lambda: "kombu+memory://",
    }
    return lambda scheme: urls[scheme]()


@pytest.fixture(params=["private_broker", "private_qpid"], ids=["rabbitmq", "qpid"])
def any_broker(request: pytest.FixtureRequest) -> PrivateBroker:
    """Give one of the two brokers that the session runs, and the other."""
    node: PrivateBroker = request.getfixturevalue(request.param)
    return node


@pytest.fixture(scope="session")
def database_server() -> Iterator[Callable[[str], PrivateDatabaseServer]]:
    """Give a function that gives the database server of a kind: one for the session, started at its first use."""
    running: dict[str, PrivateDatabaseServer] = {}

    def one(kind: str) -> PrivateDatabaseServer:
        if kind not in running:
            running[kind] = SERVERS[kind](Path(tempfile.mkdtemp(prefix="mininova-")))
            running[kind].start()
        return running[kind]

    yield one
    for server in running.values():
        server.stop()
        shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
def migrated(
    database_server: Callable[[str], PrivateDatabaseServer], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Give a function that gives the URL of a database of a kind, with the present schema."""

    @cache
    def url(kind: str) -> str:
        sqlite = f"sqlite:///{tmp_path_factory.mktemp('database') / 'template.sqlite'}"
        made = Database(sqlite if kind == SQLITE else database_server(kind).create("mininova"))
        for schema in schemas(conf.for_tests("manage")):
            schema.upgrade(made)
        made.close()
        return made.engine.url.render_as_string(hide_password=False)

    return url


@pytest.fixture(scope="session")
def compiled(migrated: Callable[[str], str]) -> Iterator[Callable[[str], Compiled]]:
    """Give a function that gives what makes the databases of a kind: on SQLite in a file beside the template."""
    made: dict[str, Compiled] = {}

    def one(kind: str) -> Compiled:
        if kind not in made:
            made[kind] = Compiled(migrated(kind).replace("template.sqlite", "mininova.sqlite"))
        return made[kind]

    yield one
    for each in made.values():
        each.close()


@pytest.fixture
def empty_database(
    migrated: Callable[[str], str],
    compiled: Callable[[str], Compiled],
    database_server: Callable[[str], PrivateDatabaseServer],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Database]]:
    """Give a function that gives an empty database of a kind, or of --database, with the present schema."""
    made: list[Database] = []

    def one(kind: str = request.config.getoption("--database")) -> Database:
        made.append(compiled(kind).database(connect_retry=0))
        if kind == SQLITE:
            _copy(migrated(kind).removeprefix("sqlite:///"), Path(str(made[-1].engine.url.database)))
        else:
            with made[-1].write() as tx:
                database_server(kind).empty(tx)
        return made[-1]

    yield one
    for database in made:
        if database.engine.dialect.name == SQLITE:  # its file is made anew; with a server the next test is connected
            database.close()


def _copy(template: str, file: Path) -> None:
    """Begin a file anew, without the journal of a connection that the last test may have left open."""
    for old in file.parent.glob(f"{file.name}*"):
        old.unlink()
    shutil.copy(template, file)


@pytest.fixture(scope="session")
def make_stack(
    rabbitmq_server: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., LocalStack]]:
    """Give a function that makes a stack's home and ports, without starting it; in the end all are stopped.

    Each checks its answers: one that Nova would not give fails the session.
    """
    made: list[LocalStack] = []

    def make(**variables: str) -> LocalStack:
        home = Path(tempfile.mkdtemp(prefix="mininova-"))
        picked = {"API_PORT": str(ports.pick()), "BROKER_PORT": str(ports.pick())}
        fixed = {"COMPUTES": "2", "FLOW_PORT": "0", "CONCURRENCY": request.config.getoption("--concurrency")}
        checks = Checks(tmp_path_factory.mktemp("contract"))
        made.append(LocalStack(home, {**picked, **fixed, **variables}, checks))
        return made[-1]

    yield make
    for stack in made:
        if processes.of(stack.home.root):
            stack.unstack("--clean")
        for folder in (stack.home.run, stack.home.root):
            shutil.rmtree(folder, ignore_errors=True)
    for stack in made:
        stack.checks.fail_if_broken()


@pytest.fixture(scope="session")
def local_stack(request: pytest.FixtureRequest, make_stack: Callable[..., LocalStack]) -> LocalStack:
    """Give the one stack that most tests share, with two computes; ``first_output`` is what its start printed.

    With ``--one-process`` it is what a client sees of one: a mininova-cloud.
    """
    if request.config.getoption("one_process"):
        folder = request.getfixturevalue("mininova_cloud").folder
        return LocalStack(folder, {}, Checks(folder))  # which check nothing there
    stack = make_stack(METRICS_PORT=str(ports.pick(SERVICES)), FLOW_PORT=str(ports.pick()))
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    assert stack.checks.has_begun
    stack.first_output = started.stdout
    return stack


@pytest.fixture(scope="session")
def cloud(local_stack: LocalStack) -> "Connection":
    """Give the SDK's connection as the demo user: it is quicker than the command-line client."""
    from tests.fixtures import sdk  # which takes half a second to import

    return sdk.connect(local_stack, "mininova")


@pytest.fixture(scope="session")
def admin(local_stack: LocalStack) -> "Connection":
    """Give the SDK's connection as the admin."""
    from tests.fixtures import sdk

    return sdk.connect(local_stack)
