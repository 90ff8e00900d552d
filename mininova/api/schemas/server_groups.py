"""What the body of a new server group may say, and what a query of server groups may say."""

from mininova.api.schemas.types import LIMIT, NAME, Field, Json, object_of, parameter, query, under
from mininova.db.server_groups import AFFINITY, ANTI_AFFINITY, SOFT_AFFINITY, SOFT_ANTI_AFFINITY

HARD = [ANTI_AFFINITY, AFFINITY]
ALL = [*HARD, SOFT_ANTI_AFFINITY, SOFT_AFFINITY]

# How many servers a host may have: from 1 on, also as a string.
NUMBER: Json = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1, "minLength": 1}


def _one_of(policies: list[str]) -> Json:
    """Describe the list with one policy, which it was before 2.64."""
    return {
        "type": "array",
        "prefixItems": [{"type": "string", "enum": policies}],
        "uniqueItems": True,
        "minItems": 1,
        "maxItems": 1,
    }


CREATE = under(
    "server_group",
    Field("name", NAME, required=True),
    Field("policies", _one_of(HARD), until="2.14", required=True),
    Field("policies", _one_of(ALL), since="2.15", until="2.63", required=True),
    Field("policy", {"type": "string", "enum": ALL}, since="2.64", required=True),
    Field("rules", object_of({"max_server_per_host": NUMBER}), since="2.64"),
)
LIST = query(Field("all_projects", parameter()), Field("limit", parameter(LIMIT)), Field("offset", parameter(LIMIT)))
