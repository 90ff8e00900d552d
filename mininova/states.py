"""The states of an instance, and the one table that says how each operation moves through them.

Everything that decides whether and how an instance changes state is in this file, and it does not know which
service reads it.  The api refuses from the table (409), compute advances along it, the conductor compares and
swaps with it and refuses what a host may not write, the documentation prints it and the tests walk it.

``vm_state`` is where an instance rests, ``task_state`` what is being done to it, ``power_state`` what the
hypervisor saw last (nova: compute/vm_states.py, task_states.py, power_state.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from mininova import errors

if TYPE_CHECKING:
    from mininova.objects import Instance

# vm_state
BUILDING, ACTIVE, STOPPED, PAUSED, SUSPENDED = "building", "active", "stopped", "paused", "suspended"
SHELVED, SHELVED_OFFLOADED = "shelved", "shelved_offloaded"
RESCUED, RESIZED, ERROR, SOFT_DELETED, DELETED = "rescued", "resized", "error", "soft-delete", "deleted"
VM_STATES = (
    BUILDING, ACTIVE, STOPPED, PAUSED, SUSPENDED, SHELVED, SHELVED_OFFLOADED, RESCUED, RESIZED, ERROR, SOFT_DELETED,
    DELETED,
)  # as a life goes # fmt: skip
ANY = frozenset(VM_STATES) - {DELETED}

# task_state
SCHEDULING, NETWORKING, BLOCK_DEVICE_MAPPING, SPAWNING = "scheduling", "networking", "block_device_mapping", "spawning"
POWERING_OFF, POWERING_ON, UPDATING_PASSWORD = "powering-off", "powering-on", "updating_password"
PAUSING, UNPAUSING, SUSPENDING, RESUMING = "pausing", "unpausing", "suspending", "resuming"
RESCUING, UNRESCUING = "rescuing", "unrescuing"
REBUILDING, REBUILD_BLOCK_DEVICE_MAPPING, REBUILD_SPAWNING = (
    "rebuilding",
    "rebuild_block_device_mapping",
    "rebuild_spawning",
)
RESIZE_PREP, RESIZE_MIGRATING, RESIZE_MIGRATED, RESIZE_FINISH = (
    "resize_prep",
    "resize_migrating",
    "resize_migrated",
    "resize_finish",
)
RESIZE_CONFIRMING, RESIZE_REVERTING, MIGRATING = "resize_confirming", "resize_reverting", "migrating"
DELETING, SOFT_DELETING, RESTORING = "deleting", "soft-deleting", "restoring"
REBOOTING, REBOOT_PENDING, REBOOT_STARTED = "rebooting", "reboot_pending", "reboot_started"
REBOOTING_HARD, REBOOT_PENDING_HARD, REBOOT_STARTED_HARD = (
    "rebooting_hard",
    "reboot_pending_hard",
    "reboot_started_hard",
)
IMAGE_SNAPSHOT_PENDING, IMAGE_SNAPSHOT, IMAGE_BACKUP = "image_snapshot_pending", "image_snapshot", "image_backup"
IMAGE_PENDING_UPLOAD, IMAGE_UPLOADING = "image_pending_upload", "image_uploading"
SHELVING, SHELVING_OFFLOADING, UNSHELVING = "shelving", "shelving_offloading", "unshelving"
SHELVING_IMAGE_PENDING_UPLOAD, SHELVING_IMAGE_UPLOADING = "shelving_image_pending_upload", "shelving_image_uploading"
BUILD_STEPS = (SCHEDULING, NETWORKING, BLOCK_DEVICE_MAPPING, SPAWNING)
REBOOTS = (REBOOTING, REBOOT_PENDING, REBOOT_STARTED)
HARD_REBOOTS = (REBOOTING_HARD, REBOOT_PENDING_HARD, REBOOT_STARTED_HARD)
UPLOADS = (IMAGE_PENDING_UPLOAD, IMAGE_UPLOADING)
REBUILDS = (REBUILDING, REBUILD_BLOCK_DEVICE_MAPPING, REBUILD_SPAWNING)
# The steps in which a host asks for the volumes that a guest is to have.
MAPS_VOLUMES = (BLOCK_DEVICE_MAPPING, REBUILD_BLOCK_DEVICE_MAPPING, SPAWNING)
RESIZES = (RESIZE_PREP, RESIZE_MIGRATING, RESIZE_MIGRATED, RESIZE_FINISH)

TASK_STATES = (
    *BUILD_STEPS, POWERING_OFF, POWERING_ON, *REBOOTS, *HARD_REBOOTS, PAUSING, UNPAUSING, SUSPENDING, RESUMING,
    RESCUING, UNRESCUING, *REBUILDS, UPDATING_PASSWORD, IMAGE_SNAPSHOT_PENDING, IMAGE_SNAPSHOT, IMAGE_BACKUP, *UPLOADS,
    SHELVING, SHELVING_IMAGE_PENDING_UPLOAD, SHELVING_IMAGE_UPLOADING, SHELVING_OFFLOADING, UNSHELVING,
    *RESIZES, RESIZE_CONFIRMING, RESIZE_REVERTING, MIGRATING,
    SOFT_DELETING, RESTORING, DELETING,
)  # fmt: skip

# power_state
NOSTATE, RUNNING, POWER_PAUSED, SHUTDOWN, CRASHED, POWER_SUSPENDED = 0, 1, 3, 4, 6, 7
POWER_NAMES = {
    NOSTATE: "pending", RUNNING: "running", POWER_PAUSED: "paused", SHUTDOWN: "shutdown", CRASHED: "crashed",
    POWER_SUSPENDED: "suspended",
}  # fmt: skip
POWER_STATES = frozenset(POWER_NAMES)


class Uncompared(Enum):
    """Stands for a value that a compare-and-swap is not to compare; None is a value like others."""

    UNCOMPARED = auto()


UNCOMPARED = Uncompared.UNCOMPARED


def _of(*states: str) -> frozenset[str]:
    return frozenset(states)


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked of an instance.

    :param starts: the vm_states from which it may start
    :param passes: the task_states it goes through; the api sets the first one when it accepts the request
    :param ends: the vm_states of success: an instance that was in one of them stays there, any other goes to the
        first; none leaves it where it was
    :param fails: the vm_state of failure; None leaves the instance where it was
    :param action: its name in the instance's action list
    :param over: the task_states over which it may start, beside none at all; None means over any
    """

    starts: frozenset[str]
    passes: tuple[str, ...]
    ends: tuple[str, ...]
    fails: str | None
    action: str
    over: frozenset[str] | None = frozenset()


# The tasks that only a delete for good interrupts: what guests there are is decided on two hosts.
ELSEWHERE = (*RESIZES, RESIZE_CONFIRMING, RESIZE_REVERTING, MIGRATING)
# Those that a soft delete interrupts, too, and an evacuation: the host is to do something else, or can do nothing.
HERE = frozenset(TASK_STATES) - {DELETING, SOFT_DELETING, *ELSEWHERE}

# fmt: off
OPERATIONS: dict[str, Operation] = {
    #                         may start from          passes through        ends in          on failure  action
    "build":       Operation(_of(BUILDING),           BUILD_STEPS,          (ACTIVE,),       ERROR, "create"),
    "stop":        Operation(_of(ACTIVE, ERROR),      (POWERING_OFF,),      (STOPPED,),      None,  "stop"),
    "start":       Operation(_of(STOPPED),            (POWERING_ON,),       (ACTIVE,),       None,  "start"),
    "reboot":      Operation(_of(ACTIVE),             REBOOTS,              (ACTIVE,),       None,  "reboot"),
    "hard_reboot": Operation(_of(ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR),
                                                      HARD_REBOOTS,         (ACTIVE,),       ERROR, "reboot",
                             over=_of(*REBOOTS, *HARD_REBOOTS, PAUSING, UNPAUSING, SUSPENDING, RESUMING)),
    "pause":       Operation(_of(ACTIVE),             (PAUSING,),           (PAUSED,),       None,  "pause"),
    "unpause":     Operation(_of(PAUSED),             (UNPAUSING,),         (ACTIVE,),       None,  "unpause"),
    "suspend":     Operation(_of(ACTIVE),             (SUSPENDING,),        (SUSPENDED,),    ERROR, "suspend"),
    "resume":      Operation(_of(SUSPENDED),          (RESUMING,),          (ACTIVE,),       ERROR, "resume"),
    "rescue":      Operation(_of(ACTIVE, STOPPED, ERROR),
                                                      (RESCUING,),          (RESCUED,),      ERROR, "rescue"),
    "unrescue":    Operation(_of(RESCUED),            (UNRESCUING,),        (ACTIVE,),       None,  "unrescue"),
    "rebuild":     Operation(_of(ACTIVE, STOPPED, ERROR),
                                                      REBUILDS,             (ACTIVE, STOPPED), ERROR, "rebuild"),
    "change_password":
                   Operation(_of(ACTIVE),             (UPDATING_PASSWORD,), (),              ERROR, "changePassword"),
    "snapshot":    Operation(_of(ACTIVE, STOPPED, PAUSED, SUSPENDED),
                                  (IMAGE_SNAPSHOT_PENDING, IMAGE_SNAPSHOT, *UPLOADS), (),  None,  "createImage"),
    "backup":      Operation(_of(ACTIVE, STOPPED, PAUSED, SUSPENDED),
                                                      (IMAGE_BACKUP, *UPLOADS), (),    None,  "createBackup"),
    "shelve":      Operation(_of(ACTIVE, STOPPED, PAUSED, SUSPENDED),
              (SHELVING, SHELVING_IMAGE_PENDING_UPLOAD, SHELVING_IMAGE_UPLOADING),
                                                                            (SHELVED,),      None,  "shelve"),
    "shelve_offload":
                   Operation(_of(SHELVED),            (SHELVING_OFFLOADING,),
                                                                (SHELVED_OFFLOADED,),        None,  "shelveOffload"),
    "unshelve":    Operation(_of(SHELVED, SHELVED_OFFLOADED),
                                                      (UNSHELVING, SPAWNING), (ACTIVE,),     None,  "unshelve"),
    "resize":      Operation(_of(ACTIVE, STOPPED),    RESIZES,              (RESIZED,),      None,  "resize"),
    "migrate":     Operation(_of(ACTIVE, STOPPED),    RESIZES,              (RESIZED,),      None,  "migrate"),
    "confirm_resize":
                   Operation(_of(RESIZED),            (RESIZE_CONFIRMING,), (ACTIVE, STOPPED), ERROR, "confirmResize"),
    "revert_resize":
                   Operation(_of(RESIZED),            (RESIZE_REVERTING,),  (ACTIVE, STOPPED), ERROR, "revertResize"),
    "live_migrate":
                   Operation(_of(ACTIVE, PAUSED),     (MIGRATING,),         (),              None,  "live-migration"),
    "evacuate":    Operation(_of(ACTIVE, STOPPED, ERROR),
                                                      REBUILDS,             (ACTIVE, STOPPED), ERROR, "evacuate",
                             over=HERE),
    "soft_delete": Operation(ANY - _of(BUILDING),     (SOFT_DELETING,),     (SOFT_DELETED,), None,  "delete",
                             over=HERE),
    "restore":     Operation(_of(SOFT_DELETED),       (RESTORING,),         (ACTIVE,),       None,  "restore"),
    "delete":      Operation(ANY,                     (DELETING,),          (DELETED,),      ERROR, "delete",
                             over=None),
}
# fmt: on

# The operations that make an image, which is uploaded in their last step.
IMAGE_MAKERS = frozenset({"snapshot", "backup", "shelve"})
# The vm_states that rest on an image which was made for that.
ON_AN_IMAGE = frozenset({SHELVED, SHELVED_OFFLOADED})

# The operations that the conductor leads from host to host (conductor/migrate.py).
MIGRATIONS = frozenset({"resize", "migrate", "confirm_resize", "revert_resize", "live_migrate", "evacuate"})
# What may start from ERROR, but not where the build ended there: such an instance has no room, and no volumes.
MUST_HAVE_LAUNCHED = frozenset({"stop", "hard_reboot", "rescue", "rebuild", "evacuate"})
# What passes the task_states of one of these, and is done by the host that the instance is on: only the record of the
# operation tells the two apart.
AS_A_MIGRATION = frozenset({"rebuild"})


# ---- an operation from its start to its end


def begin(operation: str, instance: "Instance") -> dict[str, Any]:
    """Give the change that starts an operation.

    :raises errors.InstanceInvalidState: when the table does not allow it from here (REST: 409)
    """
    op = OPERATIONS[operation]
    if instance.vm_state not in op.starts:
        raise _refusal(op, instance, "vm_state", instance.vm_state)
    if op.over is not None and instance.task_state is not None and instance.task_state not in op.over:
        raise _refusal(op, instance, "task_state", instance.task_state)
    if operation in MUST_HAVE_LAUNCHED and instance.vm_state == ERROR and instance.launched_at is None:
        raise _refusal(op, instance, "launched_at", None)
    return {"task_state": op.passes[0]}


def start_expects(operation: str) -> tuple[str | None, ...] | Uncompared:
    """Name the task_states that the first compare-and-swap of an operation accepts."""
    op = OPERATIONS[operation]
    return UNCOMPARED if op.over is None else (None, *sorted(op.over))


def under_way(operation: str | None) -> tuple[str | None, ...]:
    """Name the task_states in which an operation is under way: each of its steps expects one of them.

    Any of them will do: the generation, compared in the same statement, keeps the steps in order.

    :param operation: None means that nothing is under way
    """
    return (None,) if operation is None else OPERATIONS[operation].passes


def finish(operation: str, was: str = "") -> dict[str, Any]:
    """Give the change that ends an operation well.

    :param was: the vm_state in which the instance was meanwhile
    """
    ends = OPERATIONS[operation].ends
    return _rest_in(was if was in ends else next(iter(ends), None))


def fail(operation: str, *, moved: bool = False) -> dict[str, Any]:
    """Give the change that a failure of the operation leaves behind.

    :param moved: whether the instance was on another host by then, and nothing is as it was
    """
    return _rest_in(ERROR if moved else OPERATIONS[operation].fails)


def _rest_in(vm_state: str | None) -> dict[str, Any]:
    return {"task_state": None} if vm_state is None else {"vm_state": vm_state, "task_state": None}


def operation_of(vm_state: str, task_state: str | None) -> str | None:
    """Name an operation that an instance's states fit, or None when nothing is going on.

    Operations that share a step, and may start from the same state, fail alike; which of them it is, the record of the
    operation tells (db/open_operations.py).
    """
    fits = (name for name, op in OPERATIONS.items() if task_state in op.passes and vm_state in op.starts)
    return next(fits, None)


# ---- what a host may write

# The operations that no host moves on by itself: it says that its part is done, and the conductor knows what follows.
NO_UPDATES = frozenset({"delete"}) | MIGRATIONS

Accepts = Callable[[Any], bool]

# What the hypervisor may say of a guest in every state but that of a delete.
SEEN: dict[str, Accepts] = {"power_state": POWER_STATES.__contains__}


def ends(changes: Mapping[str, Any]) -> bool:
    """Tell whether changes end the operation that is under way."""
    return changes.get("task_state", ...) is None


def unlawful(operation: str | None, changes: Mapping[str, Any]) -> str:
    """Say which of these changes the operation does not make; "" when it makes all of them.

    An operation is moved on by a step, or ended well.  Its failure, and the end of a delete or of an offload, are
    messages of their own.  An instance at rest may be found stopped or lost.

    :param operation: the one that is under way, as the host says; None means that nothing is
    """
    if operation is not None and operation not in OPERATIONS:
        return f"there is no operation {operation!s:.100}"
    if not changes:
        return "it changes nothing"
    accepted = _accepted(operation, ends(changes))
    for name, value in changes.items():
        if name not in accepted or not accepted[name](value):
            return f"while {operation or 'nothing'} is under way, {name} may not become {value!s:.100}"
    if operation and "vm_state" in accepted and "vm_state" not in changes:
        return "an operation ends with its vm_state"
    return ""


def _accepted(operation: str | None, ends: bool) -> dict[str, Accepts]:
    """Give the fields that a host may write, each with the values it may have."""
    if operation is None:
        return {"vm_state": {STOPPED, ERROR}.__contains__, **SEEN}
    if operation in NO_UPDATES or (operation == "shelve_offload" and ends):
        return {}
    progress: Accepts = range(101).__contains__
    if not ends:
        first, *further = OPERATIONS[operation].passes
        return {"task_state": (further or [first]).__contains__, "progress": progress, **SEEN}
    launched: dict[str, Accepts] = {"launched_at": lambda value: True} if operation == "build" else {}
    vm_states = OPERATIONS[operation].ends
    rests: dict[str, Accepts] = {"vm_state": vm_states.__contains__} if vm_states else {}
    return {"task_state": [None].__contains__, **rests, **launched, "progress": progress, **SEEN}


def _refusal(op: Operation, instance: "Instance", attr: str, state: str | None) -> errors.InstanceInvalidState:
    # The api has this name for a live migration, and for every other operation that of its action.
    method = "os-migrateLive" if op.action == "live-migration" else op.action
    return errors.InstanceInvalidState(instance_uuid=instance.uuid, method=method, attr=attr, state=state)
