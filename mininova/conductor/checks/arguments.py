"""What a compute node may say in each message to the conductor: one closed table of checks, method by method.

The declarations in rpcapi.py say which methods a compute may call.  A compute speaks for its own hosts and for what is
on them.  Here the message alone is judged: the host that it names must be one of the caller's, and what it would write
must be what states.OPERATIONS allows from where it says that the instance is.  That the row is really there, and really
in that state, is compared in the statement that writes (db/instances.py), so between looking and writing there is no
gap.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from mininova import rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.objects import ComputeNode, InstanceChanges, Versioned
from mininova.trust.gate import Arguments, Check
from mininova.trust.identities import Identity

BINARY = "nova-compute"  # what alone a compute may report itself as

LONGEST_REPORT = 16 * 1024  # bytes of what it says of itself and its node
MOST_VERSIONS = 100  # that it says it speaks
LONGEST_VERSION = 64  # characters; there may be several, of several majors
_LARGEST = 2**31 - 1  # that the columns hold
_LEAST_RATIO = 0.01  # as its settings have it


# ---- whose it is


def _own_instance(identity: Identity, arguments: Arguments) -> str:
    return _own(identity, arguments["instance"].host)


def _own_host(identity: Identity, arguments: Arguments) -> str:
    return _own(identity, arguments["host"])


def _own(identity: Identity, host: str | None) -> str:
    return "" if host in identity.hosts else f"it does not stand for the host {host!s:.100}"


# ---- what it may write

May = Callable[[Any], bool]
_POWER: May = states.POWER_STATES.__contains__
_PERCENT: May = range(101).__contains__


def _lawful_update(identity: Identity, arguments: Arguments) -> str:
    changes: InstanceChanges = arguments["changes"]
    written = {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
    return unlawful(written, arguments["expected_task_state"])


def unlawful(changes: Mapping[str, Any], expected: Sequence[str | None]) -> str:
    """Say which change a compute may not make of an instance in one of these task_states; "" when it may make all.

    It moves an operation on by a step, or ends it well; one that nothing is done to may be found to have stopped, or
    to be lost.  Ending badly, and deleting, are messages of their own.
    """
    operations = {states.operation_of(state) for state in expected}
    if not expected or len(operations) > 1 or (operations == {None} and set(expected) != {None}):
        return f"the task_states {list(expected)} are not those of one operation"
    if not changes:
        return "there is nothing in it that a compute may write"
    (operation,) = operations
    if operation == "delete":
        return "a delete ends with destroy_instance"
    allowed = _allowed(operation, ends="task_state" in changes and changes["task_state"] is None)
    for name, value in changes.items():
        if name not in allowed or not allowed[name](value):
            return f"while {operation or 'nothing'} is under way, {name} may not become {value!s:.100}"
    if operation and "vm_state" in allowed and "vm_state" not in changes:
        return "an operation ends with its vm_state"
    return ""


def _allowed(operation: str | None, ends: bool) -> Mapping[str, May]:
    """Give the fields that a compute may write, and the values that each may have."""
    if operation is None:
        return {"vm_state": {states.STOPPED, states.ERROR}.__contains__, "power_state": _POWER}
    if not ends:
        first, *further = states.under_way(operation)
        return {"task_state": (further or [first]).__contains__, "power_state": _POWER, "progress": _PERCENT}
    end: dict[str, May] = {name: [value].__contains__ for name, value in states.finish(operation).items()}
    launched: dict[str, May] = {"launched_at": lambda value: True} if operation == "build" else {}
    return {**end, **launched, "power_state": _POWER, "progress": _PERCENT}


def _known_failure(identity: Identity, arguments: Arguments) -> str:
    operation, code = arguments["operation"], arguments["fault"].code
    if operation not in states.OPERATIONS:
        return f"there is no operation {operation!s:.100}"
    return "" if 100 <= code <= 599 else f"a fault has no code {code}"


# ---- what it may report


def _own_report(identity: Identity, arguments: Arguments) -> str:
    service, node = arguments["service"], arguments["node"]
    if (service.binary, service.topic) != (BINARY, ComputeAPI.topic):
        return f"it is no {service.binary!s:.100} of the topic {service.topic!s:.100}"
    if service.host != node.host:
        return f"it reports {service.host!s:.100}, and the room of {node.host!s:.100}"
    return (
        _own(identity, service.host)
        or _own_name(node)
        or _own_words(service.versions)
        or _own_size(node)
        or _own_length(service, node)
    )


def _own_name(node: ComputeNode) -> str:
    """A node of another's name would be sent what an administrator means for that one."""
    name = node.hypervisor_hostname
    return "" if name == node.host else f"its hypervisor_hostname is {name!s:.100}, and not that of its host"


def _own_words(versions: Mapping[str, str]) -> str:
    """Objects are named with a capital; another topic's version is not a compute's to say."""
    if len(versions) > MOST_VERSIONS:
        return f"it speaks {len(versions)} things"
    for name, said in versions.items():
        if name != ComputeAPI.topic and not (name[:1].isupper() and name.isalnum()):
            return f"it cannot say which version of {name!s:.100} is spoken"
        if len(said) > LONGEST_VERSION or not all(_is_version(word) for word in said.split()):
            return f"{said!s:.100} is no version"
    return ""


def _is_version(word: str) -> bool:
    try:
        rpc.Version.parse(word)
    except ValueError:
        return False
    return True


def _own_size(node: ComputeNode) -> str:
    for name in node.__struct_fields__:
        value = getattr(node, name)
        least = _LEAST_RATIO if name.endswith("_ratio") else 0
        if isinstance(value, (int, float)) and not least <= value <= _LARGEST:
            return f"its {name} is {value!s:.100}"
    return ""


def _own_length(*reported: Versioned) -> str:
    return "" if len(msgspec.json.encode(reported)) <= LONGEST_REPORT else f"it says more than {LONGEST_REPORT} bytes"


# ---- the table

# fmt: off
CHECKS: Mapping[str, Sequence[Check]] = {
    "reschedule_instance": [_own_instance],
    "allocate_network":    [_own_instance],
    "update_instance":     [_own_instance, _lawful_update],
    "fail_instance":       [_own_instance, _known_failure],
    "destroy_instance":    [_own_instance],
    "get_instance":        [],  # the row tells whose it is: conductor/manager.py
    "get_instances":       [_own_host],
    "report_state":        [_own_report],
    "get_levels":          [],
}
# fmt: on
