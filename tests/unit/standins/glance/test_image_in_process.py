"""What the Compute API gets when it asks the stand-in for an image, in the same process."""

import pytest

from mininova import errors
from mininova.objects import ImageMeta
from mininova.standins.glance.in_process import ImageService
from mininova.standins.glance.store import Store
from tests.unit.standins.glance.conftest import CALLERS


@pytest.fixture
def ask(db, tmp_path):
    service = ImageService(db, Store(tmp_path, 1024))
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


@pytest.fixture
def service(db, tmp_path):
    return ImageService(db, Store(tmp_path, 1024))


def test_an_image_that_nova_makes(service):
    """It waits for its data, which is given once; then it can be found, and be deleted."""
    image_id = service.create(CALLERS["ann"], "gold", min_disk=2, properties={"of": "one"})
    assert service.get(CALLERS["ann"], image_id).status == "queued"
    for data in (b"first", b"second time"):
        service.upload(CALLERS["admin"], image_id, data, {"more": "1"})
    image = service.get(CALLERS["ann"], image_id)
    assert (image.status, image.size, image.properties) == ("active", 5, {"of": "one", "more": "1"})
    assert service.find(CALLERS["admin"], {"of": "one", "more": "1"}) == [image_id]
    assert service.find(CALLERS["bob"], {"of": "one"}) == []
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
