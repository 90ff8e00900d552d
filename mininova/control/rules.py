"""The rules by which requests fail, as the control API shows and changes them (mininova/wsgi/rules.py applies them)."""

from typing import Any

import msgspec

from mininova.control.bodies import takes
from mininova.wsgi import Reply, Request, Route
from mininova.wsgi.rules import Rule, Rules, Standing


class RuleHandlers:
    """The rules by which requests fail."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def index(self, request: Request) -> dict[str, Any]:
        """List the rules, with how many requests each matched, and with how many of them it did something."""
        return {"rules": [shown(standing) for standing in self._rules]}

    @takes(Rule)
    def create(self, request: Request, rule: Rule) -> Reply:
        """Make a rule: it is in force at once, after those that are there."""
        return Reply(201, {"rule": shown(self._rules.add(rule))})

    def show(self, request: Request, id: str) -> dict[str, Any]:
        """Show a rule."""
        return {"rule": shown(self._rules.get(id))}

    def delete(self, request: Request, id: str) -> None:
        """Delete a rule; requests that it delays go on at once."""
        self._rules.remove(self._rules.get(id).id)

    def delete_all(self, request: Request) -> None:
        """Delete all rules."""
        self._rules.clear()

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [
            Route("GET", "/rules", self.index),
            Route("POST", "/rules", self.create),
            Route("DELETE", "/rules", self.delete_all),
            Route("GET", "/rules/<id>", self.show),
            Route("DELETE", "/rules/<id>", self.delete),
        ]


def shown(standing: Standing) -> dict[str, Any]:
    """Write a rule as it is answered."""
    counts = {"id": standing.id, "matched": standing.matched, "applied": standing.applied}
    return {**counts, **msgspec.to_builtins(standing.rule)}
