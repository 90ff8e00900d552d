"""Wrong requests, made of Nova's contract (tests/unit/api/contract): in each place of each body and query, all faults.

A request has one fault, in a smallest right body.  What Nova's schema takes is left out, so that nothing changes.  Each
operation is asked at the newest microversion that has it, and in older ones where the schema of the place was another.
Of the bodies of actions, only what is below the name of the action is wrong: cases.py has what leads to none.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import extend

from mininova.api import microversions
from mininova.wsgi import Microversion
from mininova.wsgi.values import moment
from tests.differential.cases import Asked
from tests.fixtures.nova_contract import formats, in_range, load

Json = dict[str, Any]
#: Something wrong: what, such as ``.server.name = 1``; the whole body or query with it; the schema of the place.
Wrong = tuple[str, Any, Json]

#: What stands in a path for the id of a thing of a kind; a 1 for all others.
IDS = {"servers": "$server", "flavors": "small", "images": "$image", "os-quota-sets": "$demo"}
#: A value of each type, and a text that few patterns and formats take.
VALUES = (None, True, -1, "", " a, b/(", [], {})
#: The words of a schema about what is below its place.
BELOW = ("properties", "patternProperties", "items", "prefixItems")
#: Longer texts are not sent, for the answers repeat them.
LONGEST = 1000
#: An example of a schema is the first of these that it takes.
EXAMPLES = (
    "a", "1", 1, "dddddddd-dddd-4ddd-8ddd-dddddddddddd", "10.1.1.1", "fe80::1", True, None, {}, [],
    "2026-01-01T00:00:00", "network-changed",
)  # fmt: skip
#: Names that the patterns of keys take.
KEYS = ("a", "_", "property-a")

_formats = FormatChecker(formats=())
_formats.checkers = dict(formats.checkers)
_formats.checks("name")(lambda value: not isinstance(value, str) or value == value.strip())
_formats.checks("base64")(lambda value: not isinstance(value, str) or bool(re.fullmatch("[A-Za-z0-9+/=]*", value)))
_formats.checks("date-time", ValueError)(lambda value: not isinstance(value, str) or bool(moment(value)))


def _bound(keyword: str) -> Any:
    """Have a bound be one of a text of digits, too, as Nova has it."""
    check: Any = Draft202012Validator.VALIDATORS[keyword]
    return lambda validator, bound, value, schema: check(validator, bound, _number(value), schema)


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch("-?[0-9]+", value) else value


_Nova = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {word: _bound(word) for word in ("minimum", "maximum")}
)


def _validator(schema: Json) -> Any:
    return _Nova(schema, format_checker=_formats)


def requests() -> Iterator[tuple[str, Asked]]:
    """Give the requests, by name: ``POST /flavors at 2.104: .flavor.ram = null``."""
    contract = load()
    for key, operation in contract.operations.items():
        method, template, *action = key.split(" ")
        path, seen = re.sub(r"/([\w-]+)/\{\w+\}", lambda found: f"/{found[1]}/{IDS.get(found[1], 1)}", template), set()
        for version in _versions(contract.live[key], [*operation["request"], *operation["query"]]):
            body, query = (in_range(operation[kind], Microversion.parse(version)) for kind in ("request", "query"))
            right = example(body) if body else None
            asked = [
                *((what, path, wrong) for what, wrong in _bodies(body or {}, action, seen)),
                *((f"?{what}", f"{path}?{wrong}", right) for what, wrong in _queries(query or {}, seen)),
            ]
            for what, to, said in asked:
                yield f"{key} at {version}: {what}", Asked(method, to, said, user="admin", version=version)


def _versions(live: list[str | None], schemas: list[list[Any]]) -> list[str]:
    """Give the newest microversion that has an operation, and before it the last one of each older schema."""
    first, last = (Microversion.parse(version) if version else None for version in live)
    oldest, newest = first or microversions.MIN, min(last or microversions.MAX, microversions.MAX)
    ends = {Microversion.parse(high) for _, _, high in schemas if high is not None}
    return [str(it) for it in sorted({newest, *ends}, reverse=True) if oldest <= it <= newest]


def _bodies(schema: Json, action: list[str], seen: set[str]) -> Iterator[tuple[str, Any]]:
    for what, body in _refused(schema, faults(schema), seen):
        if not action or (isinstance(body, dict) and [f"{{{name}}}" for name in body] == action):
            yield what, body


def _queries(schema: Json, seen: set[str]) -> Iterator[tuple[str, str]]:
    """Give queries, as they are in a URL: each parameter has a list of texts, with at least one."""
    for what, query in _refused(schema, faults(schema), seen):
        if isinstance(query, dict) and query and all(map(_is_of_texts, query.values())):
            yield what, urlencode(query, doseq=True)


def _is_of_texts(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(it, str) for it in values)


def _refused(schema: Json, wrong: Iterator[Wrong], seen: set[str]) -> Iterator[tuple[str, Any]]:
    """Keep what a schema refuses, but for what was so before.

    :param seen: the faults that there were
    """
    validator, named = _validator(schema), set[str]()
    for what, document, place in wrong:
        known = what in named or (fault := f"{what.rpartition('.')[2]} {json.dumps(place)}") in seen
        if not known and not validator.is_valid(document):
            yield what, document
            named.add(what)
            seen.add(fault)


# ---- what may be wrong with a place


def faults(schema: Json) -> Iterator[Wrong]:
    """Give all that may be wrong with a place, and some that is not: the value itself, or something below."""
    itself = {word: said for word, said in schema.items() if word not in BELOW}
    for value in (*VALUES, *_beyond(schema)):
        text = json.dumps(value)
        yield f" = {text if len(text) < 60 else f'{text[:10]}… of {len(text)}'}", value, itself
    for inner in (it for word in ("oneOf", "anyOf", "allOf") for it in schema.get(word, ())):
        yield from faults(inner)
    if _fields(schema):
        yield from _faults_of_object(schema)
    for inner in _items(schema):
        yield from ((f"[]{what}", [value], place) for what, value, place in faults(inner))


def _faults_of_object(schema: Json) -> Iterator[Wrong]:
    right = example(schema)
    for name in schema.get("required", ()):
        yield f" without {name}", {key: value for key, value in right.items() if key != name}, schema
    for name, inner in _fields(schema).items():
        yield from ((f".{name}{what}", {**right, name: value}, place) for what, value, place in faults(inner))
    yield " and more", {**right, "unknown": ["1"]}, schema  # in a query, too, a value is a list


def _beyond(schema: Json) -> Iterator[Any]:
    """Give values just beyond the bounds of a schema; of names and patterns, a text that is not printable."""
    if "pattern" in schema or schema.get("format") == "name":
        yield "a\a"
    for word, step in (("minimum", -1), ("maximum", 1)):
        if word in schema:
            yield from (schema[word] + step, str(schema[word] + step))
    if schema.get("maxLength", LONGEST) < LONGEST:
        yield "a" * (schema["maxLength"] + 1)
    for inner in _items(schema):
        yield [example(inner)] * (schema.get("maxItems", 1) + 1)


def _fields(schema: Json) -> dict[str, Json]:
    by_pattern = schema.get("patternProperties", {}).items()
    named = {next(key for key in KEYS if re.search(pattern, key)): inner for pattern, inner in by_pattern}
    return {**named, **schema.get("properties", {})}


def _items(schema: Json) -> list[Json]:
    return [*schema.get("prefixItems", ()), *([schema["items"]] if "items" in schema else [])][:1]


def example(schema: Json) -> Any:
    """Give a small value that a schema takes.

    :raises LookupError: when none is known
    """
    fields = _fields(schema)
    if fields:
        names = list(schema.get("required", ()))
        spare = [name for name in fields if name not in names]
        return {name: example(fields[name]) for name in (*names, *spare[: schema.get("minProperties", 0)])}
    validator = _validator(schema)
    for value in (*schema.get("enum", ()), *EXAMPLES, *([example(inner)] for inner in _items(schema))):
        if validator.is_valid(value):
            return value
    raise LookupError(f"no example of {schema}")
