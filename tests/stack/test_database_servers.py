"""A whole stack on a database server, instead of on a SQLite file."""

import pytest

from tests.fixtures.private_databases import MARIADB, POSTGRESQL


@pytest.mark.parametrize("kind", [POSTGRESQL, MARIADB])
def test_a_server_is_booted_and_deleted(make_stack, database_server, kind):
    """Every service and both stand-ins work on it, and need no file of SQLite's."""
    stack = make_stack(DB_URL=database_server(kind).create("stack"), COMPUTES="1")
    started = stack.sh()
    assert started.returncode == 0, started.stdout + started.stderr
    assert "server first-boot is ACTIVE" in started.stdout
    stack.openstack("server", "delete", "--wait", "first-boot")
    assert stack.openstack_json("server", "list") == []
    assert not list(stack.home.root.rglob("*.sqlite"))
