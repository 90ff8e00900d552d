"""What the Compute API gets when it asks the stand-in for an image, in the same process."""

import pytest

from mininova import errors
from mininova.objects import ImageMeta
from mininova.standins.glance.in_process import ImageService
from tests.unit.standins.glance.conftest import CALLERS


@pytest.fixture
def ask(db):
    service = ImageService(db)
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
