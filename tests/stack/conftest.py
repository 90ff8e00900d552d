"""A real stack, started by tools/stack.sh as a user starts it."""

import pytest
from stack import ports

from tests.fixtures import sdk

SERVICES = 8  # at most, with the computes that tests add: each shows its metrics on a port of its own


def pytest_collection_modifyitems(items):
    """Let the SDK warn of what a later release will drop."""
    sdk.let_it_announce(items, __file__)


@pytest.fixture(scope="session")
def local_stack(make_stack):
    """Give the one stack that most tests share, with two computes; ``first_output`` is what its start printed."""
    stack = make_stack(METRICS_PORT=str(ports.pick(SERVICES)))
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    stack.first_output = started.stdout
    return stack


@pytest.fixture(scope="session")
def cloud(local_stack):
    """Give the SDK's connection as the demo user: it is quicker than the command-line client."""
    return sdk.connect(local_stack, "mininova")


@pytest.fixture(scope="session")
def admin(local_stack):
    """Give the SDK's connection as the admin."""
    return sdk.connect(local_stack)


@pytest.fixture
def boot(cloud):
    """Give a function that boots servers and waits until each is at rest; in the end they are deleted."""
    made = []

    def boot(name, **wanted):
        flavor, image = cloud.compute.find_flavor("m1.tiny"), cloud.image.find_image("cirros")
        body = {"flavor_id": flavor.id, "image_id": image.id, "networks": "auto", **wanted}
        cloud.compute.create_server(name=name, **body)
        servers = list(cloud.compute.servers(name=f"^{name}(-[0-9]+)?$"))
        made.extend(servers)
        return [sdk.at_rest(cloud, server) for server in servers]

    yield boot
    for server in made:
        cloud.compute.delete_server(server, ignore_missing=True)
    for server in made:
        cloud.compute.wait_for_delete(server, interval=0.2, wait=60)
