"""Keep of Nova's contract what concerns the operations that we serve: run by hand after dump_nova.py.

python tests/unit/api/contract/reduce_contract.py nova_contract.json
"""

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

from mininova.api import microversions
from mininova.api.routes import ROUTES
from mininova.wsgi import Microversion

CONTRACT = Path(__file__).with_name("nova_contract.json.gz")
KEPT = ("codes", "errors", "request", "query", "response")


def place(method: str, path: str, action: str | None) -> tuple[str, str, str | None]:
    """Give the place of an operation, with equal names for the variables in its path."""
    return method, re.sub(r"[<{]\w+[>}]", "{}", path), action


def reduce(operations: dict[str, Any]) -> dict[str, Any]:
    """Drop the operations and the microversions that we do not serve."""
    served = {place(route.method, route.template, route.action) for route in ROUTES}
    kept = {}
    for key, operation in operations.items():
        method, path, *action = key.split(" ")
        if place(method, path, action[0].strip("{}") if action else None) in served:
            kept[key] = {what: [entry for entry in operation[what] if _concerns_us(entry)] for what in KEPT}
    return kept


def _concerns_us(entry: list[Any]) -> bool:
    _, low, high = entry
    below = high is not None and Microversion.parse(high) < microversions.LEGACY
    return not below and (low is None or Microversion.parse(low) <= microversions.MAX)


def removed(operations: dict[str, Any]) -> list[str]:
    """List the operations that Nova answers 410."""
    return [key for key, operation in operations.items() if operation["removed"] and _is_gone(operation["errors"])]


def live(operations: dict[str, Any]) -> dict[str, list[str | None]]:
    """Give every operation that Nova still serves, with the first and the last microversion that has it."""
    return {
        key: [operation["min_version"], operation["max_version"]]
        for key, operation in operations.items()
        if not operation["removed"]
    }


def _is_gone(errors: list[list[Any]]) -> bool:
    return [codes for codes, _, _ in errors] == [[410]]


def main(path: str) -> None:
    """Write the reduced contract beside this file."""
    whole = json.loads(Path(path).read_text())
    operations = whole["ops"]
    reduced = {
        "nova_max": whole["max"], "ops": reduce(operations), "removed": removed(operations), "live": live(operations)
    }  # fmt: skip
    # No date in the header: the same contract is the same file.
    CONTRACT.write_bytes(gzip.compress(json.dumps(reduced, separators=(",", ":")).encode(), 9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
