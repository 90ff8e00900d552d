"""The fixture ``api`` for these tests, and Nova's contract, which its answers must keep."""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from mininova.api.microversions import MIN
from mininova.wsgi import Microversion
from tests.fixtures.api_harness import api, db, make_api

__all__ = ["api", "contract", "db", "make_api"]

CONTRACT = Path(__file__).with_name("nova_contract.json.gz")

# Status codes that Nova's methods set while they run: its decorators do not name them.
SET_AT_RUN_TIME = {
    "PUT /servers/{server_id}/tags/{id}": {201, 204},
    "POST /os-server-external-events": {200, 207},
}
# Nova calls the hosts uuids that an audit has not run on, and answers with their names.
NAMES_OF_HOSTS = "hosts_not_run"
# Status codes that any operation may answer.
ALWAYS = {400, 401, 403, 404, 406, 413}

formats = FormatChecker(formats=("ipv4", "ipv6", "regex"))
formats.checks("uuid", ValueError)(lambda value: not isinstance(value, str) or bool(UUID(value)))


def in_range(entries: list[list[Any]], version: Microversion) -> Any:
    """Give the entries of a contract that hold in a microversion."""
    for value, low, high in entries:
        if (low is None or Microversion.parse(low) <= version) and (
            high is None or version <= Microversion.parse(high)
        ):
            return value
    return None


class Contract:
    """Nova's contract: what each operation takes and answers."""

    def __init__(self, operations: dict[str, Any], removed: list[str]) -> None:
        self.operations, self.removed = operations, removed
        self._patterns = sorted(((self._pattern(key), key) for key in operations), key=lambda item: item[1].count("{"))

    in_range = staticmethod(in_range)

    @staticmethod
    def _pattern(key: str) -> re.Pattern[str]:
        method, path, *action = key.split(" ")
        url = re.sub(r"\{\w+\}", "[^/]+", path)
        return re.compile(f"^{method} {url}{' ' + re.escape(action[0]) if action else ''}$")

    def key_of(self, method: str, path: str, body: Any) -> str:
        """Find the operation of a request."""
        action = f" {{{next(iter(body))}}}" if path.endswith("/action") else ""
        asked = f"{method} {path.partition('?')[0]}{action}"
        return next(key for pattern, key in self._patterns if pattern.match(asked))

    def problems(self, method: str, path: str, body: Any, version: str, answer: Any) -> list[str]:
        """List where an answer differs from Nova's."""
        # Below /v2, answers are those of 2.1.
        key, parsed = self.key_of(method, path, body), max(MIN, Microversion.parse(version))
        operation = self.operations[key]
        if answer.status >= 400:
            expected = {code for codes, _, _ in operation["errors"] for code in codes} | ALWAYS
            return [] if answer.status in expected else [f"{key} @{version}: {answer.status} is not expected"]
        found = []
        codes = SET_AT_RUN_TIME.get(key, {in_range(operation["codes"], parsed)})
        if answer.status not in codes:
            found.append(f"{key} @{version}: {answer.status}, not {codes}")
        schema = in_range(operation["response"], parsed)
        if schema is None:
            return [*found, f"{key} @{version}: Nova has no such operation in this version"]
        wrong = Draft202012Validator(schema, format_checker=formats).iter_errors(answer.body)
        return found + [
            f"{key} @{version}: {error.json_path}: {error.message[:200]}"
            for error in wrong
            if not (error.validator == "format" and NAMES_OF_HOSTS in error.path)
        ]


@cache
def load() -> Contract:
    """Read the contract once."""
    kept = json.loads(gzip.decompress(CONTRACT.read_bytes()))
    return Contract(kept["ops"], kept["removed"])


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Give Nova's contract."""
    return load()
