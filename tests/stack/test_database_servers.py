"""A whole stack on a database server, instead of on a SQLite file, and by plain kombu, instead of by frames of ours."""

import pytest

from tests.fixtures.private_databases import MARIADB, POSTGRESQL


@pytest.mark.parametrize(("kind", "scheme"), [(POSTGRESQL, "kombu+amqp"), (MARIADB, "kombu+redis")])
def test_a_server_is_booted_and_deleted(make_stack, database_server, kombu_url, kind, scheme):
    """Every service works on the one and by the other, both stand-ins too, and none needs a file of SQLite's."""
    stack = make_stack(DB_URL=database_server(kind).create("stack"), BROKER_URL=kombu_url(scheme), COMPUTES="2")
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    assert "server first-boot is ACTIVE" in started.stdout
    stack.openstack("server", "delete", "--wait", "first-boot")
    assert stack.openstack_json("server", "list") == []
    assert not list(stack.home.root.rglob("*.sqlite"))
