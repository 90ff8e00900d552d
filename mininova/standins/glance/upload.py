"""How an image gets its data, from a client over HTTP or from the Compute service in the same process.

The caller has set the image to ``saving``, or to ``uploading`` where the data is staged.  When two uploads of one image
run at once, the first to end wins, and the other gets a conflict.
"""

from contextlib import suppress

from mininova import errors
from mininova.db.session import Connection, Database
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import ACTIVE, QUEUED, SAVING, Image
from mininova.standins.glance.store import HASH, Input, Store, Stored


def keep(
    db: Database, store: Store, image_id: str, data: Input, length: int | None, *,
    from_: str = SAVING, to: str = ACTIVE,
) -> None:  # fmt: skip
    """Take the data of an image to its end; after a failure the image waits for its data again.

    :param from_: the status that the caller has set the image to; ``to`` is the one that it has at the end
    :param length: how many bytes were announced; None when that was not said
    :raises errors.ImageNotFound: when it was deleted meanwhile
    :raises errors.Conflict: when another upload has ended meanwhile
    """
    try:
        stored = store.write(data, length)
    except BaseException:
        with db.write() as tx:
            _fail(tx, image_id, from_)
        raise
    try:
        with db.write() as tx:
            _finish(tx, image_id, stored, from_, to)
    except BaseException:
        store.remove(stored.location)
        raise


def _finish(tx: Connection, image_id: str, stored: Stored, from_: str, to: str) -> Image:
    if images.get(tx, image_id, None, lock=True).location is not None:
        raise errors.Conflict(f"Another upload has given image {image_id} its data meanwhile.")
    return images.update(
        tx,
        image_id,
        status_in=(QUEUED, from_),
        status=to,
        size=stored.size,
        checksum=stored.checksum,
        os_hash_algo=HASH,
        os_hash_value=stored.os_hash_value,
        location=stored.location,
    )


def _fail(tx: Connection, image_id: str, from_: str) -> None:
    """Set the image back to ``queued``, unless it is gone or another upload has ended meanwhile."""
    with suppress(errors.ImageNotFound, errors.Conflict):
        images.update(tx, image_id, status_in=(from_,), status=QUEUED)
