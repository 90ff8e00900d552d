"""The cloud as a whole: reset, saved and loaded, where it is one process (world.py does it)."""

from pathlib import Path
from typing import Annotated

import msgspec

from mininova import errors
from mininova.control.bodies import takes
from mininova.wsgi import Request, Route
from mininova.wsgi.deploy import World
from mininova.wsgi.rules import Rules

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Scope(msgspec.Struct, forbid_unknown_fields=True):
    """What is reset.

    :param project: the id of the one project that is; without it, all is
    """

    project: Id | None = None


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    """A file of the cloud's machine.

    :param path: from its root
    """

    path: Annotated[str, msgspec.Meta(pattern="^/.*[^/\\x00]$")]


class WholeHandlers:
    """The cloud as a whole."""

    def __init__(self, rules: Rules, world: World | None) -> None:
        self._rules, self._world = rules, world

    @takes(Scope)
    def reset(self, request: Request, scope: Scope) -> None:
        """Have the cloud as it was when it started, and no rule; or nothing of a project that it had not then."""
        self._all().reset(scope.project)
        if scope.project is None:
            self._rules.clear()

    @takes(Saved)
    def save(self, request: Request, file: Saved) -> None:
        """Write all that the cloud is to a file."""
        self._all().save(Path(file.path))

    @takes(Saved)
    def load(self, request: Request, file: Saved) -> None:
        """Have the cloud as it was when it was saved to a file."""
        self._all().load(Path(file.path))

    def _all(self) -> World:
        if self._world is None:
            raise errors.Conflict("Only mininova-cloud, which is one process, can be held still for this.")
        return self._world

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [
            Route("POST", "/reset", self.reset),
            Route("POST", "/save", self.save),
            Route("POST", "/load", self.load),
        ]
