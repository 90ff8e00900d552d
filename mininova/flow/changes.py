"""Says what a message changes: the states it leads from and to, the host, the address.

One row of a table for each method that means such a change.  An instance's state is named by its task_state
while something is being done to it, and by its vm_state while it rests, so that a boot reads as one chain:
scheduling → networking → … → active.
"""

import re
from collections.abc import Callable
from typing import Any

from mininova.flow.payload import at, listed

Describe = Callable[[Any, Any], str]

#: The notification that says which state was just written for an instance.
STATE_WRITTEN = "compute.instance.update"

_STATES = ("vm_state", "task_state")
_STEP = re.compile(r"([\w-]+) → ([\w-]+)")


def state(instance: Any) -> str | None:
    """Name where an instance is: its task_state, or its vm_state when it has none."""
    named = at(instance, "task_state") or at(instance, "vm_state")
    return None if named is None else str(named)


def asked(method: str, args: Any, result: Any) -> str:
    """Say what a message changes, or which change it reports; "" when it is not about states.

    :param args: the message's arguments, as plain data
    :param result: what it was answered, or None while that is not known
    """
    return ASKED.get(method, _reason if method.endswith(".error") else _accepted)(args, result)


def answered(method: str, args: Any, result: Any) -> str:
    """Say what the answer to a call brings; "" when that is not worth showing."""
    describe = ANSWERED.get(method)
    return describe(args, result) if describe else ""


def step(change: str) -> tuple[str, str] | None:
    """Read the states that a change leads from and to; None for one that is about something else."""
    found = _STEP.match(change)
    return (found[1], found[2]) if found else None


def _step(before: Any, after: Any) -> str:
    return f"{before} → {after}" if before and after and before != after else ""


def _accepted(args: Any, result: Any) -> str:
    """Say what the api has written before it sent this: the first step of an operation, if it is one."""
    return _step(at(args, "instance", "vm_state"), at(args, "instance", "task_state"))


def _created(args: Any, result: Any) -> str:
    count = len(listed(at(args, "instances")))
    reached = state(at(args, "instances", 0))
    return f"new → {reached}{f', {count} of them' if count > 1 else ''}" if reached else ""


def _placed(args: Any, result: Any) -> str:
    host = at(args, "instance", "host")
    return f"host = {host}" if host else ""


def _updated(args: Any, result: Any) -> str:
    changes = at(args, "changes")
    if not isinstance(changes, dict):
        return ""
    before = {key: at(args, "instance", key) for key in _STATES}
    moved = _step(state(before), state({**before, **changes}))
    return moved or ", ".join(f"{key} = {value}" for key, value in changes.items() if key not in _STATES)


def _networked(args: Any, result: Any) -> str:
    return _step(state(at(args, "instance")), state(result) or "networking")


def _moved(args: Any, result: Any) -> str:
    return _step(state(at(args, "instance")), state(result))


def _failed(args: Any, result: Any) -> str:
    moved = _step(state(at(args, "instance")), state(result)) or f"{at(args, 'operation')} failed"
    return f"{moved}: {at(args, 'fault', 'message')}"


def _destroyed(args: Any, result: Any) -> str:
    return _step(state(at(args, "instance")), "deleted")


def _selected(args: Any, result: Any) -> str:
    chosen = [[at(host, "host") for host in hosts] for hosts in map(listed, listed(result))]
    if len(chosen) == 1 and len(chosen[0]) > 1:
        return f"{chosen[0][0]}, else {', '.join(map(str, chosen[0][1:]))}"
    return ", ".join(str(hosts[0]) for hosts in chosen if hosts)


def _addressed(args: Any, result: Any) -> str:
    addresses = [at(address, "address") for address in listed(at(result, "addresses"))]
    return f"address {', '.join(map(str, addresses))}" if addresses else ""


def _notified(args: Any, result: Any) -> str:
    old = {"vm_state": at(args, "old_state"), "task_state": at(args, "old_task_state")}
    new = {"vm_state": at(args, "state"), "task_state": at(args, "new_task_state")}
    return _step(state(old) or "new", state(new))


def _reason(args: Any, result: Any) -> str:
    said = at(args, "reason") or at(args, "message") or at(args, "fault", "message") or at(args, "exception")
    return said if isinstance(said, str) else ""


ASKED: dict[str, Describe] = {
    "build_instances": _created,
    "build_instance": _placed,
    "reschedule_instance": _reason,
    "allocate_network": _networked,
    "update_instance": _updated,
    "upload_snapshot": _moved,
    "offload_instance": _moved,
    "fail_instance": _failed,
    "destroy_instance": _destroyed,
    STATE_WRITTEN: _notified,
}

ANSWERED: dict[str, Describe] = {
    "select_destinations": _selected,
    "allocate_network": _addressed,
}
