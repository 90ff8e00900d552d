"""Who may command a compute node: the conductor and the api, and nobody else; least of all another compute node.

A cast may also come from the operator's tool, which sends again what was parked.
"""

from collections.abc import Mapping

from mininova.trust import replies
from mininova.trust.gate import Gate, Rule, about_instance

_CAST = Rule(frozenset({"api", "conductor", "operator"}), about_instance)
_CALL = Rule(frozenset({"api", "conductor"}), about_instance)

RULES: Mapping[str, Rule] = {
    "build_instance": _CAST,
    "delete_instance": _CAST,
    "stop_instance": _CAST,
    "start_instance": _CAST,
    "reboot_instance": _CAST,
    "get_console_output": _CALL,
    "get_diagnostics": _CALL,
}


def gate() -> Gate:
    """Make the gate before ComputeAPI; it knows the controller's services by their names, and no compute."""
    return Gate(RULES, replies.controller)
