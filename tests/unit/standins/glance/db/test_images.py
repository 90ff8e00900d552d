from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import Image, ImageFilter
from mininova.standins.glance.db.models import image_members, image_properties, image_tags

OURS, THEIRS = "ours", "theirs"


@pytest.fixture
def make(tx):
    """Make images with a word for an id."""

    def one(id, **fields):
        return images.create(tx, Image(**{"id": id, "owner": OURS, "name": id, **fields}))

    return one


def found(tx, project_id=None, **wanted):
    return {image.id for image in images.search(tx, ImageFilter(**wanted), project_id)}


def test_comes_back(tx, make):
    """An image is read as it was written, with the time of its creation."""
    made = make("a", properties={"os": "x"}, tags=("t", "u"), size=5, status="active", protected=True)
    assert images.get(tx, "a") == made
    assert abs(made.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_taken_id(make):
    """An id is taken once."""
    make("a")
    with pytest.raises(errors.Conflict):
        make("a")


def test_not_found(tx):
    """A missing image is not found."""
    for asked in (images.get, images.delete, images.update):
        with pytest.raises(errors.ImageNotFound):
            asked(tx, "nowhere")


@pytest.mark.parametrize(
    ("visibility", "seen", "listed"),
    [
        ("public", True, True),
        ("community", True, False),
        ("shared", False, False),
        ("private", False, False),
    ],
)
def test_of_another_project(tx, make, visibility, seen, listed):
    """Another project's image is seen and listed as its visibility says; its owner's list always has it."""
    make("a", visibility=visibility)
    assert found(tx, OURS) == {"a"}
    assert found(tx, THEIRS) == ({"a"} if listed else set())
    assert found(tx, THEIRS, visibility="all") == ({"a"} if seen else set())
    assert images.get(tx, "a", OURS)
    if seen:
        assert images.get(tx, "a", THEIRS)
    else:
        with pytest.raises(errors.ImageNotFound):
            images.get(tx, "a", THEIRS)


def test_shared(tx, make):
    """A member sees a shared image at once, and has it in its list after accepting."""
    make("a", visibility="shared")
    images.add_member(tx, "a", THEIRS)
    assert images.get(tx, "a", THEIRS)
    assert found(tx, THEIRS) == set()
    assert found(tx, THEIRS, member_status="pending") == {"a"}
    images.set_member_status(tx, "a", THEIRS, "accepted")
    assert found(tx, THEIRS) == {"a"}
    images.update(tx, "a", visibility="private")
    assert found(tx, THEIRS) == set()


def test_members(tx, make):
    """Members are listed; a repeated grant or removal is an error."""
    make("a")
    images.add_member(tx, "a", "p2")
    first = images.add_member(tx, "a", "p1")
    assert [member.member for member in images.members(tx, "a")] == ["p1", "p2"]
    assert images.members(tx, "a", "p1") == [first]
    with pytest.raises(errors.Conflict):
        images.add_member(tx, "a", "p1")
    images.remove_member(tx, "a", "p1")
    with pytest.raises(errors.NotFound):
        images.remove_member(tx, "a", "p1")
    with pytest.raises(errors.NotFound):
        images.set_member_status(tx, "a", "p1", "accepted")


def test_filters(tx, make):
    """A list is filtered by columns, by comparisons, by tags and by properties, all at once."""
    make("a", size=10, tags=("x", "y"), properties={"os": "Debian", "arch": "arm"}, disk_format="raw")
    make("b", size=20, tags=("x",), properties={"os": "debian"}, min_ram=5)
    make("c", os_hidden=True, status="active")
    assert found(tx, among={"name": ["a", "c", "z"]}) == {"a", "c"}
    assert found(tx, among={"os_hidden": [False]}) == {"a", "b"}
    assert found(tx, compared=[("size", "gte", 10), ("size", "lt", 20)]) == {"a"}
    assert found(tx, tags=["x"]) == {"a", "b"}
    assert found(tx, tags=["x", "y"]) == {"a"}
    assert found(tx, properties={"os": "debian"}) == {"b"}
    assert found(tx, properties={"os": "Debian", "arch": "x86"}) == set()
    assert found(tx, tags=["x"], among={"min_ram": [5]}, properties={"os": "debian"}) == {"b"}


def test_pages(tx, make):
    """The newest come first; a page begins after its marker, whatever the order."""
    for id, name in (("a", "2"), ("b", "3"), ("c", "1")):
        make(id, name=name)
    ids = lambda **page: [image.id for image in images.search(tx, **page)]  # noqa: E731
    assert ids() == ["c", "b", "a"]
    assert ids(limit=2) == ["c", "b"]
    assert ids(limit=2, marker="b") == ["a"]
    assert ids(sort=[("name", "asc")]) == ["c", "a", "b"]
    assert ids(sort=[("name", "asc")], marker="c") == ["a", "b"]
    assert ids(limit=0) == []
    with pytest.raises(errors.InvalidInput):
        ids(marker="nowhere")


def test_update(tx, make):
    """An update changes what it names, and the moment of the last change."""
    before = make("a")
    after = images.update(tx, "a", name="b", tags=("x",), properties={"os": "y"})
    assert (after.name, after.tags, after.properties) == ("b", ("x",), {"os": "y"})
    assert after.updated_at > before.updated_at
    assert after.created_at == before.created_at
    assert found(tx, tags=["x"], properties={"os": "y"}) == {"a"}
    images.update(tx, "a", tags=(), properties={})
    assert found(tx, tags=["x"]) == found(tx, properties={"os": "y"}) == set()


def test_update_in_a_status(tx, make):
    """An update for one status changes nothing in another, and the error has the status found."""
    make("a", status="active")
    with pytest.raises(errors.Conflict, match="is active: for this it must be queued or saving"):
        images.update(tx, "a", status_in=("queued", "saving"), name="b")
    assert images.get(tx, "a").name == "a"
    assert images.update(tx, "a", status_in=("active",), status="deactivated").status == "deactivated"


def test_delete(tx, make):
    """The answer has the deleted image, and no rows are left."""
    made = make("a", tags=("x",), properties={"os": "y"})
    images.add_member(tx, "a", THEIRS)
    assert images.delete(tx, "a") == made
    for table in (image_tags, image_properties, image_members):
        assert tx.execute(table.select()).all() == []
    assert found(tx) == set()


def test_upload_race(race, db):
    """Of two uploads of an image's data at once exactly one succeeds."""
    with db.write() as tx:
        images.create(tx, Image(id="a", owner=OURS))
    ends = race(
        lambda tx, location: images.update(tx, "a", status_in=("queued",), status="active", location=location), "x", "y"
    )
    assert sorted(type(end).__name__ for end in ends) == ["Conflict", "Image"]
