"""Fixtures and flags for all tests: a RabbitMQ node, a database, a stack, and the flag that rewrites golden files."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from stack import broker, ports, qpid

from mininova import conf
from mininova.db.session import Database
from mininova.manage.database import schemas
from mininova.service import concurrency
from tests.fixtures.local_stack import LocalStack
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.private_databases import KINDS, SERVERS, SQLITE, PrivateDatabaseServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags: for golden files, the database and the kind of threads."""
    parser.addoption("--rewrite", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--database", default=SQLITE, choices=KINDS, help="where the tests run that name no database")
    threads = "what the threads of stacks are made of"
    parser.addoption("--concurrency", default=concurrency.EVENTLET, choices=concurrency.KINDS, help=threads)


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


@pytest.fixture
def empty_database(
    migrated: Callable[[str], str],
    database_server: Callable[[str], PrivateDatabaseServer],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Database]]:
    """Give a function that gives an empty database of a kind, or of --database, with the present schema."""
    made: list[Database] = []

    def one(kind: str = request.config.getoption("--database")) -> Database:
        url = migrated(kind)
        if kind == SQLITE:
            url = f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), tmp_path / 'mininova.sqlite')}"
        made.append(Database(url, connect_retry=0))
        if kind != SQLITE:
            with made[-1].write() as tx:
                database_server(kind).empty(tx)
        return made[-1]

    yield one
    for database in made:
        database.close()


@pytest.fixture(scope="session")
def make_stack(rabbitmq_server: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., LocalStack]]:
    """Give a function that makes a stack's home and ports, without starting it; in the end all are stopped."""
    made: list[LocalStack] = []

    def make(**variables: str) -> LocalStack:
        home = Path(tempfile.mkdtemp(prefix="mininova-"))
        picked = {"API_PORT": str(ports.pick()), "BROKER_PORT": str(ports.pick())}
        fixed = {"COMPUTES": "2", "CONCURRENCY": request.config.getoption("--concurrency")}
        made.append(LocalStack(home, {**picked, **fixed, **variables}))
        return made[-1]

    yield make
    for stack in made:
        stack.unstack("--clean")
        shutil.rmtree(stack.home.root, ignore_errors=True)
