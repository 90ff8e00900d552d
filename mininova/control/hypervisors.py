"""How the fake hypervisors behave: one file of rules, which all of them read again when it changes."""

from typing import Any

from mininova.control.bodies import takes
from mininova.control.rule_files import RuleFile
from mininova.virt import behaviour
from mininova.wsgi import Request, Route

MISSING = "[control] behaviour does not say where the rules of the fake hypervisors are."


class HypervisorHandlers:
    """The rules of the fake hypervisors.

    :param file: where they are; None when the settings do not say
    """

    def __init__(self, file: str | None) -> None:
        self._file = RuleFile(file, behaviour.File, MISSING)

    def show_behaviour(self, request: Request) -> dict[str, Any]:
        """Show the rules by which the fake hypervisors go."""
        return self._file.show()

    @takes(behaviour.File)
    def behave(self, request: Request, file: behaviour.File) -> None:
        """Have the fake hypervisors go by these rules and no others, from their next operation on."""
        self._file.replace(file)

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [Route("GET", "/behaviour", self.show_behaviour), Route("PUT", "/behaviour", self.behave)]
