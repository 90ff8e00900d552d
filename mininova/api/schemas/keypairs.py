"""What the body of a new keypair may say, and what a query of keypairs may say."""

from mininova.api.schemas.types import LIMIT, NAME, SHORT, SPACED_NAME, STRING, Field, Json, parameter, query, under


def _name(characters: str) -> Json:
    return {"allOf": [NAME, SHORT | {"pattern": f"^[{characters}]+$"}]}


CREATE = under(
    "keypair",
    Field("name", SPACED_NAME, until="2.0", required=True),
    Field("name", _name(r"_\- a-zA-Z0-9"), since="2.1", until="2.91", required=True),
    Field("name", _name(r"_\-\@\. a-zA-Z0-9"), since="2.92", required=True),
    Field("type", {"type": "string", "enum": ["ssh", "x509"]}, since="2.2"),
    Field("public_key", STRING, until="2.91"),
    Field("public_key", STRING, since="2.92", required=True),
    Field("user_id", STRING, since="2.10"),
)
LIST = query(
    Field("user_id", parameter(), since="2.10"),
    Field("limit", parameter(LIMIT), since="2.35"),
    Field("marker", parameter(), since="2.35"),
)
SHOW = query(Field("user_id", parameter(), since="2.10"))
