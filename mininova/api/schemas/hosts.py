"""What may be changed of a host until 2.42, and what a query of hosts may say."""

from mininova.api.schemas.types import Field, Json, parameter, query
from mininova.api.validation import Schemas

_SWITCH: Json = {"type": "string", "enum": ["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"]}

UPDATE = Schemas.always(
    {
        "type": "object",
        "properties": {"status": _SWITCH, "maintenance_mode": _SWITCH},
        # Before what is too much: of faults alike, the answer names the first one, as Nova's does.
        "anyOf": [{"required": ["status"]}, {"required": ["maintenance_mode"]}],
        "additionalProperties": False,
    }
)
LIST = query(Field("zone", parameter()))
