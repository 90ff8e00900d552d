"""``/volumes``: lists, one volume, its metadata, and the actions on it."""

from collections.abc import Callable, Mapping
from typing import Any

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import ImageMeta
from mininova.standins.cinder import documents, policy, query, schemas
from mininova.standins.cinder.attachments import Attachments, settle
from mininova.standins.cinder.db.things import ATTACHMENTS, TYPES, VOLUMES, Volume
from mininova.standins.cinder.documents import Json
from mininova.standins.cinder.schemas import checked, named, truth
from mininova.standins.cinder.service import Service
from mininova.standins.cinder.volumes import STATES, Volumes, find_type, require_status
from mininova.wsgi import Reply, Request, Route

#: By what a list of volumes can be chosen and sorted.
KNOWN: Mapping[str, Callable[[Volume], Any]] = {
    "id": lambda it: it.id,
    "name": lambda it: it.name,
    "display_name": lambda it: it.name,
    "description": lambda it: it.description,
    "size": lambda it: it.size,
    "status": lambda it: it.status,
    "bootable": lambda it: it.bootable,
    "multiattach": lambda it: it.multiattach,
    "availability_zone": lambda it: it.availability_zone,
    "volume_type_id": lambda it: it.volume_type_id,
    "snapshot_id": lambda it: it.snapshot_id,
    "source_volid": lambda it: it.source_volid,
    "user_id": lambda it: it.user_id,
    "metadata": lambda it: it.metadata,
    "consumes_quota": lambda it: True,
}


class VolumeHandlers:
    """Handlers of what can be asked of volumes."""

    def __init__(self, service: Service) -> None:
        self._db, self._image = service.db, service.image
        self._volumes = Volumes(service.db)
        self._attachments = Attachments(self._volumes)

    def routes(self) -> list[Route]:
        """Give the routes of volumes."""
        one, actions = "/volumes/<id>", self._actions()
        return [
            Route("GET", "/volumes", self.index),
            Route("POST", "/volumes", self.create),
            Route("GET", "/volumes/detail", self.detail),
            Route("GET", "/volumes/summary", self.summary, since="3.12"),
            Route("GET", one, self.show),
            Route("PUT", one, self.update),
            Route("DELETE", one, self.delete),
            Route("GET", f"{one}/metadata", self.metadata),
            Route("POST", f"{one}/metadata", self.add_metadata),
            Route("PUT", f"{one}/metadata", self.set_metadata),
            Route("GET", f"{one}/metadata/<key>", self.meta),
            Route("PUT", f"{one}/metadata/<key>", self.set_meta),
            Route("DELETE", f"{one}/metadata/<key>", self.delete_meta),
            *(Route("POST", f"{one}/action", handler, action) for action, handler in actions.items()),
            Route("POST", f"{one}/action", self.reimage, "os-reimage", since="3.68"),
        ]

    # ---- lists

    def index(self, request: Request) -> Json:
        """List volumes in short."""
        return self._list(request, lambda volume: documents.brief(request, volume, "volumes"))

    def detail(self, request: Request) -> Json:
        """List volumes."""
        with self._db.read() as tx:
            types = {each.id: each for each in TYPES.search(tx)}
            attached: dict[str, list[Any]] = {}
            for each in ATTACHMENTS.search(tx, project_id=query.projects(request)):
                attached.setdefault(each.volume_id, []).append(each)
        return self._list(request, lambda it: documents.volume(request, it, types, attached.get(it.id, [])))

    def _list(self, request: Request, shown: Callable[[Volume], Json]) -> Json:
        with self._db.read() as tx:
            found = VOLUMES.search(tx, project_id=query.projects(request))
        return query.answer(request, "volumes", query.in_time(request, found), KNOWN, shown)

    def summary(self, request: Request) -> Json:
        """Count volumes, and their GiB."""
        with self._db.read() as tx:
            found = query.in_time(request, VOLUMES.search(tx, project_id=query.projects(request)))
        summary: Json = {"total_count": len(found), "total_size": sum(each.size for each in found)}
        if request.api_version >= (3, 36):
            summary["metadata"] = _all_metadata(found)
        return {"volume-summary": summary}

    # ---- one

    def show(self, request: Request, id: str) -> Json:
        """Show a volume."""
        with self._db.read() as tx:
            return self._shown(request, self._volumes.find(tx, request.context, id), in_detail=True)

    def _shown(self, request: Request, volume: Volume, *, in_detail: bool = False) -> Json:
        with self._db.read() as tx:
            types = {each.id: each for each in TYPES.search(tx)}
            attached = ATTACHMENTS.search(tx, volume_id=[volume.id])
        return {"volume": documents.volume(request, volume, types, attached, in_detail=in_detail)}

    def create(self, request: Request) -> Reply:
        """Make a volume."""
        body = checked(request.body_of("volume"), schemas.NEW_VOLUME)
        if truth(body.get("multiattach")):
            raise errors.InvalidInput(
                "multiattach parameter has been removed. The default behavior is to use multiattach enabled volume "
                "types. Contact your administrator to create a multiattach enabled volume type and use it to create "
                "multiattach volumes."
            )
        size = body.get("size")
        said = {
            **named(body),
            "metadata": body.get("metadata") or {},
            **{name: body.get(name) or None for name in ("snapshot_id", "source_volid", "availability_zone")},
        }
        made = self._volumes.create(
            request.context, said, int(size) if size is not None else None, type=body.get("volume_type") or None,
            image=self._image_of(request.context, body),
        )  # fmt: skip
        return Reply(202, self._shown(request, made))

    def _image_of(self, ctxt: RequestContext, body: Json) -> ImageMeta | None:
        asked = body.get("imageRef") or body.get("image_id")
        if not asked:
            return None
        try:
            return self._image(ctxt, asked.rpartition("/")[2])
        except errors.NotFound as error:
            raise errors.InvalidInput(
                f"Invalid image identifier or unable to access requested image: {error}"
            ) from None

    def update(self, request: Request, id: str) -> Json:
        """Change what is said of a volume."""
        body = checked(request.body_of("volume"), schemas.CHANGED)
        metadata = {"metadata": body["metadata"]} if body.get("metadata") is not None else {}
        return self._shown(request, self._volumes.update(request.context, id, {**named(body), **metadata}))

    def delete(self, request: Request, id: str) -> Reply:
        """Delete a volume."""
        cascade, force = query.flag(request, "cascade"), request.api_version >= (3, 23) and query.flag(request, "force")
        if force:
            policy.require_admin(request.context, "volume:force_delete")
        self._volumes.delete(request.context, id, cascade=cascade, force=force)
        return Reply(202)

    # ---- its metadata

    def metadata(self, request: Request, id: str) -> Json:
        """Show the metadata of a volume."""
        with self._db.read() as tx:
            return {"metadata": self._volumes.find(tx, request.context, id).metadata}

    def add_metadata(self, request: Request, id: str) -> Json:
        """Add to the metadata of a volume."""
        added = checked(request.document, schemas.METADATA)["metadata"]
        return {"metadata": self._write(request, id, lambda was: {**was, **added})}

    def set_metadata(self, request: Request, id: str) -> Json:
        """Replace the metadata of a volume."""
        given = checked(request.document, schemas.METADATA)["metadata"]
        return {"metadata": self._write(request, id, lambda was: given)}

    def meta(self, request: Request, id: str, key: str) -> Json:
        """Show one item."""
        with self._db.read() as tx:
            return {"meta": {key: _item(self._volumes.find(tx, request.context, id).metadata, key)}}

    def set_meta(self, request: Request, id: str, key: str) -> Json:
        """Write one item."""
        meta = checked(request.document, schemas.META)["meta"]
        if set(meta) != {key}:
            raise errors.InvalidInput("Request body and URI mismatch")
        self._write(request, id, lambda was: {**was, **meta})
        return {"meta": meta}

    def delete_meta(self, request: Request, id: str, key: str) -> Reply:
        """Delete one item."""
        self._write(request, id, lambda was: without(was, key))
        return Reply(200)

    def _write(self, request: Request, id: str, of: Callable[[dict[str, str]], dict[str, str]]) -> dict[str, str]:
        changed = self._volumes.change(
            request.context, id, "volume:update_volume_metadata", lambda tx, volume: {"metadata": of(volume.metadata)}
        )
        return changed.metadata

    # ---- actions

    def _actions(self) -> dict[str, Callable[..., Any]]:
        """Give the handler of each action."""
        attachments, volumes = self._attachments, self._volumes

        def with_body(action: str, do: Callable[[RequestContext, str, Json], Any], status: int = 202) -> Any:
            def handler(request: Request, id: str) -> Reply:
                body = checked(request.document[action] or {}, schemas.ACTIONS[action])
                done = do(request.context, id, body)
                return Reply(status, done if isinstance(done, dict) else None)

            return handler

        def plain(do: Callable[[RequestContext, str], Any]) -> Any:
            def handler(request: Request, id: str) -> Reply:
                do(request.context, id)
                return Reply(202)

            return handler

        def extend(request: Request, id: str) -> Reply:
            size = checked(request.document["os-extend"], schemas.ACTIONS["os-extend"])["new_size"]
            volumes.extend(request.context, id, int(size), in_use=request.api_version >= (3, 42))
            return Reply(202)

        return {
            "os-attach": with_body("os-attach", attachments.attach),
            "os-detach": with_body(
                "os-detach", lambda c, id, body: attachments.detach(c, id, body.get("attachment_id"))
            ),
            "os-force_detach": with_body("os-force_detach", self._force_detach),
            "os-reserve": plain(attachments.reserve),
            "os-unreserve": plain(attachments.unreserve),
            "os-begin_detaching": plain(attachments.begin_detaching),
            "os-roll_detaching": plain(attachments.roll_detaching),
            "os-initialize_connection": with_body("os-initialize_connection", self._connection, 200),
            "os-terminate_connection": with_body("os-terminate_connection", self._terminate),
            "os-extend": extend,
            "os-reset_status": with_body("os-reset_status", self._reset),
            "os-force_delete": plain(self._force_delete),
            "os-set_bootable": with_body("os-set_bootable", self._set("bootable", "volume:update"), 200),
            "os-update_readonly_flag": with_body(
                "os-update_readonly_flag", self._set("readonly", "volume:update_readonly_flag")
            ),
            "os-retype": with_body("os-retype", self._retype),
            "os-set_image_metadata": with_body("os-set_image_metadata", self._set_image_metadata, 200),
            "os-unset_image_metadata": with_body("os-unset_image_metadata", self._unset_image_metadata, 200),
            "os-show_image_metadata": self._show_image_metadata,
        }

    def reimage(self, request: Request, id: str) -> Reply:
        """Write an image over a volume."""
        body = checked(request.document["os-reimage"], schemas.ACTIONS["os-reimage"])
        image = self._image(request.context, body["image_id"])
        reserved = truth(body.get("reimage_reserved"))
        self._volumes.reimage(request.context, id, image, reserved=reserved)
        return Reply(202)

    def _force_detach(self, ctxt: RequestContext, id: str, body: Json) -> None:
        policy.require_admin(ctxt, "volume_extension:volume_admin_actions:force_detach")
        self._attachments.detach(ctxt, id, body.get("attachment_id"))

    def _force_delete(self, ctxt: RequestContext, id: str) -> None:
        policy.require_admin(ctxt, "volume_extension:volume_admin_actions:force_delete")
        self._volumes.delete(ctxt, id, force=True)

    def _reset(self, ctxt: RequestContext, id: str, body: Json) -> None:
        policy.require_admin(ctxt, "volume_extension:volume_admin_actions:reset_status")
        status, attach_status = body.get("status"), body.get("attach_status")
        if status is not None and status not in STATES:
            raise errors.InvalidInput(f"Invalid input for status: '{status:.50}' is none of {', '.join(STATES)}.")
        if attach_status not in (None, "attached", "detached"):
            raise errors.InvalidInput("Invalid input for attach_status: it must be attached or detached.")
        with self._db.write() as tx:
            volume = self._volumes.find(tx, ctxt, id, lock=True)
            if attach_status == "detached":
                for each in ATTACHMENTS.search(tx, volume_id=[id]):
                    ATTACHMENTS.delete(tx, each)
                settle(tx, volume)
            if status is not None:
                VOLUMES.update(tx, volume, status=status)

    def _connection(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        policy.require_member(ctxt, "volume:initialize_connection")
        with self._db.read() as tx:
            volume = self._volumes.find(tx, ctxt, id)
        data = {"volume_id": volume.id, "access_mode": "ro" if volume.readonly else "rw", "encrypted": False}
        return {"connection_info": {"driver_volume_type": "fake", "data": data}}

    def _terminate(self, ctxt: RequestContext, id: str, body: Json) -> None:
        policy.require_member(ctxt, "volume:terminate_connection")
        with self._db.read() as tx:
            self._volumes.find(tx, ctxt, id)

    def _set(self, column: str, action: str) -> Callable[[RequestContext, str, Json], Any]:
        """Make what sets a flag of a volume."""

        def set_(ctxt: RequestContext, id: str, body: Json) -> None:
            self._volumes.change(ctxt, id, action, lambda tx, volume: {column: truth(body[column])})

        return set_

    def _retype(self, ctxt: RequestContext, id: str, body: Json) -> None:
        def retyped(tx: Any, volume: Volume) -> Json:
            kind = find_type(tx, ctxt, body["new_type"])
            require_status(volume, ("available", "in-use"), "retype")
            if kind.multiattach != volume.multiattach and volume.status == "in-use":
                raise errors.InvalidInput("Invalid volume: Changing multiattach is not allowed while it is in-use.")
            return {"volume_type_id": kind.id, "multiattach": kind.multiattach}

        self._volumes.change(ctxt, id, "volume:retype", retyped)

    def _set_image_metadata(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        changed = self._volumes.change(
            ctxt, id, "volume_extension:volume_image_metadata:set",
            lambda tx, volume: {"image_metadata": {**volume.image_metadata, **body["metadata"]}},
        )  # fmt: skip
        return {"metadata": changed.image_metadata}

    def _unset_image_metadata(self, ctxt: RequestContext, id: str, body: Json) -> None:
        self._volumes.change(
            ctxt, id, "volume_extension:volume_image_metadata:remove",
            lambda tx, volume: {"image_metadata": without(volume.image_metadata, body["key"])},
        )  # fmt: skip

    def _show_image_metadata(self, request: Request, id: str) -> Json:
        with self._db.read() as tx:
            return {"metadata": self._volumes.find(tx, request.context, id).image_metadata}


def without(metadata: Mapping[str, str], key: str) -> dict[str, str]:
    """Take an item out of metadata.

    :raises errors.NotFound: when it is not there
    """
    _item(metadata, key)
    return {name: text for name, text in metadata.items() if name != key}


def _item(metadata: Mapping[str, str], key: str) -> str:
    if key not in metadata:
        raise errors.NotFound(f"Metadata item {key:.255} was not found.")
    return metadata[key]


def _all_metadata(volumes: list[Volume]) -> dict[str, list[str]]:
    """Give each key that the metadata of volumes has, with its values."""
    found: dict[str, set[str]] = {}
    for volume in volumes:
        for key, text in volume.metadata.items():
            found.setdefault(key, set()).add(text)
    return {key: sorted(texts) for key, texts in found.items()}
