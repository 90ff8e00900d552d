"""What is said of security groups and their rules."""

from mininova.api.schemas.types import LIMIT, UUID, Field, Json, object_of, parameter, query
from mininova.api.validation import Schemas

_TEXT: Json = {"type": "string", "minLength": 0, "maxLength": 255}


def _under(key: str, inner: Json) -> Schemas:
    return Schemas.always(object_of({key: inner}, [key], more=True))


GROUP = _under("security_group", object_of({"name": _TEXT, "description": _TEXT}, ["name", "description"], more=True))
RULE = _under(
    "security_group_rule",
    object_of(
        {
            "group_id": {**UUID, "type": ["string", "null"]},
            "parent_group_id": UUID,
            **{name: {} for name in ("to_port", "from_port", "ip_protocol", "cidr")},
        },
        ["parent_group_id"],
        more=True,
    ),
)
ADD, REMOVE = (
    _under(action, object_of({"name": {"type": "string", "minLength": 1}}, ["name"]))
    for action in ("addSecurityGroup", "removeSecurityGroup")
)
LIST = query(Field("limit", parameter(LIMIT)), Field("offset", parameter(LIMIT)), Field("all_tenants", parameter()))
OF_SERVER = query(strict_since="2.102")
