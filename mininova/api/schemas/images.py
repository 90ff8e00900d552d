"""What a query of images may say, and what metadata an image may have."""

from mininova.api.schemas.server_metadata import META_BODY, METADATA_BODY
from mininova.api.schemas.types import ANYTHING, Json, parameter
from mininova.api.validation import Schemas

__all__ = ["LIST", "METADATA_BODY", "META_BODY"]

_COUNT: Json = parameter({"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1, "minLength": 1})
_WORDS = ("name", "status", "changes-since", "server", "type", "minRam", "minDisk", "marker")

LIST = Schemas.always(
    {
        "type": "object",
        "properties": dict.fromkeys(_WORDS, ANYTHING) | dict.fromkeys(("limit", "page_size", "offset"), _COUNT),
        "patternProperties": {"^property-.*$": ANYTHING},
        "additionalProperties": True,
    }
)
