"""A real stack, started by the tool that people start it with."""

import pytest
from stack import ports

from tests.fixtures import sdk

SERVICES = 8  # at most, with the computes that tests add: each shows its metrics on a port of its own


def pytest_collection_modifyitems(items):
    """Let the SDK announce what it will drop some day."""
    sdk.let_it_announce(items, __file__)


@pytest.fixture(scope="session")
def local_stack(make_stack):
    """Give the one stack that most tests share: two computes, started once; ``first_output`` is what that printed."""
    stack = make_stack(METRICS_PORT=str(ports.pick(SERVICES)))
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    stack.first_output = started.stdout
    return stack


@pytest.fixture(scope="session")
def cloud(local_stack):
    """Give the SDK's connection as the demo user: quicker than the client, where the client is not the point."""
    return sdk.connect(local_stack, "mininova")


@pytest.fixture(scope="session")
def admin(local_stack):
    """Give the SDK's connection as the admin."""
    return sdk.connect(local_stack)


@pytest.fixture
def boot(cloud):
    """Give a function that boots a server, or several, and waits until each came to rest; in the end they go."""
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
