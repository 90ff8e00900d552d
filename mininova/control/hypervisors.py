"""How the fake hypervisors behave: one file of rules, which all of them read again when it changes."""

import os
from pathlib import Path
from typing import Any

import msgspec

from mininova import errors
from mininova.control.bodies import takes
from mininova.virt import behaviour
from mininova.wsgi import Request, Route


class HypervisorHandlers:
    """The rules of the fake hypervisors.

    :param file: where they are; None when the settings do not say
    """

    def __init__(self, file: str | None) -> None:
        self._file = file

    def show_behaviour(self, request: Request) -> dict[str, Any]:
        """Show the rules by which the fake hypervisors go."""
        shown: dict[str, Any] = msgspec.to_builtins(behaviour.read(self._path()))
        return shown

    @takes(behaviour.File)
    def behave(self, request: Request, file: behaviour.File) -> None:
        """Have the fake hypervisors go by these rules and no others, from their next operation on."""
        path = self._path()
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(file))  # JSON is YAML, too
        os.replace(fresh, path)

    def _path(self) -> Path:
        if self._file is None:
            raise errors.Conflict("[control] behaviour does not say where the rules of the fake hypervisors are.")
        return Path(self._file)

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [Route("GET", "/behaviour", self.show_behaviour), Route("PUT", "/behaviour", self.behave)]
