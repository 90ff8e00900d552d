"""What is said of volumes and of their snapshots, until 2.35."""

from mininova.api.schemas.types import BOOLEAN, LIMIT, STRING, Field, Json, object_of, parameter, query
from mininova.api.validation import Schemas


def _under(key: str, properties: Json, required: list[str]) -> Schemas:
    return Schemas.always(object_of({key: object_of(properties, required)}, [key]))


_NAMED = {"display_name": STRING, "display_description": STRING}
VOLUME = _under(
    "volume",
    {
        **_NAMED,
        **dict.fromkeys(("volume_type", "snapshot_id", "availability_zone"), STRING),
        "metadata": object_of({}, more=True),
        "size": {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1},
    },
    ["size"],
)
SNAPSHOT = _under("snapshot", {**_NAMED, "volume_id": STRING, "force": BOOLEAN}, ["volume_id"])
LIST = query(Field("limit", parameter(LIMIT)), Field("offset", parameter(LIMIT)))
