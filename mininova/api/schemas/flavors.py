"""What the body of a new or changed flavor may say, and what a query of flavors may say."""

from mininova.api.schemas.types import (
    BOOLEAN,
    LIMIT,
    NAME,
    SPACED_NAME,
    Field,
    Json,
    integer,
    parameter,
    query,
    under,
)  # fmt: skip

LONG_DESCRIPTION: Json = {"type": ["string", "null"], "format": "printable", "maxLength": 65535}

CREATE = under(
    "flavor",
    Field("name", SPACED_NAME, until="2.0", required=True),
    Field("name", NAME, since="2.1", required=True),
    Field(
        "id",
        {
            "type": ["string", "number", "null"],
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^(?! )[a-zA-Z0-9. _-]+(?<! )$",
        },
    ),
    Field("ram", integer(1), required=True),
    Field("vcpus", integer(1), required=True),
    Field("disk", integer(0), required=True),
    Field("OS-FLV-EXT-DATA:ephemeral", integer(0)),
    Field("swap", integer(0)),
    Field(
        "rxtx_factor",
        {
            "type": ["number", "string"],
            "pattern": r"^[0-9]+(\.[0-9]+)?$",
            "exclusiveMinimum": 0,
            "maximum": 3.40282e38,
        },
        until="2.101",
    ),
    Field("os-flavor-access:is_public", BOOLEAN),
    Field("description", LONG_DESCRIPTION, since="2.55"),
)
UPDATE = under("flavor", Field("description", LONG_DESCRIPTION, required=True))

SORT_KEYS = (
    "created_at", "description", "disabled", "ephemeral_gb", "flavorid", "id", "is_public", "memory_mb", "name",
    "root_gb", "rxtx_factor", "swap", "updated_at", "vcpu_weight", "vcpus",
)  # fmt: skip
FEWER_SORT_KEYS = [key for key in SORT_KEYS if key != "rxtx_factor"]
LIST = query(
    Field("limit", parameter(LIMIT)),
    Field("marker", parameter()),
    Field("is_public", parameter()),
    Field("minRam", parameter()),
    Field("minDisk", parameter()),
    Field("sort_key", parameter({"type": "string", "enum": list(SORT_KEYS)}), until="2.101"),
    Field("sort_key", parameter({"type": "string", "enum": FEWER_SORT_KEYS}), since="2.102"),
    Field("name", parameter(), since="2.102"),
    Field("sort_dir", parameter({"type": "string", "enum": ["asc", "desc"]})),
)
