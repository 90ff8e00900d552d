"""The first image, so that there is something to boot a server from.

``mininova-manage bootstrap`` calls this after the identity service's bootstrap, as often as one likes.
"""

import io
import uuid

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import ACTIVE, PUBLIC, Image, ImageFilter
from mininova.standins.glance.store import HASH, Store

# No guest runs on a fake hypervisor, so none is needed.  The data says so to whoever looks into it.
CIRROS = b"This is not a guest image. It stands in for CirrOS in mininova, whose hypervisor is fake.\n" * 512


def bootstrap(db: Database, conf: ConfigOpts, *, owner: str | None = None) -> Image:
    """Make the public image ``cirros``, unless there is a public image of that name; give it.

    :param owner: the id of the project whose it is to be
    """
    with db.read() as tx:
        found = images.search(tx, ImageFilter(among={"name": ["cirros"]}, visibility=PUBLIC), limit=1)
    if found:
        return found[0]
    stored = Store(conf.image.directory, conf.image.max_size).write(io.BytesIO(CIRROS))
    image = Image(
        id=str(uuid.uuid4()),
        owner=owner,
        name="cirros",
        status=ACTIVE,
        visibility=PUBLIC,
        container_format="bare",
        disk_format="qcow2",
        size=stored.size,
        checksum=stored.checksum,
        os_hash_algo=HASH,
        os_hash_value=stored.os_hash_value,
        location=stored.location,
        properties={"description": "Not a real guest image: a stand-in for CirrOS"},
    )
    with db.write() as tx:
        return images.create(tx, image)
