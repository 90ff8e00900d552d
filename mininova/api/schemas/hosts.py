"""What may be changed of a host until 2.42, and what a query of hosts may say."""

from mininova.api.schemas.types import Field, Json, object_of, parameter, query
from mininova.api.validation import Schemas

_SWITCH: Json = {"type": "string", "enum": ["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"]}

UPDATE = Schemas.always(
    object_of({"status": _SWITCH, "maintenance_mode": _SWITCH})
    | {"anyOf": [{"required": ["status"]}, {"required": ["maintenance_mode"]}]}
)
LIST = query(Field("zone", parameter()))
