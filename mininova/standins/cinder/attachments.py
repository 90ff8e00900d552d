"""How servers get volumes and lose them: reserved, attaching, attached, and gone again.

A volume's status follows from its attachments.  While one is made or ended, no other can be: its row is locked.
"""

from typing import Any

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Connection
from mininova.objects import ImageMeta
from mininova.standins.cinder import policy
from mininova.standins.cinder.db.things import (
    ATTACHED,
    ATTACHING,
    ATTACHMENTS,
    AVAILABLE,
    DETACHING,
    IN_USE,
    RESERVED,
    VOLUMES,
    Attachment,
    Volume,
)  # fmt: skip
from mininova.standins.cinder.volumes import REIMAGED_RESERVED, Volumes, reimage, require_status

Json = dict[str, Any]

# An attachment of a server that is on no host.
KEPT = {"status": RESERVED, "host": None, "mountpoint": None}


class Attachments:
    """Makes and ends attachments, as far as the caller may."""

    def __init__(self, volumes: Volumes) -> None:
        self._volumes, self.db = volumes, volumes.db

    def find(self, tx: Connection, ctxt: RequestContext, id: str) -> Attachment:
        """Find an attachment that a caller sees.

        :raises errors.NotFound: when there is none
        """
        found = ATTACHMENTS.get(tx, id)
        if policy.viewer(ctxt) not in (None, found.project_id):
            raise ATTACHMENTS.missing(id)
        return found

    def create(
        self, ctxt: RequestContext, volume_id: str, instance_uuid: str | None, connector: Json | None = None,
        mode: str = "rw", id: str | None = None,
    ) -> Attachment:  # fmt: skip
        """Keep a volume for a server; with a connector, at once for its host.

        :param id: what the attachment is to be called; one that is there is given back
        :raises errors.InvalidInput: when the volume is in use, and its type does not allow several servers to have it
        """
        policy.require_member(ctxt, "volume:attachment_create")
        with self.db.write() as tx:
            volume = self._volumes.find(tx, ctxt, volume_id, lock=True)
            there = ATTACHMENTS.search(tx, volume_id=[volume_id])
            if id is not None and (known := [each for each in there if each.id == id]):
                return known[0]
            self._require_free(volume, there, instance_uuid)
            said = {
                "project_id": volume.project_id, "volume_id": volume_id, "instance_uuid": instance_uuid, "mode": mode,
            }  # fmt: skip
            made = ATTACHMENTS.create(tx, {**said, "id": id} if id is not None else said)
            if connector:
                made = ATTACHMENTS.update(tx, made, **_connected(connector))
            settle(tx, volume)
            return made

    @staticmethod
    def _require_free(volume: Volume, there: list[Attachment], instance_uuid: str | None) -> None:
        expected = (AVAILABLE, IN_USE, "downloading") if volume.multiattach else (AVAILABLE, "downloading")
        is_same = bool(there) and all(each.instance_uuid == instance_uuid for each in there)
        if volume.status not in expected and not (instance_uuid is not None and is_same):
            raise errors.InvalidInput(
                f"Invalid volume: Volume {volume.id} status must be {' or '.join(expected)} to reserve, but the "
                f"current status is {volume.status}."
            )

    def connect(self, ctxt: RequestContext, id: str, connector: Json) -> Attachment:
        """Tell on which host the server is that is to have a volume; the attachment then says how to reach it."""
        return self._change(ctxt, id, "volume:attachment_update", **_connected(connector))

    def keep(self, ctxt: RequestContext, id: str) -> Attachment:
        """Say that the server, on no host, keeps the volume: as if a new attachment had taken the place of this one."""
        return self._change(ctxt, id, "volume:attachment_update", **KEPT)

    def complete(self, ctxt: RequestContext, id: str) -> Attachment:
        """Say that the server has the volume."""
        return self._change(ctxt, id, "volume:attachment_complete", status=ATTACHED)

    def reimage(self, ctxt: RequestContext, id: str, image: ImageMeta) -> None:
        """Write an image over the volume of a server, which is on no host from then on, but reserved."""
        policy.require_member(ctxt, "volume:reimage_reserved")
        with self.db.write() as tx:
            found = self.find(tx, ctxt, id)
            volume = VOLUMES.get(tx, found.volume_id, lock=True)
            ATTACHMENTS.update(tx, ATTACHMENTS.get(tx, id), **KEPT)
            settle(tx, volume)
            reimage(tx, VOLUMES.get(tx, volume.id), image, REIMAGED_RESERVED)

    def _change(self, ctxt: RequestContext, id: str, action: str, **columns: Any) -> Attachment:
        policy.require_member(ctxt, action)
        with self.db.write() as tx:
            found = self.find(tx, ctxt, id)
            volume = VOLUMES.get(tx, found.volume_id, lock=True)
            changed = ATTACHMENTS.update(tx, ATTACHMENTS.get(tx, id), **columns)
            settle(tx, volume)
            return changed

    def delete(self, ctxt: RequestContext, id: str, *, by_nova: bool = False) -> list[Attachment]:
        """End an attachment, in whatever state it is; give those that the volume has still.

        :param by_nova: Nova has taken the volume from the server, or the server is gone
        :raises errors.Conflict: when a user, who is to ask Nova, takes a volume away from a server
        """
        policy.require_member(ctxt, "volume:attachment_delete")
        with self.db.write() as tx:
            found = self.find(tx, ctxt, id)
            require_by_nova(ctxt, found, by_nova)
            volume = VOLUMES.get(tx, found.volume_id, lock=True)
            ATTACHMENTS.delete(tx, found)
            settle(tx, volume)
            return ATTACHMENTS.search(tx, volume_id=[volume.id])

    # ---- the older way: a volume's status, in steps

    def reserve(self, ctxt: RequestContext, volume_id: str) -> None:
        """Keep a volume for a server that is to get it."""
        self._step(ctxt, volume_id, "volume:reserve", (AVAILABLE,), ATTACHING)

    def unreserve(self, ctxt: RequestContext, volume_id: str) -> None:
        """Give up that a server gets a volume."""
        self._step(ctxt, volume_id, "volume:unreserve", (ATTACHING,), None)

    def begin_detaching(self, ctxt: RequestContext, volume_id: str) -> None:
        """Say that a server is about to lose a volume."""
        self._step(ctxt, volume_id, "volume:begin_detaching", (IN_USE,), DETACHING)

    def roll_detaching(self, ctxt: RequestContext, volume_id: str) -> None:
        """Say that the server keeps it."""
        self._step(ctxt, volume_id, "volume:roll_detaching", (DETACHING,), None)

    def _step(
        self, ctxt: RequestContext, volume_id: str, action: str, expected: tuple[str, ...], status: str | None
    ) -> None:
        """Put a volume into a state; None is that which its attachments say."""
        policy.require_member(ctxt, action)
        with self.db.write() as tx:
            volume = self._volumes.find(tx, ctxt, volume_id, lock=True)
            require_status(volume, expected, action.partition(":")[2])
            if status is None:
                settle(tx, volume)
            else:
                VOLUMES.update(tx, volume, status=status)

    def attach(self, ctxt: RequestContext, volume_id: str, body: Json) -> None:
        """Say that a server, or a host for itself, has a volume."""
        policy.require_member(ctxt, "volume:attach")
        with self.db.write() as tx:
            volume = self._volumes.find(tx, ctxt, volume_id, lock=True)
            require_status(volume, (AVAILABLE, ATTACHING, *([IN_USE] if volume.multiattach else [])), "attach")
            said = {
                "project_id": volume.project_id, "volume_id": volume_id, "instance_uuid": body.get("instance_uuid"),
                "host": body.get("host_name"), "mountpoint": body["mountpoint"], "mode": body.get("mode", "rw"),
            }  # fmt: skip
            ATTACHMENTS.create(tx, {**said, "status": ATTACHED})
            settle(tx, volume)

    def detach(self, ctxt: RequestContext, volume_id: str, id: str | None) -> None:
        """Say that it has it no more.

        :param id: of the attachment; None for the only one
        """
        policy.require_member(ctxt, "volume:detach")
        with self.db.write() as tx:
            volume = self._volumes.find(tx, ctxt, volume_id, lock=True)
            there = [each for each in ATTACHMENTS.search(tx, volume_id=[volume_id]) if id in (None, each.id)]
            if len(there) > 1:
                raise errors.InvalidInput(
                    "Invalid volume: Detach volume failed: More than one attachment, but no attachment_id provided."
                )
            for each in there:
                require_by_nova(ctxt, each, False)
                ATTACHMENTS.delete(tx, each)
            settle(tx, volume)


def settle(tx: Connection, volume: Volume) -> None:
    """Give a volume the status that follows from its attachments."""
    there = {each.status for each in ATTACHMENTS.search(tx, volume_id=[volume.id])}
    follows = {ATTACHED: IN_USE, ATTACHING: ATTACHING, RESERVED: RESERVED}
    status = next((status for each, status in follows.items() if each in there), AVAILABLE)
    VOLUMES.update(tx, volume, status=status)


def require_by_nova(ctxt: RequestContext, attachment: Attachment, by_nova: bool) -> None:
    """Refuse users who take away from a server what Nova gave it, behind Nova's back.

    :raises errors.Conflict: naming the server
    """
    if attachment.instance_uuid is None or by_nova or ctxt.is_admin or "service" in ctxt.roles:
        return
    raise errors.Conflict(f"Detach volume from instance {attachment.instance_uuid} using the Compute API")


def _connected(connector: Json) -> Json:
    host, mountpoint = connector.get("host"), connector.get("mountpoint")
    return {
        "status": ATTACHING,
        "host": str(host)[:255] if host is not None else "",
        "mountpoint": str(mountpoint)[:255] if mountpoint is not None else None,
    }
