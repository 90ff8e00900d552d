"""Flavors are stored by id, listed by size and access, and granted to projects."""

import pytest

from mininova import errors
from mininova.db import flavors


@pytest.fixture
def sizes(tx, flavor):
    """Three public flavors, each larger than the one before, and a private one."""
    rows = [
        flavor,
        flavor.replace(flavor_id="2", name="m1.small", memory_mb=2048, root_gb=20),
        flavor.replace(flavor_id="3", name="m1.medium", memory_mb=4096, root_gb=40, disabled=True),
        flavor.replace(flavor_id="9", name="private", is_public=False),
    ]
    return [flavors.create(tx, row) for row in rows]


def ids(found):
    return [flavor.flavor_id for flavor in found]


def test_every_field_comes_back_as_it_went_in(tx, flavor):
    """A row holds all of a flavor."""
    full = flavor.replace(
        ephemeral_gb=1,
        swap_mb=2,
        rxtx_factor=0.5,
        is_public=False,
        disabled=True,
        description="d",
        extra_specs={"a": "b"},
    )
    assert flavors.create(tx, full) == full
    assert flavors.get(tx, "1") == full


def test_an_id_is_taken_once(tx, sizes, flavor):
    """The error names the id."""
    with pytest.raises(errors.FlavorExists, match="with ID 1 already"):
        flavors.create(tx, flavor.replace(name="other"))


def test_a_name_is_taken_once(tx, sizes, flavor):
    """The error names the name."""
    with pytest.raises(errors.FlavorExists, match=r"with name m1\.tiny already"):
        flavors.create(tx, flavor.replace(flavor_id="other"))


def test_an_unknown_flavor_is_not_found(tx):
    """Each function that needs a flavor names the missing one in its error."""
    for ask in (flavors.get, flavors.delete, lambda tx, flavor_id: flavors.update(tx, flavor_id, description="new")):
        with pytest.raises(errors.FlavorNotFound, match="none"):
            ask(tx, "none")


def test_a_project_finds_what_it_may_use(tx, sizes):
    """A private flavor is found by projects with access, and by a query for no project."""
    flavors.grant(tx, "9", "demo")
    assert flavors.get(tx, "9").name == flavors.get(tx, "9", project_id="demo").name == "private"
    assert flavors.get(tx, "1", project_id="other")
    with pytest.raises(errors.FlavorNotFound):
        flavors.get(tx, "9", project_id="other")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["1", "2", "3"]),
        ({"is_public": None}, ["1", "2", "3", "9"]),
        ({"is_public": False}, ["9"]),
        ({"project_id": "demo"}, ["1", "2", "3", "9"]),
        ({"project_id": "other"}, ["1", "2", "3"]),
        ({"disabled": False}, ["1", "2"]),
        ({"min_ram": 2048}, ["2", "3"]),
        ({"min_disk": 21}, ["3"]),
        ({"limit": 1}, ["1"]),
        ({"limit": 1, "marker": "1"}, ["2"]),
        ({"sort": (("memory_mb", "desc"),)}, ["3", "2", "1"]),
        ({"sort": (("memory_mb", "desc"),), "marker": "3"}, ["2", "1"]),
        ({"sort": (("disabled", "asc"),), "marker": "2"}, ["3"]),
    ],
)
def test_lists(tx, sizes, wanted, found):
    """Flavors are listed by what they offer and to whom, sorted and in pages."""
    flavors.grant(tx, "9", "demo")
    assert ids(flavors.search(tx, **wanted)) == found


def test_a_marker_that_may_not_be_seen_is_unknown(tx, sizes):
    """A page after a private flavor would reveal that it exists."""
    flavors.create(tx, flavors.get(tx, "1").replace(flavor_id="hidden", name="hidden", is_public=False))
    with pytest.raises(errors.InvalidInput, match=r"marker \[hidden\] not found"):
        flavors.search(tx, project_id="stranger", marker="hidden")
    flavors.grant(tx, "hidden", "friend")
    assert flavors.search(tx, project_id="friend", marker="hidden") == []


def test_an_unknown_marker_is_named(tx, sizes):
    """A list cannot go on after a flavor that does not exist."""
    with pytest.raises(errors.InvalidInput, match=r"marker \[none\] not found"):
        flavors.search(tx, marker="none")


def test_a_change_gives_the_new_flavor(tx, sizes):
    """Only the named columns change."""
    changed = flavors.update(tx, "1", description="new", extra_specs={"a": "b"})
    assert changed == sizes[0].replace(description="new", extra_specs={"a": "b"}) == flavors.get(tx, "1")


def test_a_deleted_flavor_leaves_no_grants(tx, sizes, flavor):
    """The access list is deleted with the flavor, so a new one of the same id has none."""
    flavors.grant(tx, "9", "demo")
    flavors.delete(tx, "9")
    flavors.create(tx, sizes[-1])
    assert flavors.projects(tx, "9") == []


def test_grants_are_given_and_taken_once(tx, sizes):
    """A repeated grant or removal changes nothing, and the answer says so."""
    assert [flavors.grant(tx, "9", "demo"), flavors.grant(tx, "9", "demo")] == [True, False]
    flavors.grant(tx, "9", "alt")
    assert flavors.projects(tx, "9") == ["alt", "demo"]
    assert [flavors.revoke(tx, "9", "demo"), flavors.revoke(tx, "9", "demo")] == [True, False]
    assert flavors.projects(tx, "9") == ["alt"]
