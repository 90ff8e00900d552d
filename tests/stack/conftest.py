"""What the tests of a real stack share, beside the stack itself (tests/conftest.py)."""

import pytest

from tests.fixtures import sdk


def pytest_collection_modifyitems(items):
    """Let the SDK warn of what a later release will drop."""
    sdk.let_it_announce(items, __file__)


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
