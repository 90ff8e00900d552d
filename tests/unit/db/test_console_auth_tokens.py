"""Tokens of consoles: mininova/db/console_auth_tokens.py."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova.db import console_auth_tokens, instances, server_migrations
from mininova.objects import Console, Retry
from mininova.states import UNCOMPARED

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONSOLE = Console(host="10.9.9.9", port=5900, internal_access_path="a-path", access_url_base="http://x/")


@pytest.fixture
def instance(tx, an_instance):
    (made,) = instances.create(tx, [an_instance(host="host-1", node="host-1")])
    console_auth_tokens.authorize(tx, "secret", made, "novnc", CONSOLE, NOW, 600)
    return made


def opened(tx, token="secret", after=0):
    return console_auth_tokens.validate(tx, token, NOW + timedelta(seconds=after))


def test_a_token_opens_its_console_until_it_expires(tx, instance):
    """It opens that console, and no other token does."""
    found = opened(tx, after=599)
    assert (found.instance_uuid, found.host, found.port) == (instance.uuid, "10.9.9.9", 5900)
    assert opened(tx, after=600) is None
    assert opened(tx, "guessed") is None


def test_the_database_does_not_have_the_token(tx, instance):
    """Who reads the table can open no console."""
    rows = tx.exec_driver_sql("SELECT * FROM console_auth_tokens").all()
    assert len(rows) == 1
    assert "secret" not in str(rows)


def test_a_token_dies_with_its_instance(tx, instance):
    """A delete ends it."""
    instances.destroy(tx, instance.uuid)
    assert opened(tx) is None


def test_a_token_dies_when_its_instance_leaves_the_host(tx, instance):
    """An instance elsewhere has another console."""
    instances.update(tx, instance.uuid, {"host": "host-2"}, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
    assert opened(tx) is None


def test_a_token_dies_with_a_migration(tx, instance):
    """Also an instance that comes back to the same host needs a new token."""
    server_migrations.begin(tx, instance, "resize", instance.flavor, Retry(), instance.vm_state)
    assert opened(tx) is None


def test_expired_tokens_are_forgotten_when_one_is_made(tx, instance):
    """The table does not grow."""
    console_auth_tokens.authorize(tx, "later", instance, "novnc", CONSOLE, NOW + timedelta(hours=1), 600)
    assert tx.exec_driver_sql("SELECT count(*) FROM console_auth_tokens").scalar_one() == 1
    assert opened(tx, "later", after=3601) is not None
