"""What host aggregates take."""

from mininova.api.schemas.types import HOST, KEY, NAME, SPACED_NAME, UUID, Json, action, list_of, object_of
from mininova.api.validation import Schemas

NO_COLON = "^[^:]*$"  # which ends the zone where a server is asked for in ``zone:host``
NULL: Json = {"type": "null"}
ZONE: Json = {"oneOf": [NAME | {"pattern": NO_COLON}, NULL]}
SPACED_ZONE: Json = {"oneOf": [SPACED_NAME | {"pattern": NO_COLON}, NULL]}
SAID: Json = {
    "type": "object",
    "patternProperties": {KEY: {"type": ["string", "null"], "maxLength": 255}},
    "additionalProperties": False,
}


def _create(name: Json, zone: Json) -> Json:
    return object_of({"aggregate": object_of({"name": name, "availability_zone": zone}, ["name"])}, ["aggregate"])


def _update(zone: Json) -> Json:
    change = object_of({"name": SPACED_NAME, "availability_zone": zone})
    some = {"anyOf": [{"required": ["name"]}, {"required": ["availability_zone"]}]}
    return object_of({"aggregate": change | some}, ["aggregate"])


CREATE = Schemas(
    lambda version: _create(NAME, ZONE) if version >= (2, 1) else _create(SPACED_NAME, SPACED_ZONE), ["2.1"]
)
UPDATE = Schemas(lambda version: _update(ZONE if version >= (2, 1) else SPACED_ZONE), ["2.1"])
ADD_HOST = action("add_host", object_of({"host": HOST}, ["host"]))
REMOVE_HOST = action("remove_host", object_of({"host": HOST}, ["host"]))
SET_METADATA = action("set_metadata", object_of({"metadata": SAID}, ["metadata"]))
_IMAGES = list_of(object_of({"id": UUID}, ["id"]), minItems=1) | {"type": ["array"]}
CACHE_IMAGES = Schemas.always(object_of({"cache": _IMAGES}, ["cache"]))
