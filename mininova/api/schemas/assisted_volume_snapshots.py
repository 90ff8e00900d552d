"""What Cinder says of a snapshot that it wants a guest's host to take."""

from mininova.api.schemas.types import STRING, Field, object_of, parameter, query, under

SOME = STRING | {"minLength": 1}
_INFO = {"snapshot_id": SOME, "type": STRING | {"enum": ["qcow2"]}, "new_file": SOME, "id": SOME}
CREATE = under(
    "snapshot",
    Field("volume_id", SOME, required=True),
    Field("create_info", object_of(_INFO, ["snapshot_id", "type", "new_file"]), required=True),
)
DELETE = query(Field("delete_info", parameter()))
