"""Servers in states that are hard to reach."""

from typing import Literal

import msgspec

from mininova import states
from mininova.control.bodies import takes
from mininova.db import instances
from mininova.db.session import Database
from mininova.wsgi import Request, Route


class State(msgspec.Struct, forbid_unknown_fields=True):
    """What a server is to be; its guest, and its operation if there is one, are left as they are."""

    vm_state: Literal[*sorted(states.ANY)] | msgspec.UnsetType = msgspec.UNSET  # type: ignore[valid-type]
    task_state: Literal[*states.TASK_STATES] | msgspec.UnsetType | None = msgspec.UNSET  # type: ignore[valid-type]
    power_state: Literal[*sorted(states.POWER_STATES)] | msgspec.UnsetType = msgspec.UNSET  # type: ignore[valid-type]


class ServerHandlers:
    """The states of servers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @takes(State)
    def set_state(self, request: Request, state: State, id: str) -> None:
        """Set what a server's row says of its state."""
        changes = {name: value for name, value in msgspec.structs.asdict(state).items() if value is not msgspec.UNSET}
        with self._db.write() as tx:
            instances.update(tx, id, changes, generation=states.UNCOMPARED, expected_task_state=states.UNCOMPARED)

    def routes(self) -> list[Route]:
        """Give the row of the table."""
        return [Route("POST", "/servers/<id>/state", self.set_state)]
