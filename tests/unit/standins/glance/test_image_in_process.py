"""What Nova gets when it asks for images: of the stand-in in the same process, and over HTTP as of a real Glance.

Glance is played by the stand-in's own API; tests/stack/test_real_services.py has the real one.
"""

from datetime import timedelta

import pytest

from mininova import errors
from mininova.objects import ImageMeta, ImageQuery
from mininova.real.glance import ImageService as OverHTTP
from mininova.standins.glance.in_process import ImageService
from mininova.standins.glance.store import Store
from tests.fixtures.callers import CALLERS

MAX_SIZE = 1000  # bytes of an image, in the API of conftest.py too


@pytest.fixture(params=["in process", "over HTTP"])
def service(request, db, folder):
    if request.param == "over HTTP":
        return OverHTTP(request.getfixturevalue("glance"))
    return ImageService(db, Store(folder, MAX_SIZE))


@pytest.fixture
def ask(service):
    return lambda image_id, by="ann": service.get(CALLERS[by], image_id)


def test_an_image_as_nova_knows_it(ask, make, upload):
    """Nova gets the image's name, status, minimums, size and properties; without data there is no size."""
    image_id = make(name="cirros", min_ram=64, min_disk=1, hw_architecture="x86_64")
    needs = {"id": image_id, "name": "cirros", "min_ram": 64, "min_disk": 1}
    properties = {"hw_architecture": "x86_64"}
    assert ask(image_id) == ImageMeta(**needs, status="queued", properties=properties)
    upload(image_id, b"data")
    assert ask(image_id) == ImageMeta(**needs, status="active", size=4, properties=properties)


def test_anothers_image(ask, make):
    """A private image can be booted by its project and by administrators; for others it does not exist."""
    image_id = make(visibility="private")
    assert ask(image_id, by="admin").id == image_id
    for stranger in ("bob", "stray"):
        with pytest.raises(errors.ImageNotFound, match=image_id):
            ask(image_id, by=stranger)


def test_an_image_that_nova_makes(service):
    """It waits for its data, which is given once; then it can be found, and be deleted."""
    image_id = service.create(CALLERS["ann"], "gold", min_disk=2, properties={"of": "one"})
    assert service.get(CALLERS["ann"], image_id).status == "queued"
    for data in (b"first", b"second time"):
        service.upload(CALLERS["admin"], image_id, data, {"more": "1"})
    image = service.get(CALLERS["ann"], image_id)
    assert (image.status, image.size, image.properties) == ("active", 5, {"of": "one", "more": "1"})
    both, one = ImageQuery(properties={"of": "one", "more": "1"}), ImageQuery(properties={"of": "one"})
    assert [it.meta.id for it in service.search(CALLERS["admin"], both)] == [image_id]
    assert service.search(CALLERS["bob"], one) == []
    service.delete(CALLERS["admin"], image_id)
    with pytest.raises(errors.ImageNotFound):
        service.upload(CALLERS["admin"], image_id, b"third", {})


def test_an_upload_that_fails_can_be_tried_again(service):
    """The image waits for its data as before."""
    image_id = service.create(CALLERS["ann"], "gold")
    with pytest.raises(errors.RequestTooLarge):
        service.upload(CALLERS["admin"], image_id, b"x" * 2000, {})
    assert service.get(CALLERS["ann"], image_id).status == "queued"
    service.upload(CALLERS["admin"], image_id, b"x", {})
    assert service.get(CALLERS["ann"], image_id).status == "active"


def test_who_may_make_and_delete(service):
    """A reader makes none; a protected image, and another's, is not deleted."""
    with pytest.raises(errors.NotAllowed):
        service.create(CALLERS["reader"], "gold")
    image_id = service.create(CALLERS["ann"], "gold", shared_with="b")
    with pytest.raises(errors.ImageNotFound):
        service.delete(CALLERS["bob"], image_id)


def test_what_is_said_of_an_image_is_replaced_by_its_owner(service):
    """Another project does not find it, and nothing of what was said before is left."""
    image_id = service.create(CALLERS["ann"], "gold", properties={"old": "1"})
    service.describe(CALLERS["ann"], image_id, {"new": "2"})
    assert service.get(CALLERS["ann"], image_id).properties == {"new": "2"}
    with pytest.raises(errors.ImageNotFound):
        service.describe(CALLERS["bob"], image_id, {})


def test_images_are_listed_page_by_page(service):
    """The latest comes first; what a query leaves at None asks for nothing."""
    ids = [service.create(CALLERS["ann"], name, min_ram=ram) for name, ram in (("a", 1), ("b", 2), ("b", 3))]

    def found(**wanted):
        return [it.meta.id for it in service.search(CALLERS["ann"], ImageQuery(**wanted))]

    assert set(found(name="b")) == set(ids[1:])
    assert found(name="b", min_ram=3) == found(id=ids[2], status="queued") == [ids[2]]
    first = found(name="b", limit=1)
    assert set(first + found(name="b", marker=first[0])) == set(ids[1:])
    latest = max(it.updated_at for it in service.search(CALLERS["ann"], ImageQuery(name="b")))
    assert found(changed_since=latest + timedelta(seconds=1)) == []
