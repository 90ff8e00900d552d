"""Builds: for each instance, what was asked for, and the hosts that are still to be tried.

The api writes a build in the transaction that makes the instance, the conductor in those that give it a host or take it
away.  So a build goes on although its message is lost, and a host has no say in what is built elsewhere and where.  The
row goes when the instance does.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from mininova import errors, states
from mininova.db.models import allocations
from mininova.db.models import request_specs as table
from mininova.db.rows import Rows
from mininova.objects import ImageMeta, Instance, RequestSpec, Retry, Selection


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a build, apart from the instance and the operation.

    :param spec: its ``retry`` names the hosts that failed
    :param alternates: the hosts that are still to be tried, the next one first
    """

    instance_uuid: str
    spec: RequestSpec
    alternates: tuple[Selection, ...] = ()

    @property
    def next_host(self) -> Selection:
        """The host to try now."""
        return self.alternates[0]

    def sent(self) -> "Build":
        """Give the build as it is when the next host has it, or is passed over."""
        return msgspec.structs.replace(self, alternates=self.alternates[1:])

    def failed_on(self, host: str, reason: str) -> "Build":
        """Give the build as it is when a host could not do it."""
        before = self.spec.retry
        retry = Retry(attempts=before.attempts + 1, hosts=(*before.hosts, host), reason=reason)
        return msgspec.structs.replace(self, spec=self.spec.replace(retry=retry))


ROWS = Rows(Build, table, key="instance_uuid")

_insert = insert(table)
_update = update(table).where(ROWS.which)
_room = (allocations.c.instance_uuid == bindparam("which"), allocations.c.host == bindparam("on_host"))
_send = _update.where(exists().where(*_room)).execution_options(preserve_rowcount=True)
_specs = select(table.c.instance_uuid, table.c.spec).where(
    table.c.instance_uuid.in_(bindparam("uuids", expanding=True))
)
_delete = delete(table).where(ROWS.which)


def create(tx: Connection, uuids: Sequence[str], spec: RequestSpec) -> None:
    """Write down what was asked for when these instances were, before any host was chosen.

    From here on they are members of the server group that was asked for, if one was.
    """
    others = {"updated_at": datetime.now(UTC), "server_group_uuid": spec.group}
    builds = [Build(instance_uuid=uuid, spec=spec) for uuid in uuids]
    tx.execute(_insert, [ROWS.values(build) | others for build in builds])


def record(tx: Connection, build: Build) -> None:
    """Write down how an instance is being built now, in place of what was written before."""
    tx.execute(_update, {**ROWS.values(build), "updated_at": datetime.now(UTC), "which": build.instance_uuid})


def send(tx: Connection, build: Build) -> bool:
    """Write down that the next host has a build; False if the instance has no room there any more."""
    sent = {"alternates": build.sent().alternates, "updated_at": datetime.now(UTC)}
    return tx.execute(_send, {**sent, "which": build.instance_uuid, "on_host": build.next_host.host}).rowcount > 0


def pin(tx: Connection, uuid: str, zone: str | None) -> None:
    """Write down in which zone an instance is to be when it moves; None means in any.

    :raises errors.InstanceNotFound: when it is deleted
    """
    build = get(tx, uuid)
    record(tx, msgspec.structs.replace(build, spec=build.spec.replace(availability_zone=zone)))


def rebuild_from(tx: Connection, uuid: str, image: ImageMeta) -> None:
    """Write down that a host makes the guest of an instance of this image now: the disk that it had is lost.

    :raises errors.InstanceNotFound: when it is deleted
    """
    build = get(tx, uuid)
    if build.spec.image.id != image.id:
        record(tx, msgspec.structs.replace(build, spec=build.spec.replace(image=image)))


def made_of(tx: Connection, instance: Instance) -> dict[str, object]:
    """Give the change after which an instance whose rebuild goes no further names the image its guest is made of.

    The api writes the image of a rebuild to the instance when it accepts it, as Nova does; until its host begins with
    the guest, the guest is made of the image before.  An instance that is not being rebuilt needs no change.

    :raises errors.InstanceNotFound: when it is deleted
    """
    if not instance.image_ref or instance.task_state not in states.REBUILDS:
        return {}
    return {"image_ref": get(tx, instance.uuid).spec.image.id}


def get(tx: Connection, uuid: str) -> Build:
    """Read what is known of an instance's build.

    :raises errors.InstanceNotFound: when it is deleted
    """
    build = ROWS.first(tx.execute(ROWS.one, {"which": uuid}))
    if build is None:
        raise errors.InstanceNotFound(instance_uuid=uuid)
    return build


def specs_of(tx: Connection, uuids: Sequence[str]) -> dict[str, RequestSpec]:
    """Read what was asked for when these instances were; those that are deleted have nothing."""
    return dict(tx.execute(_specs, {"uuids": uuids}).all())


def forget(tx: Connection, uuid: str) -> None:
    """Forget an instance that is gone."""
    tx.execute(_delete, {"which": uuid})
