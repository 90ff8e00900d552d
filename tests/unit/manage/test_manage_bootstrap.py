"""mininova-manage bootstrap."""

import pytest

from mininova import errors
from mininova.db import flavors
from mininova.manage import bootstrap
from mininova.standins.glance.db import images
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import Project

PASSWORDS = {
    "admin_password": "correct horse",
    "demo_password": "battery staple",
    "nova_password": None,
    "compute": [],
    "upgrade": False,
}


def test_a_new_cloud(run, db):
    """A new cloud gets projects, users, an image and flavors, and the command lists them."""
    lines = [line.split(maxsplit=1) for line in run(bootstrap.run, **PASSWORDS)]
    assert {made for made, _ in lines} == {"made"}
    assert [thing for _, thing in lines] == [
        *(f"project {name}" for name in ("admin", "demo", "service")),
        "user admin",
        "user demo",
        "image cirros",
        "external network public",
        *(f"security group default of {name}" for name in ("admin", "demo", "service")),
        "volume type __DEFAULT__",
        *(f"flavor m1.{size}" for size in ("tiny", "small", "medium", "large", "xlarge")),
    ]
    with db.read() as tx:
        assert [flavor.flavor_id for flavor in flavors.search(tx)] == ["1", "2", "3", "4", "5"]
        (image,) = images.search(tx)
        assert image.owner == identity.find(tx, Project, {"name": "admin"}).id


def test_an_empty_database(run):
    """The tables can be made in the same run, which says so first."""
    tables, *made = run(bootstrap.run, **{**PASSWORDS, "upgrade": True})
    assert tables.endswith("they are new")
    assert made[-1] == "made       flavor m1.xlarge"


def test_again_does_no_harm(run, db):
    """A second run makes nothing, and needs no password."""
    run(bootstrap.run, **PASSWORDS)
    lines = run(bootstrap.run, **{**PASSWORDS, "admin_password": None, "demo_password": None})
    assert all(line.startswith("was there") for line in lines)


def test_missing_rows_are_made(run, db):
    """A second run makes what an operator deleted, and leaves the rest."""
    run(bootstrap.run, **PASSWORDS)
    with db.write() as tx:
        flavors.delete(tx, "3")
    made = [line for line in run(bootstrap.run, **PASSWORDS) if line.startswith("made")]
    assert [line.split(maxsplit=1)[1] for line in made] == ["flavor m1.medium"]


def test_no_password(run, db):
    """A new user needs a password; the error says how to give it without showing it."""
    with pytest.raises(errors.ConfigError, match="MININOVA_DEMO_PASSWORD"):
        run(bootstrap.run, **{**PASSWORDS, "demo_password": ""})
