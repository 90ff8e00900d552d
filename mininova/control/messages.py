"""Which messages are lost on purpose: one file of rules, which all services read again when it changes."""

from fnmatch import fnmatchcase
from typing import Any

from mininova import errors
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.control.bodies import takes
from mininova.control.rule_files import RuleFile
from mininova.rpc.losses import Losses
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.wsgi import Request, Route

MISSING = "[losses] file does not say where the rules are by which messages are lost."
METHODS = sorted({method for api in (ComputeAPI, ConductorAPI, SchedulerAPI) for method in api.methods})


class MessageHandlers:
    """The rules by which messages are lost.

    :param file: where they are; None when the settings do not say
    """

    def __init__(self, file: str | None) -> None:
        self._file = RuleFile(file, Losses, MISSING)

    def show_losses(self, request: Request) -> dict[str, Any]:
        """Show the rules by which messages are lost on purpose."""
        return self._file.show()

    @takes(Losses)
    def lose(self, request: Request, losses: Losses) -> None:
        """Have messages be lost by these rules and no others; each service counts those it sends from now on."""
        for place, rule in enumerate(losses.rules):
            if not any(fnmatchcase(method, rule.method) for method in METHODS):
                where = f"Invalid input for field/attribute rules[{place}].method"
                raise errors.InvalidInput(f"{where}: no message asks for {rule.method!r}")
        self._file.replace(losses)

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [Route("GET", "/losses", self.show_losses), Route("PUT", "/losses", self.lose)]
