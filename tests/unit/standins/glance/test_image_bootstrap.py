from mininova import conf
from mininova.standins.glance.bootstrap import CIRROS, bootstrap
from mininova.standins.glance.db import images
from mininova.standins.glance.store import Store


def test_first_image(db, folder):
    """There is then a public image to boot from, with data that says what it is; doing it again changes nothing."""
    settings = conf.for_tests("api", **{"image.directory": str(folder)})
    image = bootstrap(db, settings, owner="admin")
    assert (image.name, image.status, image.visibility, image.owner) == ("cirros", "active", "public", "admin")
    assert b"".join(Store(folder, 0).read(image.location)) == CIRROS
    assert b"not a guest image" in CIRROS
    assert bootstrap(db, settings) == image
    with db.read() as tx:
        assert images.search(tx) == [image]


def test_anothers_cirros(db, folder):
    """A project's own image of that name does not stand in for the public one."""
    with db.write() as tx:
        images.create(tx, images.Image(id="mine", name="cirros", owner="ours", visibility="private"))
    assert bootstrap(db, conf.for_tests("api", **{"image.directory": str(folder)})).id != "mine"
