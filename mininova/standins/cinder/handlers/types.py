"""``/types``: the types of volumes, which administrators make, and their extra specs."""

from collections.abc import Callable
from typing import Any

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Connection
from mininova.standins.cinder import documents, policy, query, schemas
from mininova.standins.cinder.db.things import TYPES, VOLUMES, VolumeType
from mininova.standins.cinder.documents import Json
from mininova.standins.cinder.schemas import checked, truth
from mininova.standins.cinder.service import Service
from mininova.standins.cinder.volumes import DEFAULT_TYPE, find_type, sees_type
from mininova.wsgi import Reply, Request, Route

MANAGE = "volume_extension:types_manage"


class TypeHandlers:
    """Handlers of what can be asked of types."""

    def __init__(self, service: Service) -> None:
        self._db = service.db

    def routes(self) -> list[Route]:
        """Give the routes of types."""
        one = "/types/<id>"
        return [
            Route("GET", "/types", self.index),
            Route("POST", "/types", self.create),
            Route("GET", "/types/default", self.default),
            Route("GET", one, self.show),
            Route("PUT", one, self.update),
            Route("DELETE", one, self.delete),
            Route("GET", f"{one}/extra_specs", self.extra_specs),
            Route("POST", f"{one}/extra_specs", self.add_extra_specs),
            Route("GET", f"{one}/extra_specs/<key>", self.extra_spec),
            Route("PUT", f"{one}/extra_specs/<key>", self.set_extra_spec),
            Route("DELETE", f"{one}/extra_specs/<key>", self.delete_extra_spec),
        ]

    def index(self, request: Request) -> Json:
        """List the public types; administrators may ask for the others, or for all with ``is_public=None``."""
        asked = request.GET.get("is_public", "true").lower() if request.context.is_admin else "true"
        wanted = (True, False) if asked == "none" else (truth(asked),)
        with self._db.read() as tx:
            found = [each for each in TYPES.search(tx) if each.is_public in wanted]
        known: dict[str, Callable[[VolumeType], Any]] = {"name": lambda it: it.name, "id": lambda it: it.id}
        return query.answer(request, "volume_types", found, known, lambda it: documents.volume_type(request, it))

    def default(self, request: Request) -> Json:
        """Show the type of volumes for which none is named."""
        with self._db.read() as tx:
            return self._shown(request, find_type(tx, request.context, DEFAULT_TYPE))

    def show(self, request: Request, id: str) -> Json:
        """Show a type."""
        with self._db.read() as tx:
            return self._shown(request, _seen(tx, request.context, id))

    @staticmethod
    def _shown(request: Request, type_: VolumeType) -> Json:
        return {"volume_type": documents.volume_type(request, type_)}

    def create(self, request: Request) -> Json:
        """Make a type."""
        policy.require_admin(request.context, MANAGE)
        body = checked(request.body_of("volume_type"), schemas.NEW_TYPE)
        is_public = body.get("os-volume-type-access:is_public", body.get("is_public", True))
        with self._db.write() as tx:
            _require_new(tx, body["name"])
            said = {
                "name": body["name"], "description": body.get("description"), "is_public": is_public,
                "extra_specs": body.get("extra_specs", {}),
            }  # fmt: skip
            return self._shown(request, TYPES.create(tx, said))

    def update(self, request: Request, id: str) -> Json:
        """Change what is said of a type."""
        policy.require_admin(request.context, MANAGE)
        body = checked(request.body_of("volume_type"), schemas.CHANGED_TYPE)
        said = {name: value for name, value in body.items() if value is not None or name == "description"}
        if not said:
            raise errors.InvalidInput("Specify volume type name, description, is_public or a combination thereof.")
        with self._db.write() as tx:
            type_ = TYPES.get(tx, id, lock=True)
            if said.get("name", type_.name) != type_.name:
                _require_new(tx, said["name"])
            return self._shown(request, TYPES.update(tx, type_, **said))

    def delete(self, request: Request, id: str) -> Reply:
        """Delete a type that no volume has."""
        policy.require_admin(request.context, MANAGE)
        with self._db.write() as tx:
            type_ = TYPES.get(tx, id, lock=True)
            if type_.name == DEFAULT_TYPE:
                raise errors.InvalidInput(
                    f"Invalid volume type: {id} is the default volume type and cannot be deleted."
                )
            if VOLUMES.search(tx, volume_type_id=[id]):
                raise errors.InvalidInput("Target volume type is still in use.")
            TYPES.delete(tx, type_)
        return Reply(202)

    # ---- extra specs

    def extra_specs(self, request: Request, id: str) -> Json:
        """Show the extra specs of a type."""
        with self._db.read() as tx:
            return {"extra_specs": _seen(tx, request.context, id).extra_specs}

    def extra_spec(self, request: Request, id: str, key: str) -> Json:
        """Show one of them."""
        with self._db.read() as tx:
            type_ = _seen(tx, request.context, id)
        return {key: _spec(type_, key)}

    def add_extra_specs(self, request: Request, id: str) -> Json:
        """Add extra specs to a type."""
        added = checked(request.document, schemas.EXTRA_SPECS)["extra_specs"]
        self._write(request, id, lambda type_: {**type_.extra_specs, **added})
        return {"extra_specs": added}

    def set_extra_spec(self, request: Request, id: str, key: str) -> Json:
        """Write one of them."""
        said = checked(request.document, schemas.ONE_SPEC)
        if set(said) != {key}:
            raise errors.InvalidInput("Request body and URI mismatch")
        self._write(request, id, lambda type_: {**type_.extra_specs, **said})
        return said

    def delete_extra_spec(self, request: Request, id: str, key: str) -> Reply:
        """Delete one of them."""
        self._write(request, id, lambda type_: _without(type_, key))
        return Reply(202)

    def _write(self, request: Request, id: str, of: Callable[[VolumeType], dict[str, str]]) -> None:
        policy.require_admin(request.context, "volume_extension:types_extra_specs:create")
        with self._db.write() as tx:
            type_ = TYPES.get(tx, id, lock=True)
            TYPES.update(tx, type_, extra_specs=of(type_))


def _seen(tx: Connection, ctxt: RequestContext, id: str) -> VolumeType:
    type_ = TYPES.get(tx, id)
    if not sees_type(ctxt, type_):
        raise TYPES.missing(id)
    return type_


def _require_new(tx: Connection, name: str) -> None:
    if any(each.name == name for each in TYPES.search(tx)):
        raise errors.Conflict(f"Volume Type {name} already exists.")


def _spec(type_: VolumeType, key: str) -> str:
    if key not in type_.extra_specs:
        raise errors.NotFound(f"Volume Type {type_.id} has no extra specs with key {key:.255}.")
    return type_.extra_specs[key]


def _without(type_: VolumeType, key: str) -> dict[str, str]:
    _spec(type_, key)
    return {name: value for name, value in type_.extra_specs.items() if name != key}
