"""The words that schemas are written in: kinds of values, and how an object is put together from versioned fields.

The limits are those of Nova's own schemas.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mininova.api.validation import Schemas
from mininova.wsgi import Microversion

Json = dict[str, Any]

# An int that a database column can hold.
MAX_INT = 0x7FFFFFFF

NAME: Json = {"type": "string", "format": "name", "minLength": 1, "maxLength": 255}
SPACED_NAME: Json = NAME | {"format": "spaced-name"}
MOMENT: Json = {"type": "string", "format": "date-time"}
UUID: Json = {"type": "string", "format": "uuid"}
STRING: Json = {"type": "string"}
SHORT: Json = {"type": "string", "minLength": 1, "maxLength": 255}
DESCRIPTION: Json = {"type": ["string", "null"], "format": "printable", "maxLength": 255}
HOST: Json = {"type": "string", "pattern": "^[a-zA-Z0-9-._]*$", "minLength": 1, "maxLength": 255}
IPV4: Json = {"type": "string", "format": "ipv4"}
IPV6: Json = {"type": "string", "format": "ipv6"}
IP: Json = {"type": "string", "oneOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
BASE64: Json = {"type": "string", "format": "base64"}
TAG: Json = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}
DISK_CONFIG: Json = {"type": "string", "enum": ["AUTO", "MANUAL"]}
ANYTHING: Json = {}
BOOLEAN: Json = {
    "type": ["boolean", "string"],
    "enum": [
        True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes",
        False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no",
    ],
}  # fmt: skip
KEY = "^[a-zA-Z0-9-_:. ]{1,255}$"
METADATA: Json = {
    "type": "object",
    "patternProperties": {KEY: {"type": "string", "maxLength": 255}},
    "additionalProperties": False,
}


def integer(minimum: int, maximum: int = MAX_INT) -> Json:
    """Describe a whole number, which old clients send as a string."""
    return {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": minimum, "maximum": maximum}


def list_of(items: Json, **more: Any) -> Json:
    """Describe a list."""
    return {"type": "array", "items": items, **more}


def object_of(properties: Json, required: Sequence[str] = (), more: bool = False) -> Json:
    """Describe an object.

    :param more: whether it may have properties that are not named here
    """
    # What is missing comes before what is too much: of faults alike, the answer names the first one, as Nova's does.
    missing: Json = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **missing, "additionalProperties": more}


@dataclass(frozen=True)
class Field:
    """A property that came, or went, with a microversion.

    :param since: the first version that has it; 2.0 stands for ``/v2``
    """

    name: str
    schema: Json
    since: str = "2.0"
    until: str = "2.9999"
    required: bool = False

    def is_in(self, version: Microversion) -> bool:
        """Tell whether a microversion has it."""
        return Microversion.parse(self.since) <= version <= Microversion.parse(self.until)


def changes_of(fields: Iterable[Field]) -> list[str]:
    """List the microversions at which a set of fields changes, in order."""
    starts = {Microversion.parse(field.since) for field in fields}
    ends = {Microversion.parse(field.until) for field in fields if field.until != "2.9999"}
    starts |= {Microversion(end.major, end.minor + 1) for end in ends}
    return [str(version) for version in sorted(starts) if version > (2, 1)]


def fields_at(fields: Iterable[Field], version: Microversion) -> Json:
    """Describe the object that a set of fields makes in one microversion."""
    present = [field for field in fields if field.is_in(version)]
    return object_of(
        {field.name: field.schema for field in present}, required=[field.name for field in present if field.required]
    )


def under(key: str, *fields: Field, **beside: Json) -> Schemas:
    """Make the schemas of a body ``{key: {…}}``.

    :param beside: what else may stand beside the key
    """
    return Schemas(lambda version: object_of({key: fields_at(fields, version), **beside}, [key]), changes_of(fields))


def action(key: str, schema: Json = ANYTHING) -> Schemas:
    """Make the schema of an action's body, ``{key: …}``."""
    return Schemas.always(object_of({key: schema}, [key]))


# ---- queries: each parameter is a list of its values


def parameter(schema: Json = STRING, **more: Any) -> Json:
    """Describe a query parameter by one of its values."""
    return list_of(schema, **more)


LIMIT: Json = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 0, "minLength": 1}
PAGE = {"limit": parameter(LIMIT), "marker": parameter()}


def query(*fields: Field, strict_since: str = "2.75") -> Schemas:
    """Make the schemas of a query; before a microversion, unknown parameters are ignored.

    :param strict_since: the first microversion that refuses them
    """

    def build(version: Microversion) -> Json:
        strict = version >= Microversion.parse(strict_since)
        return fields_at(fields, version) | {"additionalProperties": not strict}

    changes = {*changes_of(fields), *([strict_since] if strict_since != "2.1" else [])}
    return Schemas(build, sorted(changes, key=Microversion.parse))


NO_QUERY = query(strict_since="2.102")
ANY_QUERY = Schemas.always({"type": "object", "properties": {}, "additionalProperties": True})
