"""The first image, so that there is something to boot a server from.

``mininova-manage bootstrap`` calls this, and may do so again: a public ``cirros`` that is there is left as it is.
"""

import io
import uuid
from collections.abc import Mapping

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import ACTIVE, PUBLIC, Image, ImageFilter
from mininova.standins.glance.store import HASH, Store

# No guest runs on a fake hypervisor, so the data is no guest.  It says so to a reader who downloads it.
CIRROS = b"This is not a guest image. It stands in for CirrOS in mininova, whose hypervisor is fake.\n" * 512


def bootstrap(
    db: Database, conf: ConfigOpts, passwords: Mapping[str, str | None], there: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """Make the public image ``cirros``, unless there is a public image of that name.

    :param passwords: those of the first users, of which nothing is needed here
    :param there: what stand-ins before this one made → its id; the image belongs to ``project admin``, if it is there
    :return: what the image is, its id, and whether it was made now
    """
    with db.read() as tx:
        found = images.search(tx, ImageFilter(among={"name": ["cirros"]}, visibility=PUBLIC), limit=1)
    image = found[0] if found else _make_cirros(db, conf, there.get("project admin"))
    return [("image cirros", image.id, not found)]


def _make_cirros(db: Database, conf: ConfigOpts, owner: str | None) -> Image:
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
