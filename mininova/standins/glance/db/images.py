"""Images: what they are, who may see them, which projects they are shared with.  store.py keeps their data in files.

The handlers call this, and in_process.py, for the api.  A project sees its own images, those that are public or for the
community, and those that were shared with it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Connection, and_, bindparam, exists, insert, or_, select, true
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.pages import Sort, page
from mininova.db.rows import Rows, insert_new
from mininova.standins.glance.db.models import image_members, image_properties, image_tags
from mininova.standins.glance.db.models import images as table

PUBLIC, PRIVATE, SHARED, COMMUNITY = "public", "private", "shared", "community"
VISIBILITIES = (PUBLIC, PRIVATE, SHARED, COMMUNITY)

QUEUED, SAVING, ACTIVE, DEACTIVATED = "queued", "saving", "active", "deactivated"
UPLOADING = "uploading"


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """An image, without its data.

    :param status: queued has no data yet, saving is getting it, active has it, deactivated gives it to admins only;
        uploading has staged data, or is getting it, and waits for its import
    :param size: bytes of its data
    :param min_disk: GiB of disk that it needs
    :param min_ram: MiB of memory that it needs
    :param checksum: MD5 of the data
    :param location: the name of the file with the data
    """

    id: str
    owner: str | None = None
    name: str | None = None
    status: str = QUEUED
    visibility: str = SHARED
    container_format: str | None = None
    disk_format: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    size: int | None = None
    virtual_size: int | None = None
    checksum: str | None = None
    os_hash_algo: str | None = None
    os_hash_value: str | None = None
    location: str | None = None
    protected: bool = False
    os_hidden: bool = False
    properties: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    created_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    updated_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


class ImageMember(msgspec.Struct, frozen=True, kw_only=True):
    """A project that an image is shared with.

    :param status: pending, accepted (the image is in its list) or rejected
    """

    image_id: str
    member: str
    status: str
    created_at: datetime
    updated_at: datetime


class ImageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which images a list has; a field that is left out is not compared.

    :param among: column → the values that it may have
    :param compared: column, comparison (eq, neq, lt, lte, gt, gte), value
    :param visibility: one of VISIBILITIES, or ``all``; without it, what is for the community is left out
    :param tags: each of them must be there
    :param properties: each of them must be there with this value
    :param member_status: of images shared with the project: pending, accepted, rejected, or ``all``
    """

    among: Mapping[str, Sequence[Any]] = {}
    compared: Sequence[tuple[str, str, Any]] = ()
    visibility: str | None = None
    tags: Sequence[str] = ()
    properties: Mapping[str, str] = {}
    member_status: str = "accepted"


ROWS = Rows(Image, table, key="id")
MEMBERS = Rows(ImageMember, image_members, key="image_id")
EVERY_IMAGE = ImageFilter()
DEFAULT_SORT: Sort = (("created_at", "desc"),)


# ---- images


def create(tx: Connection, image: Image) -> Image:
    """Keep a new image.

    :raises errors.Conflict: when its id is taken
    """
    now = datetime.now(UTC)
    image = msgspec.structs.replace(image, created_at=now, updated_at=now)
    if not insert_new(tx, insert(table), ROWS.values(image)):
        raise errors.Conflict(f"Image ID {image.id} already exists!")
    _index(tx, image)
    return image


def get(tx: Connection, image_id: str, project_id: str | None = None, *, lock: bool = False) -> Image:
    """Read an image.

    :param project_id: who asks; None sees every image
    :param lock: keep others from changing it until the transaction ends
    :raises errors.ImageNotFound: when there is none that the project may see
    """
    query = ROWS.one if project_id is None else _ONE_VISIBLE
    values = {"which": image_id, "project": project_id}
    image = ROWS.first(tx.execute(query.with_for_update() if lock else query, values))
    if image is None:
        raise errors.ImageNotFound(image_id=image_id)
    return image


def search(
    tx: Connection,
    wanted: ImageFilter = EVERY_IMAGE,
    project_id: str | None = None,
    *,
    limit: int | None = None,
    marker: str | None = None,
    sort: Sort = DEFAULT_SORT,
) -> list[Image]:
    """List images.

    :param project_id: who asks; None sees every image
    :param marker: the id of the last image of the page before
    :raises errors.InvalidInput: when the marker is not there, or there is no such column to sort by
    """
    query = ROWS.select.where(*_conditions(wanted))
    if project_id is not None:
        query = query.where(_visible_to(project_id, wanted.member_status), _listed(project_id, wanted.visibility))
    elif wanted.visibility not in (None, "all"):
        query = query.where(table.c.visibility == wanted.visibility)
    # A caller who may not see the marker must not learn from the answer that it exists.
    among = None if project_id is None else _visible_to(project_id, "all")
    return ROWS.all(tx.execute(page(tx, query, table.c.id, sort=sort, marker=marker, among=among, limit=limit)))


def update(tx: Connection, image_id: str, *, status_in: Collection[str] | None = None, **columns: Any) -> Image:
    """Change some columns of an image.

    :param status_in: the statuses in which it may be changed so
    :raises errors.ImageNotFound: when it is gone
    :raises errors.Conflict: when it has another status; nothing was changed
    """
    statement = update_of(table).where(table.c.id == image_id).values(updated_at=datetime.now(UTC), **columns)
    if status_in is not None:
        statement = statement.where(table.c.status.in_(status_in))
    changed = tx.execute(statement).rowcount == 1
    image = get(tx, image_id)
    if not changed:
        needed = " or ".join(status_in or ())
        raise errors.Conflict(f"Image {image_id} is {image.status}: for this it must be {needed}.")
    if not {"properties", "tags"}.isdisjoint(columns):
        _index(tx, image)
    return image


def delete(tx: Connection, image_id: str) -> Image:
    """Delete an image's row, and give the image, so that its data can be removed.

    :raises errors.ImageNotFound: when it is gone already
    """
    image = get(tx, image_id, lock=True)
    tx.execute(delete_from(table).where(table.c.id == image_id))
    return image


def _index(tx: Connection, image: Image) -> None:
    """Keep the rows by which properties and tags are found as the image has them."""
    for rows, values in (
        (image_properties, [{"name": name, "value": value} for name, value in image.properties.items()]),
        (image_tags, [{"value": tag} for tag in image.tags]),
    ):
        tx.execute(delete_from(rows).where(rows.c.image_id == image.id))
        if values:
            tx.execute(insert(rows), [{"image_id": image.id, **value} for value in values])


# ---- who may see what


def _visible_to(project_id: str | BindParameter[str], member_status: str) -> ColumnElement[bool]:
    """Say that a project may see an image."""
    lent = select(image_members.c.image_id).where(image_members.c.member == project_id)
    if member_status != "all":
        lent = lent.where(image_members.c.status == member_status)
    return or_(
        table.c.owner == project_id,
        table.c.visibility.in_((PUBLIC, COMMUNITY)),
        and_(table.c.visibility == SHARED, table.c.id.in_(lent)),
    )


_ONE_VISIBLE = ROWS.one.where(_visible_to(bindparam("project"), "all"))


def _listed(project_id: str, visibility: str | None) -> ColumnElement[bool]:
    """Say that an image that the project may see belongs into its list."""
    if visibility == "all":
        return true()
    if visibility is not None:
        return table.c.visibility == visibility
    return or_(table.c.visibility != COMMUNITY, table.c.owner == project_id)


def _conditions(wanted: ImageFilter) -> list[ColumnElement[bool]]:
    compare = {"eq": "__eq__", "neq": "__ne__", "lt": "__lt__", "lte": "__le__", "gt": "__gt__", "gte": "__ge__"}
    return [
        *(table.c[name].in_(values) for name, values in wanted.among.items()),
        *(getattr(table.c[name], compare[how])(value) for name, how, value in wanted.compared),
        *(_has(image_tags, value=tag) for tag in wanted.tags),
        *(_has(image_properties, name=name, value=value) for name, value in wanted.properties.items()),
    ]


def _has(rows: Any, **equal: str) -> ColumnElement[bool]:
    return exists().where(rows.c.image_id == table.c.id, *(rows.c[name] == value for name, value in equal.items()))


# ---- members


def add_member(tx: Connection, image_id: str, member: str) -> ImageMember:
    """Share an image with a project.

    :raises errors.Conflict: when it is shared with it already
    """
    now = datetime.now(UTC)
    lent = ImageMember(image_id=image_id, member=member, status="pending", created_at=now, updated_at=now)
    if not insert_new(tx, insert(image_members), MEMBERS.values(lent)):
        raise errors.Conflict(f"Image {image_id} is shared with {member} already.")
    return lent


def members(tx: Connection, image_id: str, member: str | None = None) -> list[ImageMember]:
    """List the projects that an image is shared with, or the one of them that is named."""
    query = MEMBERS.one.order_by(image_members.c.member)
    if member is not None:
        query = query.where(image_members.c.member == member)
    return MEMBERS.all(tx.execute(query, {"which": image_id}))


def set_member_status(tx: Connection, image_id: str, member: str, status: str) -> ImageMember:
    """Record whether a project accepts an image that is shared with it.

    :raises errors.NotFound: when it is not shared with it
    """
    tx.execute(
        update_of(image_members)
        .where(image_members.c.image_id == image_id, image_members.c.member == member)
        .values(status=status, updated_at=datetime.now(UTC))
    )
    found = members(tx, image_id, member)
    if not found:
        raise _no_member(image_id, member)
    return found[0]


def remove_member(tx: Connection, image_id: str, member: str) -> None:
    """Stop sharing an image with a project.

    :raises errors.NotFound: when it was not shared with it
    """
    those = and_(image_members.c.image_id == image_id, image_members.c.member == member)
    if tx.execute(delete_from(image_members).where(those)).rowcount == 0:
        raise _no_member(image_id, member)


def _no_member(image_id: str, member: str) -> errors.NotFound:
    return errors.NotFound(f"{member} not found in the member list of the image {image_id}.")
