import pytest

from mininova.standins.keystone import catalog
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import CatalogEndpoint, CatalogService

CLOUD = "http://cloud.example.org:8774"


def entry(db, type_, project_id=None):
    with db.read() as tx:
        return next(one for one in catalog.entries(tx, CLOUD, project_id) if one["type"] == type_)


@pytest.mark.parametrize(
    ("type_", "url"), [("identity", "/identity"), ("compute", "/compute/v2.1"), ("image", "/image")]
)
def test_built_in(db, type_, url):
    """The catalog has each service with three interfaces, without a project in its URL."""
    endpoints = entry(db, type_)["endpoints"]
    assert [endpoint["interface"] for endpoint in endpoints] == ["public", "internal", "admin"]
    assert {endpoint["url"] for endpoint in endpoints} == {CLOUD + url}
    assert {(endpoint["region"], endpoint["region_id"]) for endpoint in endpoints} == {("RegionOne", "RegionOne")}


@pytest.fixture
def objects(db):
    with db.write() as tx:
        service = identity.create(tx, CatalogService(id="v", type="object-store", name="swift"))
        url = "http://objects/v1/%(tenant_id)s"
        identity.create(tx, CatalogEndpoint(id="e", service_id="v", interface="public", url=url))
    return service


def test_project_in_url(db, objects):
    """A URL with a project in it is filled in, and left out for a token without a project."""
    assert entry(db, "object-store", "p1")["endpoints"][0]["url"] == "http://objects/v1/p1"
    assert entry(db, "object-store")["endpoints"] == []


def test_disabled(db, objects):
    """Disabled services and endpoints are not in the catalog."""
    with db.write() as tx:
        identity.update(tx, CatalogService, "v", enabled=False)
    with db.read() as tx:
        assert "object-store" not in {one["type"] for one in catalog.entries(tx, CLOUD, "p1")}


def test_unknown_variable():
    """An unknown variable stays as it is."""
    assert catalog.fill("http://h/$(password)s", {"project_id": "p"}) == "http://h/$(password)s"
