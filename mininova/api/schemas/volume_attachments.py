"""What is said of the volumes that a server has."""

from mininova.api.schemas.types import BOOLEAN, LIMIT, UUID, Field, Json, parameter, query, under

_DEVICE: Json = {
    "type": ["string", "null"],
    "pattern": "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$",
}
_TAG: Json = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
_FIELDS = (
    Field("volumeId", UUID, required=True),
    Field("device", _DEVICE),
    Field("tag", _TAG, since="2.49"),
    Field("delete_on_termination", BOOLEAN, since="2.79"),
)

CREATE = under("volumeAttachment", *_FIELDS)
UPDATE = under(
    "volumeAttachment",
    Field("volumeId", UUID, required=True),
    Field("device", _DEVICE, since="2.85"),
    Field("tag", _TAG, since="2.85"),
    Field("delete_on_termination", BOOLEAN, since="2.85"),
    Field("serverId", UUID, since="2.85"),
    Field("id", UUID, since="2.85"),
)
LIST = query(Field("limit", parameter(LIMIT)), Field("offset", parameter(LIMIT)))
