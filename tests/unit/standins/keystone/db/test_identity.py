import pytest

from mininova import errors
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import CatalogEndpoint, CatalogService, Domain, Project, Region, Role, User

DEFAULT = Domain(id="default", name="Default")
THINGS = [
    Domain(id="d", name="d", description="one", enabled=False),
    Project(id="p", name="p", domain_id="default", extra={"tags": ["x"], "depth": 1}),
    User(id="u", name="u", domain_id="default", password_hash="x", default_project_id="p", extra={"email": "u@x"}),
    Role(id="r", name="r"),
    Region(id="RegionOne"),
    CatalogService(id="s", type="compute", name="nova"),
    CatalogEndpoint(id="e", service_id="compute", interface="public", url="http://x"),
]


@pytest.fixture(autouse=True)
def default_domain(tx):
    identity.create(tx, CatalogService(id="compute", type="compute"))
    return identity.create(tx, DEFAULT)


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_rows_come_back(tx, thing):
    """A row is read, listed and found as it was written, and is gone after its delete."""
    kind = type(thing)
    assert identity.create(tx, thing) == thing
    assert identity.get(tx, kind, thing.id) == thing
    assert thing in identity.search(tx, kind)
    assert identity.find(tx, kind, {"id": thing.id}) == thing
    identity.delete(tx, kind, thing.id)
    with pytest.raises(errors.NotFound, match=f"Could not find {identity.noun(kind)}: {thing.id}"):
        identity.get(tx, kind, thing.id)
    with pytest.raises(errors.NotFound):
        identity.delete(tx, kind, thing.id)


def test_taken_name(tx):
    """A name is unique in its domain, and free in another."""
    identity.create(tx, Project(id="1", name="demo", domain_id="default"))
    with pytest.raises(errors.Conflict, match="store project"):
        identity.create(tx, Project(id="2", name="demo", domain_id="default"))
    identity.create(tx, Domain(id="other", name="other"))
    assert identity.create(tx, Project(id="2", name="demo", domain_id="other"))


def test_refers_to_nothing(tx):
    """Its domain must exist."""
    with pytest.raises(errors.Conflict, match="refers to nothing"):
        identity.create(tx, User(id="u", name="u", domain_id="nowhere"))


def test_update(tx):
    """An update changes the named columns and gives the new row."""
    identity.create(tx, User(id="u", name="u", domain_id="default"))
    changed = identity.update(tx, User, "u", enabled=False, extra={"email": "x"})
    assert changed == identity.get(tx, User, "u")
    assert (changed.name, changed.enabled, changed.extra) == ("u", False, {"email": "x"})
    assert identity.update(tx, User, "u") == changed


def test_update_conflict(tx):
    """A name cannot be changed to one that is taken."""
    for name in "ab":
        identity.create(tx, Role(id=name, name=name))
    with pytest.raises(errors.Conflict):
        identity.update(tx, Role, "a", name="b")


def test_update_nothing(tx):
    """A missing row cannot be changed."""
    with pytest.raises(errors.NotFound):
        identity.update(tx, Role, "a", name="b")


def test_delete_what_is_referred_to(tx):
    """A region with endpoints cannot be deleted."""
    identity.create(tx, Region(id="here"))
    where = {"service_id": "compute", "interface": "public", "url": "http://x", "region_id": "here"}
    identity.create(tx, CatalogEndpoint(id="e", **where))
    with pytest.raises(errors.Conflict, match="delete region"):
        identity.delete(tx, Region, "here")


@pytest.mark.parametrize("domain", [{"id": "default"}, {"name": "Default"}, {}])
def test_find_in_a_domain(tx, domain):
    """A user is found by name and by the id or the name of the domain."""
    ann = identity.create(tx, User(id="u", name="ann", domain_id="default"))
    assert identity.find(tx, User, {"name": "ann"}, domain) == ann
    assert identity.find(tx, User, {"name": "ann"}, {"name": "Elsewhere"}) is None


def test_search(tx):
    """A list is sorted by name, filtered by columns and by ids, and comes in pages."""
    for id, name in (("1", "c"), ("2", "a"), ("3", "b")):
        identity.create(tx, Project(id=id, name=name, domain_id="default", enabled=name != "b"))
    ids = lambda *args, **options: [one.id for one in identity.search(tx, Project, *args, **options)]  # noqa: E731
    assert ids() == ["2", "3", "1"]
    assert ids({"enabled": True}) == ["2", "1"]
    assert ids(ids=["1", "3"]) == ["3", "1"]
    assert ids(ids=[]) == []
    assert ids(limit=2) == ["2", "3"]
    assert ids(limit=2, marker="3") == ["1"]
    with pytest.raises(errors.InvalidInput):
        ids(marker="nowhere")
