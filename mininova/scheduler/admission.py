"""Who may ask a scheduler: the conductor, and nobody else."""

from collections.abc import Mapping

from mininova.trust import replies
from mininova.trust.gate import Gate, Rule

RULES: Mapping[str, Rule] = {
    "select_destinations": Rule(frozenset({"conductor"}), lambda arguments: ", ".join(arguments["instance_uuids"])),
}


def gate() -> Gate:
    """Make the gate before SchedulerAPI; it knows the controller's services by their names, and no compute."""
    return Gate(RULES, replies.controller)
