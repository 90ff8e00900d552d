"""A whole stack on a database server, instead of on a SQLite file, and by plain kombu, instead of by frames of ours."""

import pytest

from tests.fixtures import sdk
from tests.fixtures.private_databases import MARIADB, POSTGRESQL


@pytest.mark.parametrize(("kind", "scheme"), [(POSTGRESQL, "kombu+amqp"), (MARIADB, "kombu+redis")])
def test_a_server_is_booted_and_deleted(make_stack, database_server, kombu_url, kind, scheme):
    """Every service works on the one and by the other, both stand-ins too, and none needs a file of SQLite's."""
    stack = make_stack(
        DB_URL=database_server(kind).create("stack"), BROKER_URL=kombu_url(scheme), COMPUTES="1", BOOT="0"
    )
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    cloud = sdk.connect(stack, "mininova")
    flavor, image = cloud.compute.find_flavor("m1.tiny"), cloud.image.find_image("cirros")
    server = cloud.compute.create_server(name="one", flavor_id=flavor.id, image_id=image.id, networks="auto")
    assert sdk.at_rest(cloud, server).status == "ACTIVE"
    cloud.compute.delete_server(server)
    cloud.compute.wait_for_delete(server, interval=0.2, wait=60)
    assert list(cloud.compute.servers()) == []
    assert not list(stack.home.root.rglob("*.sqlite"))
