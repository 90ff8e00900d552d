import pytest

from mininova import conf
from mininova.standins.glance.bootstrap import CIRROS, bootstrap
from mininova.standins.glance.db import images
from mininova.standins.glance.store import Store


@pytest.fixture
def settings(folder):
    return conf.for_tests("api", **{"image.directory": str(folder)})


def test_first_image(db, folder, settings, kept):
    """The bootstrap makes a bootable public image in the project admin."""
    ((thing, image_id, new),) = bootstrap(db, settings, {}, {"project admin": "admin's"})
    assert (thing, new) == ("image cirros", True)
    image = kept(image_id)
    assert (image.name, image.status, image.visibility, image.owner) == ("cirros", "active", "public", "admin's")
    assert b"".join(Store(folder, 0).read(image.location)) == CIRROS
    assert b"not a guest image" in CIRROS


def test_again(db, settings):
    """A second run makes no second image, and says so."""
    ((_, image_id, _),) = bootstrap(db, settings, {}, {})
    assert bootstrap(db, settings, {}, {}) == [("image cirros", image_id, False)]
    with db.read() as tx:
        assert [image.id for image in images.search(tx)] == [image_id]


def test_anothers_cirros(db, settings):
    """A project's own image of that name does not count as the public one."""
    with db.write() as tx:
        images.create(tx, images.Image(id="mine", name="cirros", owner="ours", visibility="private"))
    ((_, image_id, new),) = bootstrap(db, settings, {}, {})
    assert (image_id != "mine", new) == (True, True)
