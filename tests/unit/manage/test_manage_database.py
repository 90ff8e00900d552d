"""mininova-manage db."""

import pytest
from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import schema
from mininova.manage import database


def test_upgrade_of_an_empty_database(run):
    """An empty database gets all tables, and is then as the code needs it."""
    (line,) = run(database.upgrade)
    assert f"is at schema {schema.head()}; it was empty" in line
    assert run(database.check)


def test_upgrade_again(run, db):
    """An upgrade that has nothing to do says so."""
    (line,) = run(database.upgrade)
    assert line.endswith("nothing to do")


def test_version(run, conf: ConfigOpts):
    """The schema of the database and that of the code stand side by side."""
    assert run(database.version) == ["database  empty", f"code      {schema.head()}"]


def test_check_refuses_an_empty_database(run):
    """A check of an empty database fails, and says what to run."""
    with pytest.raises(errors.DatabaseNotReady, match="mininova-manage db upgrade"):
        run(database.check)
