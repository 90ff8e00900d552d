"""Our schemas take the same fields as Nova's, in the same microversions."""

import re
from typing import Any

import pytest

from mininova.api.routes import ROUTES
from mininova.wsgi import Microversion

# Words of a schema that decide which documents pass, and not only the text of an error.
STRUCTURE = (
    "type", "enum", "required", "additionalProperties", "minimum", "maximum", "minLength", "maxLength", "minItems",
    "maxItems", "minProperties", "maxProperties", "exclusiveMinimum",
)  # fmt: skip
ALL_VERSIONS = [Microversion(2, minor) for minor in range(105)]


# Parameters that begin so pass Nova's schema and are refused by its handler; before 2.75 by ours, too.
LET_BE = "^_"
# What a schema without a word says.
ANYTHING = {"type": "object", "additionalProperties": True}


def shape(schema: Any) -> Any:
    """Reduce a schema to its structure, so that equal shapes take the same fields."""
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {word: schema[word] for word in STRUCTURE if word in schema}
    if kept.get("minLength") == 0:
        del kept["minLength"]
    kept = {word: sorted(map(str, value)) if isinstance(value, list) else value for word, value in kept.items()}
    if isinstance(kept.get("type"), list) and len(kept["type"]) == 1:
        (kept["type"],) = kept["type"]
    for word in ("properties", "patternProperties"):
        if inner := {name: shape(each) for name, each in schema.get(word, {}).items() if name != LET_BE}:
            kept[word] = inner
    if "items" in schema:
        kept["items"] = shape(schema["items"])
    for word in ("oneOf", "allOf"):
        if word in schema:
            kept[word] = sorted((shape(inner) for inner in schema[word]), key=str)
    return kept


def differences(ours: Any, novas: Any, at: str = "$") -> list[str]:
    """List where two shapes differ."""
    if isinstance(ours, dict) and isinstance(novas, dict):
        names = sorted(ours.keys() | novas.keys(), key=str)
        return [line for name in names for line in differences(ours.get(name), novas.get(name), f"{at}.{name}")]
    return [] if ours == novas else [f"{at}: {ours} instead of {novas}"]


def key_of(contract: Any, route: Any) -> str:
    path = re.sub(r"<\w+>", "x", route.template)
    return contract.key_of(route.method, path, {route.action: None} if route.action else None)


@pytest.mark.parametrize("kind", ["request", "query"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda row: f"{row.method} {row.template} {row.action or ''}")
def test_takes_what_nova_takes(contract: Any, route: Any, kind: str) -> None:
    """For a body or a query, our schema has the same fields as Nova's, of the same kinds."""
    operation = contract.operations[key_of(contract, route)]
    ours = getattr(route.handler, "body" if kind == "request" else "query", None)
    found: dict[str, str] = {}
    for version in ALL_VERSIONS:
        novas = contract.in_range(operation[kind], version)
        if not route.serves(version) or novas is None or (not novas.get("properties") and ours is None):
            continue
        if ours is None:
            found.setdefault("nothing is checked", str(version))
            continue
        for line in differences(shape(ours.schema(version)), shape(novas or ANYTHING)):
            found.setdefault(line, str(version))
    assert found == {}
