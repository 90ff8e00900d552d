"""What an attacker has: a cloud in this process, to ask it a thousand things a second, and a real stack with a port."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from stack.brokers import QPID

from tests.fixtures.attack_worlds import LIKE_MINE
from tests.fixtures.cloud import Cloud
from tests.fixtures.local_stack import LocalStack
from tests.fixtures.rest_attacker import IDENTITY, Attacker, Wire

# How many requests are invented for each operation: the same ones in CI, and other ones each time by hand.
settings.register_profile(
    "search", max_examples=12, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long-search", settings.get_profile("search"), max_examples=500, derandomize=False)

HERE = Path(__file__).parent

PROJECTS, USERS, ROLES = (f"{IDENTITY}/{kind}" for kind in ("projects", "users", "roles"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests on the stack, which the check runs in one process: two would start two."""
    for item in items:
        if item.path.is_relative_to(HERE) and _is_on_the_stack(item):
            item.add_marker("shared")


def _is_on_the_stack(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return "stack" in getattr(item, "fixturenames", ()) or params.get("world") == "broker"


@pytest.fixture(scope="module")
def rest_attacker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """Give an attacker in a cloud of one host, where ``stranger`` is a member of a project with nothing in it."""
    cloud = Cloud(tmp_path_factory.mktemp("rest"), hosts=("host-1",))
    attacker = Attacker(cloud)
    project = attacker("POST", PROJECTS, {"project": {"name": "stranger"}}, user="admin").json["project"]["id"]
    said = {"user": {"name": "stranger", "password": "pw"}}
    user = attacker("POST", USERS, said, user="admin").json["user"]["id"]
    (role,) = attacker("GET", ROLES, query="name=member", user="admin").json["roles"]
    attacker("PUT", f"{PROJECTS}/{project}/users/{user}/roles/{role['id']}", user="admin")
    yield attacker
    cloud.db.close()


@pytest.fixture(scope="session")
def stack(make_stack: Callable[..., LocalStack], request: pytest.FixtureRequest) -> LocalStack:
    """Start a stack with three computes; the last one's name begins as the first one's, and a dot follows.

    Its answers are not held to Nova's contract: to what a compute makes up the api says 500, which no contract lists.
    """
    broker = request.config.getoption("--broker")
    made = make_stack(BOOT="0", BROKER=broker)
    for name in made.checks.variables:
        del made.environment[name]
    if broker == QPID:
        made.environment["QPID_JARS"] = str(request.getfixturevalue("qpid_jars"))
    for words in ((), ("add-compute", LIKE_MINE)):
        done = made.sh(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="session")
def rest_wire(stack: LocalStack) -> Wire:
    """Give the port of the real stack's api."""
    token = stack.openstack("token", "issue", "-f", "value", "-c", "id").strip()
    return Wire(int(stack.environment["MININOVA_API_PORT"]), token)
