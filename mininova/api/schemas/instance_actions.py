"""What a query of a server's actions may say."""

from mininova.api.schemas.types import LIMIT, MOMENT, Field, parameter, query

LIST_ACTIONS = query(
    Field("limit", parameter(LIMIT, maxItems=1), since="2.58"),
    Field("marker", parameter(maxItems=1), since="2.58"),
    Field("changes-since", parameter(MOMENT, maxItems=1), since="2.58"),
    Field("changes-before", parameter(MOMENT, maxItems=1), since="2.66"),
    strict_since="2.58",
)
