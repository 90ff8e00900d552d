"""One of the computes is taken over: its process is stopped, and its credentials are ours.

Every test here that observes is an attack.  Its docstring is the sentence that docs/security.md has for it, after "A
taken-over compute …".  Who stops it and what the attacker sees is observed (tests/fixtures/observations.py), compared
with observed.json, and written there with ``--rewrite``.  Where an observation cannot say what the attacker sees, a
mark does: ``@pytest.mark.sees("…")``.

requests/ has what can be sent to the conductor, in both worlds; broker/ has what needs a broker.  Around each test the
database is compared with itself; heartbeats and the denials themselves are left out.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.brokers import RABBITMQ

from tests.fixtures import sdk, taken_over
from tests.fixtures.attack_worlds import THEIRS, BrokerWorld, MemoryWorld, World
from tests.fixtures.observations import Observer, Recorded
from tests.fixtures.taken_over import own_object

HERE = Path(__file__).parent

PASSED, RECORDED = pytest.StashKey[bool](), pytest.StashKey[Recorded]()


def pytest_configure(config):
    """Name the mark, and read what was observed before."""
    config.addinivalue_line("markers", "sees(text): what the attacker sees, where no observation can say it")
    config.addinivalue_line("markers", "only_rabbitmq: is tried on RabbitMQ only")
    file = "observed.json" if config.getoption("--broker") == RABBITMQ else "observed-qpid.json"
    config.stash[RECORDED] = Recorded(HERE / file, rewrite=config.getoption("--rewrite"))
    if config.getoption("--rewrite") and hasattr(config, "workerinput"):
        raise pytest.UsageError("--rewrite is for one process: run it without -n")


def pytest_sessionfinish(session):
    """Keep what was observed, if that is wanted."""

    def exists(test):
        path, _, name = test.partition("::")
        return (HERE / path).exists() and f"def {name}(" in (HERE / path).read_text()

    session.config.stash[RECORDED].save(exists)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep whether a test itself passed, for what is compared after it."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


def pytest_collection_modifyitems(config, items):
    """Let the SDK announce what it will drop some day; and try the requests first, for the operator to list them.

    On Qpid only what it can is tried, and nothing in memory.
    """
    sdk.let_it_announce(items, __file__)
    if config.getoption("--broker") != RABBITMQ:
        items[:] = [item for item in items if not (item.get_closest_marker("only_rabbitmq") or _is_in_memory(item))]
    items.sort(key=lambda item: item.path.parent.name == "broker")


def _is_in_memory(item):
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get("world") == "memory" or "memory_world" in item.fixturenames


# ---- the two worlds


@pytest.fixture(scope="session")
def memory_world(tmp_path_factory) -> Iterator[World]:
    """Make a cloud in this process, one of whose computes is taken over."""
    made = MemoryWorld(tmp_path_factory.mktemp("cloud"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def broker_world(stack) -> Iterator[World]:
    """Run a stack, one of whose computes is taken over."""
    made = BrokerWorld(stack)
    yield made
    made.close()


# ---- what is in them; ``world`` is each folder's own


@pytest.fixture
def attacker(world):
    """Give what the attacker can send."""
    return world.attacker


@pytest.fixture
def rows(world):
    """Give the database to look at."""
    return world.rows


@pytest.fixture
def servers(world):
    """Give the server on each host."""
    return world.servers


@pytest.fixture
def mine(world):
    """Give the attacker's own instance as the conductor gives it to its host."""
    return world.mine()


@pytest.fixture
def theirs(world, mine):
    """Give the instance of another host, down to its generation, as if the attacker had guessed all of it."""
    return world.as_guessed(mine, world.servers[THEIRS])


@pytest.fixture
def spec(mine):
    """Give what the api would send along with a build of the attacker's instance."""
    data = mine["versioned_object.data"]
    image = taken_over.own_object("ImageMeta", id=data["image_ref"])
    return own_object("RequestSpec", flavor=data["flavor"], image=image, project_id=data["project_id"])


@pytest.fixture
def service(world):
    """Give the heartbeat that the host would send, word for word."""
    return world.service()


@pytest.fixture
def node(world):
    """Give the room that the host would report, word for word."""
    return world.node()


@pytest.fixture(autouse=True)
def unchanged(world):
    """Compare the database before and after each attack."""
    before = world.rows.all()
    yield
    assert world.rows.all() == before


@pytest.fixture
def observe(request, world):
    """Watch an attack, and compare in the end what was observed with what is recorded of it."""
    observer = Observer(world)
    yield observer
    if request.node.stash.get(PASSED, False):
        test = f"{request.path.relative_to(HERE)}::{request.node.originalname}"
        request.config.stash[RECORDED].compare(test, _case(request.node), observer.seen)


def _case(item) -> str:
    """Name the case of a test: the same in both worlds."""
    ids = item.callspec.id if hasattr(item, "callspec") else ""
    return ids.removeprefix("memory").removeprefix("broker").removesuffix("memory").removesuffix("broker").strip("-")
