"""mininova-manage db."""

import json

import pytest
from oslo_config.cfg import ConfigOpts
from sqlalchemy import text

from mininova import errors
from mininova.db.schema import NOVA
from mininova.manage import database, standins

SERVICES = ["nova", "keystone", "glance", "neutron", "cinder"]
HEAD = NOVA.head()
HEADS = {"nova": HEAD, "keystone": "0002", "neutron": "0003"}


@pytest.fixture
def paste(tmp_path, conf: ConfigOpts):
    """Write the Paste file of the cloud."""

    def write(content: str):
        (tmp_path / "paste.ini").write_text(content)
        conf.set_override("paste_config", str(tmp_path / "paste.ini"), group="api")

    return write


def test_upgrade_of_an_empty_database(run):
    """An empty database gets the tables of Nova and of every stand-in."""
    lines = run(database.upgrade)
    assert [line.partition(": ")[2] for line in lines] == [
        f"the tables of {name} are at {HEADS.get(name, '0001')}; they are new" for name in SERVICES
    ]
    (line,) = run(database.check)
    assert "has the tables of nova, keystone, glance, neutron, cinder" in line


def test_upgrade_again(run, db):
    """A second upgrade says that there is nothing to do."""
    assert all(line.endswith("nothing to do") for line in run(database.upgrade))


def test_version(run, db):
    """The command prints each service's version in the database and in the code."""
    with db.write() as tx:
        tx.execute(text("DROP TABLE alembic_version_glance"))
    _, *rows = run(database.version)
    assert [row.split() for row in rows] == [
        ["nova", HEAD, HEAD],
        ["keystone", "0002", "0002"],
        ["glance", "none", "0001"],
        ["neutron", "0003", "0003"],
        ["cinder", "0001", "0001"],
    ]
    nova, _, glance, *_ = json.loads("".join(run(database.version, format="json")))
    assert nova == {"tables_of": "nova", "database": HEAD, "code": HEAD}
    assert glance["database"] is None


def test_check_refuses_an_empty_database(run):
    """The check fails, and says which command helps."""
    with pytest.raises(errors.DatabaseNotReady, match="mininova-manage db upgrade"):
        run(database.check)


def test_check_refuses_a_stand_in_without_tables(run, db):
    """The check fails when only a stand-in's tables are missing, and names the stand-in."""
    with db.write() as tx:
        tx.execute(text("DROP TABLE alembic_version_glance"))
    with pytest.raises(errors.DatabaseNotReady, match="has no tables of glance"):
        run(database.check)


def test_a_cloud_without_stand_ins(run, paste):
    """Its database has Nova's tables only."""
    paste("[app:main]\npaste.app_factory = mininova.api.app:app_factory\n")
    (line,) = run(database.upgrade)
    assert "the tables of nova" in line


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("bootstrap = mininova.errors:Conflict", r"\[standin:x\] in .*paste.ini has no line schema"),
        ("schema = nowhere.at:all\nbootstrap = mininova.errors:Conflict", "schema = nowhere.at:all of .*No module"),
        ("schema = mininova.errors:Nothing\nbootstrap = x", "schema = mininova.errors:Nothing of .*no attribute"),
        ("[", "no Paste file"),
    ],
)
def test_a_stand_in_that_is_named_wrongly(conf: ConfigOpts, paste, section, words):
    """The error names the section, the line and the file."""
    paste(f"[standin:x]\n{section}\n")
    with pytest.raises(errors.ConfigError, match=words):
        standins.installed(conf)


def test_a_paste_file_that_is_not_there(conf: ConfigOpts):
    """The error names the setting and the file."""
    conf.set_override("paste_config", "/nowhere/paste.ini", group="api")
    with pytest.raises(errors.ConfigError, match=r"\[api\] paste_config /nowhere/paste.ini cannot be read: No such"):
        standins.installed(conf)
