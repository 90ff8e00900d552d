"""Rows become objects, and an UPDATE gives the object that a row became, on every kind of database."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event, false, insert, literal, select, text

from mininova.db import instances, services
from mininova.db.models import flavor_projects, flavors, instance_action_events, instance_tags
from mininova.db.rows import NewRow, insert_new
from mininova.objects import Service
from mininova.states import UNCOMPARED
from tests.fixtures.statements import counted

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(params=[True, False], ids=["as it is", "without returning"])
def tx(tx, request, monkeypatch):
    """A transaction, as it is and without RETURNING, which MySQL's UPDATE lacks."""
    if not request.param:
        monkeypatch.setattr(tx.dialect, "update_returning", False)
    return tx


def test_an_update_gives_the_new_row(tx, an_instance):
    """An instance that was changed comes back as it is now."""
    (instance,) = instances.create(tx, [an_instance()])
    new = instances.update(tx, instance.uuid, {"progress": 50}, generation=0, expected_task_state=UNCOMPARED)
    assert (new.progress, new.generation) == (50, 1)
    assert new == instances.get(tx, instance.uuid)


def test_a_row_may_be_found_again_by_something_else(tx):
    """A service is found by its host and its name when its uuid is not known."""
    service = Service(binary="nova-compute", host="host-1", topic="compute")
    services.report(tx, service, NOW)
    assert services.report(tx, service, NOW) == services.get(tx, 1)


def test_an_update_is_one_statement_where_it_can_be(tx, an_instance):
    """Only on a database without RETURNING is the row read again."""
    (instance,) = instances.create(tx, [an_instance()])
    statements = []
    event.listen(tx, "before_cursor_execute", lambda *call: statements.append(call[2]))
    instances.edit(tx, instance.uuid, display_name="new")
    assert len(statements) == (1 if tx.dialect.update_returning else 2)


def test_a_taken_key_does_not_end_the_transaction(tx, flavor):
    """insert_new says whether the row is new, and earlier writes of the transaction stay."""
    values = {
        "flavor_id": "1",
        "name": "m1",
        "memory_mb": 1,
        "vcpus": 1,
        "root_gb": 1,
        "extra_specs": {},
        "created_at": NOW,
    }
    for column in ("ephemeral_gb", "swap_mb", "rxtx_factor", "is_public", "disabled"):
        values[column] = 0
    assert insert_new(tx, insert(flavors), values) is True
    assert insert_new(tx, insert(flavors), values) is False
    assert tx.execute(text("SELECT count(*) FROM flavors")).scalar() == 1


def test_a_new_row_needs_no_savepoint(db):
    """A key that is taken costs one statement, also on PostgreSQL."""
    row = {"instance_uuid": "a", "tag": "red"}
    with db.write() as tx, counted(db) as statements:
        assert insert_new(tx, NewRow(instance_tags), row) is True
        assert insert_new(tx, NewRow(instance_tags), row) is False
        assert tx.execute(text("SELECT count(*) FROM instance_tags")).scalar() == 1
    assert len(statements) == 3


def test_a_query_without_rows_inserts_none(tx):
    """insert_new also says that no row is new when its query gave none."""
    row = select(literal("demo").label("flavor_id"), literal("one").label("project_id"))
    statement = insert(flavor_projects).from_select(["flavor_id", "project_id"], row.where(false()))
    assert insert_new(tx, statement, {}) is False


def test_a_row_that_refers_to_nothing_is_not_new(tx):
    """SQLite checks foreign keys, too."""
    row = {"action_id": 99, "event": "e", "start_time": NOW}
    assert insert_new(tx, insert(instance_action_events), row) is False
