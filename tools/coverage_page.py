"""docs/api-coverage.md, printed from the table of routes and from Nova's own list: tools/generated.py calls it."""

import gzip
import json
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from mininova.api import microversions
from mininova.api.routes import ALIASES, ROUTES

CONTRACT = Path(__file__).parents[1] / "tests/unit/api/contract/nova_contract.json.gz"

INTRODUCTION = """\
<!-- Printed by tools/update from mininova/api/routes.py and from Nova's own contract. -->

# What of the Compute API is served

Nova {nova} serves {live} operations; some of them only pass a request on to another service. mininova serves {served},
in the microversions of Nova's from {first} to {last}, and answers 404 to the others. What Nova removed is 410 here.

Tests ask each operation that is served in many microversions, and check status and body against Nova's own schemas
(`tests/unit/api/contract`).
"""
HEADING = "| Operation | Microversions | Served |\n| --- | --- | --- |"

#: The document of v2.1, which is answered before there is a token (mininova/api/versions.py).
DOCUMENT = "GET /"

Operation = tuple[str, str, str]


def page() -> str:
    """Print the page."""
    contract = json.loads(gzip.decompress(CONTRACT.read_bytes()))
    live: dict[str, list[str | None]] = contract["live"]
    rows = {(row.method, _unnamed(row.template), row.action or "") for row in (*ROUTES, *ALIASES)}
    served = {key for key in live if key == DOCUMENT or _operation(key) in rows}
    introduction = INTRODUCTION.format(
        nova="34.0.0", live=len(live), served=len(served), first=microversions.MIN, last=microversions.MAX
    )
    return "\n".join([introduction, *_sections(live, served)])


def _operation(key: str) -> Operation:
    """Take Nova's name of an operation apart: method, path without the names of its variables, action."""
    method, path, *action = key.split(" ")
    return method, _unnamed(path), "".join(action).strip("{}")


def _unnamed(path: str) -> str:
    return re.sub(r"[<{]\w+[>}]", "{}", path)


def _sections(live: dict[str, list[str | None]], served: set[str]) -> Iterator[str]:
    """Print a table for each collection, in the order of the alphabet."""
    for collection, keys in groupby(sorted(live, key=_collection), _collection):
        rows = list(keys)
        there = sum(key in served for key in rows)
        yield f"## {collection or 'The API itself'}: {there} of {len(rows)}\n"
        yield HEADING
        yield from (_row(key, *live[key], key in served) for key in rows)
        yield ""


def _collection(key: str) -> str:
    return _operation(key)[1].split("/")[1]


def _row(key: str, first: str | None, last: str | None, served: bool) -> str:
    method, path, *action = key.split(" ")
    span = f"{first or microversions.MIN} to {last}" if last else f"from {first}" if first else "all"
    shown = f"`{method} {path}`" + "".join(f" `{name.strip('{}')}`" for name in action)
    return f"| {shown} | {span} | {'yes' if served else 'not yet'} |"
