"""What a query of migrations may say."""

from mininova.api.schemas.types import LIMIT, MOMENT, Field, parameter, query

FILTERS = ("host", "instance_uuid", "source_compute", "status", "migration_type")
OWNERS = ("user_id", "project_id")
LIST = query(
    *(Field(name, parameter()) for name in ("hidden", *FILTERS)),
    Field("limit", parameter(LIMIT, maxItems=1), since="2.59"),
    Field("marker", parameter(maxItems=1), since="2.59"),
    Field("changes-since", parameter(MOMENT, maxItems=1), since="2.59"),
    Field("changes-before", parameter(MOMENT, maxItems=1), since="2.66"),
    *(Field(name, parameter(maxItems=1), since="2.80") for name in OWNERS),
    strict_since="2.59",
)
