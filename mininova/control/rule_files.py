"""A file of rules that processes follow (mininova/followed.py), as the control API shows and changes it."""

import os
from pathlib import Path
from typing import Any

import msgspec

from mininova import errors, followed


class RuleFile:
    """A file of rules.

    :param path: where it is; None when the settings do not say
    :param into: the struct that it is
    :param missing: what the settings do not say then
    """

    def __init__(self, path: str | None, into: type[Any], missing: str) -> None:
        self._path, self._into, self._missing = path, into, missing

    def show(self) -> dict[str, Any]:
        """Give what is in force.

        :raises errors.Conflict: there is no file
        """
        shown: dict[str, Any] = msgspec.to_builtins(followed.read(self._there(), self._into))
        return shown

    def replace(self, rules: msgspec.Struct) -> None:
        """Have these rules be in force, and no others.

        :raises errors.Conflict: there is no file
        """
        path = self._there()
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(rules))  # JSON is YAML, too
        os.replace(fresh, path)

    def _there(self) -> Path:
        if self._path is None:
            raise errors.Conflict(self._missing)
        return Path(self._path)
