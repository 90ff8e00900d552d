"""What a compute node may say in each message to the conductor: one closed table of checks, method by method.

The declarations in rpcapi.py say which methods a compute may call.  A compute speaks for its own hosts and for what is
on them.  Here the message alone is judged: the host that it names must be one of the caller's, and a report must be of
that host and of a sensible size.  Two more questions are answered elsewhere: states.py knows which changes an operation
makes, and the statement that writes (db/instances.py) compares where the instance is, and which operation is under way.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from mininova import rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.steps import host_of
from mininova.db.networks import MOST_DEPARTED
from mininova.db.task_log import MAX_MESSAGE_CHARS
from mininova.objects import ComputeNode, Versioned
from mininova.objects.task_log import DONE, RUNNING, USAGE_AUDIT
from mininova.trust.gate import Arguments, Check
from mininova.trust.identities import Identity

BINARY = "nova-compute"  # the only service that a compute may report

LONGEST_REPORT = 16 * 1024  # bytes of its service and its node together
LONGEST_SNAPSHOT = 64 * 1024  # characters
MOST_VERSIONS = 100  # of interfaces and objects, in one report
LONGEST_VERSION = 64  # characters; a service may speak several majors
UUID_CHARS = 36

HASH = re.compile("[A-Za-z0-9+/]{48}")  # four bytes of salt and a SHA-256, in base64


# ---- the host is one of the caller's


def _own_instance(identity: Identity, arguments: Arguments) -> str:
    return _own(identity, arguments["instance"].host)


def _own_host(identity: Identity, arguments: Arguments) -> str:
    return _own(identity, arguments["host"])


def _own(identity: Identity, host: str | None) -> str:
    return "" if host in identity.hosts else f"it does not stand for the host {host!s:.100}"


def _own_step(identity: Identity, arguments: Arguments) -> str:
    """Let a host speak of a migration only where its own step is said to be due; the row tells whether it is."""
    return _own(identity, host_of(arguments["migration"]))


def _a_power_state(identity: Identity, arguments: Arguments) -> str:
    state = arguments["power_state"]
    return "" if state in states.POWER_STATES else f"there is no power state {state}"


def _few_cleared(identity: Identity, arguments: Arguments) -> str:
    """Let a host clear as many instances at a time as it is told of; where each was is compared when it is written."""
    cleared = arguments["cleared"]
    if len(cleared) > MOST_DEPARTED or any(len(uuid) > UUID_CHARS for uuid in cleared):
        return f"{len(cleared)} instances cannot have left it, as it was told"
    return ""


# ---- what was taken of a guest


def _short_snapshot(identity: Identity, arguments: Arguments) -> str:
    """Take so much of a guest as a message may carry; that a fake one has no more, its hypervisor knows."""
    taken = len(arguments["taken"])
    return "" if taken <= LONGEST_SNAPSHOT else f"{taken} characters are more than the {LONGEST_SNAPSHOT} of a snapshot"


# ---- a report


def _own_report(identity: Identity, arguments: Arguments) -> str:
    service, node = arguments["service"], arguments["node"]
    if (service.binary, service.topic) != (BINARY, ComputeAPI.topic):
        return f"a compute is no {service.binary!s:.100} of the topic {service.topic!s:.100}"
    if service.host != node.host:
        return f"the service is on {service.host!s:.100}, and the node on {node.host!s:.100}"
    return _own(identity, service.host) or _own_name(node) or _own_words(service.versions) or _own_length(service, node)


def _own_name(node: ComputeNode) -> str:
    """Refuse a node with another's name: it would get the instances that an administrator sends to that one."""
    name = node.hypervisor_hostname
    return "" if name == node.host else f"the node's hypervisor_hostname is {name!s:.100}, and not its host's name"


def _own_words(versions: Mapping[str, str]) -> str:
    """Let a compute say which version of its own topic, and of objects (named with a capital), it speaks."""
    if len(versions) > MOST_VERSIONS:
        return f"it speaks {len(versions)} interfaces and objects, and {MOST_VERSIONS} are the most"
    for name, said in versions.items():
        if name != ComputeAPI.topic and not (name[:1].isupper() and name.isalnum()):
            return f"a compute does not serve {name!s:.100}, and cannot say which version is spoken"
        if len(said) > LONGEST_VERSION or not all(_is_version(word) for word in said.split()):
            return f"{said!s:.100} is no version"
    return ""


def _is_version(word: str) -> bool:
    try:
        rpc.Version.parse(word)
    except ValueError:
        return False
    return True


def _own_length(*reported: Versioned) -> str:
    return (
        ""
        if len(msgspec.json.encode(reported)) <= LONGEST_REPORT
        else f"the report is longer than {LONGEST_REPORT} bytes"
    )


def _own_task_log(identity: Identity, arguments: Arguments) -> str:
    """Take what a host says of its own usage audit; which periods there are is compared when it is written."""
    log = arguments["task_log"]
    if log.task_name != USAGE_AUDIT:
        return f"there is no log of a task {log.task_name!s:.100}"
    if log.state not in (RUNNING, DONE):
        return f"no task is {log.state!s:.100}"
    if len(log.message) > MAX_MESSAGE_CHARS:
        return f"a message of {len(log.message)} characters has no room"
    return _own(identity, log.host)


# ---- a password


def _a_hash(identity: Identity, arguments: Arguments) -> str:
    """Take what the broker could have made of a password; whose it is, the broker says that vouches for the sender."""
    return "" if HASH.fullmatch(arguments["password_hash"]) else "this is no hash of a password"


# ---- the table

# fmt: off
CHECKS: Mapping[str, Sequence[Check]] = {
    "connect_volumes":     [_own_instance],
    "end_attachment":      [_own_instance],
    "fail_attachment":     [_own_instance],
    "reschedule_instance": [_own_instance],
    "allocate_network":    [_own_instance],
    "begin_step":          [_own_step],
    "end_step":            [_own_step, _a_power_state],
    "fail_step":           [_own_step],
    "update_instance":     [_own_instance],
    "upload_snapshot":     [_own_instance, _short_snapshot],
    "offload_instance":    [_own_instance],
    "fail_instance":       [_own_instance],
    "end_detach":          [_own_instance],
    "destroy_instance":    [_own_instance],
    "get_instance":        [],  # the row tells whose it is: conductor/manager.py
    "get_instances":       [_own_host],
    "reconcile_host":      [_own_host, _few_cleared],
    "report_state":        [_own_report],
    "record_task_log":     [_own_task_log],
    "get_levels":          [],
    "renew_password":      [_a_hash],
}
# fmt: on
