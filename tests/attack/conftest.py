"""What an attacker has: a cloud in this process, to ask it a thousand things a second, and a real stack with a port."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from stack import ports

from tests.fixtures.cloud import Cloud
from tests.fixtures.local_stack import LocalStack
from tests.fixtures.rest_attacker import IDENTITY, Attacker, Wire

# How many requests are invented for each operation: the same ones in CI, and other ones each time by hand.
settings.register_profile(
    "search", max_examples=12, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.register_profile("long-search", settings.get_profile("search"), max_examples=500, derandomize=False)

PROJECTS, USERS, ROLES = (f"{IDENTITY}/{kind}" for kind in ("projects", "users", "roles"))


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
def rest_stack(rabbitmq_server: Path) -> Iterator[LocalStack]:
    """Run a real stack with one compute."""
    home = Path(tempfile.mkdtemp(prefix="mininova-"))
    stack = LocalStack(
        home, {"API_PORT": str(ports.pick()), "BROKER_PORT": str(ports.pick()), "COMPUTES": "1", "BOOT": "0"}
    )
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    yield stack
    stack.unstack("--clean")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def rest_wire(rest_stack: LocalStack) -> Wire:
    """Give the port of the real stack's api."""
    token = rest_stack.openstack("token", "issue", "-f", "value", "-c", "id").strip()
    return Wire(int(rest_stack.environment["MININOVA_API_PORT"]), token)
