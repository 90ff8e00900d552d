"""Images that were made of instances, and that nothing needs any more: a snapshot that failed, for one.

An image is noted in the transaction after which nothing needs it, and stays noted until a conductor has deleted it.
The image service may be another one, which knows no transaction of ours; so no image is left behind by a failure.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, delete, select

from mininova.db.models import unneeded_images as table
from mininova.db.rows import NewRow, insert_new

_insert = NewRow(table)
_list = select(table.c.image_id).order_by(table.c.created_at).limit(bindparam("most"))
_delete = delete(table).where(table.c.image_id == bindparam("which"))


def note(tx: Connection, image_id: str) -> None:
    """Note an image, unless the id is "", as of a shelving that made none; one that is noted already stays so."""
    if image_id:
        insert_new(tx, _insert, {"image_id": image_id, "created_at": datetime.now(UTC)})


def search(tx: Connection, most: int) -> list[str]:
    """Name some images, those first that were noted first."""
    return list(tx.execute(_list, {"most": most}).scalars())


def forget(tx: Connection, image_id: str) -> None:
    """Forget an image that is deleted."""
    tx.execute(_delete, {"which": image_id})
