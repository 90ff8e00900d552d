"""What notifications say: event types and payloads, in Nova's unversioned format (nova: notifications/base.py).

The api, the conductor, the scheduler and compute emit them through an ``rpc.Notifier``; here are only the words.
Consumers match on the names and read the keys, so both are Nova's.  docs/notifications.md lists them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from mininova.context import RequestContext
from mininova.notifications.audit_period import AuditPeriod
from mininova.objects import FixedIP, Instance, RequestSpec, Selection
from mininova.rpc import Notification, Notifier

Action = Literal[
    "create", "delete", "shutdown", "power_off", "power_on", "reboot",
    "pause", "unpause", "suspend", "resume", "rescue", "unrescue", "rebuild", "snapshot", "soft_delete", "restore",
    "shelve", "shelve_offload", "unshelve", "volume_attach", "volume_detach",
    "resize.prep", "resize", "finish_resize", "resize.confirm", "resize.revert",
    "live_migration", "live_migration.pre", "live_migration._post", "live_migration.post.dest",
    "live_migration._rollback", "live_migration.rollback.dest", "live.migration.abort", "live.migration.force.complete",
    "interface_attach", "interface_detach",
]  # fmt: skip
Phase = Literal["start", "end", "error"]
# Parts of a delete, a resize or a live migration, which has the event of their failure, and that alone if it is live.
NO_EVENTS = frozenset({
    ("shutdown", "error"), ("resize.prep", "error"), ("finish_resize", "error"),
    ("live_migration", "start"), ("live_migration", "end"), ("live_migration.pre", "error"),
    ("live_migration._post", "error"), ("live_migration.post.dest", "error"), ("live_migration._rollback", "error"),
    ("live_migration.rollback.dest", "error"),
    ("live.migration.abort", "error"), ("live.migration.force.complete", "error"),
})  # fmt: skip

# What the operations of states.OPERATIONS are called in the names of events; None where Nova has no event.
ACTIONS: Mapping[str, Action | None] = {
    "build": "create",
    "delete": "delete",
    "stop": "power_off",
    "start": "power_on",
    "reboot": "reboot",
    "hard_reboot": "reboot",
    "pause": "pause",
    "unpause": "unpause",
    "suspend": "suspend",
    "resume": "resume",
    "rescue": "rescue",
    "unrescue": "unrescue",
    "rebuild": "rebuild",
    "change_password": None,
    "snapshot": "snapshot",
    "backup": "snapshot",
    "shelve": "shelve",
    "shelve_offload": "shelve_offload",
    "unshelve": "unshelve",
    "resize": "resize",
    "migrate": "resize",
    "confirm_resize": "resize.confirm",
    "revert_resize": "resize.revert",
    "live_migrate": "live_migration",
    "evacuate": "rebuild",
    "soft_delete": "soft_delete",
    "restore": "restore",
}

INSTANCE_UPDATE = "compute.instance.update"
INSTANCE_EXISTS = "compute.instance.exists"
NOTHING_BEFORE: dict[str, str | None] = {"old_vm_state": None, "old_task_state": None}
EVACUATE, REBUILD_SCHEDULED = "compute.instance.evacuate", "compute.instance.rebuild.scheduled"
CACHE_IMAGES_PROGRESS = "aggregate.cache_images.progress"
SERVER_GROUP_CREATE, SERVER_GROUP_DELETE = "servergroup.create", "servergroup.delete"
SERVER_GROUP_ADD_MEMBER = "servergroup.addmember"
SELECT_DESTINATIONS_START = "scheduler.select_destinations.start"
SELECT_DESTINATIONS_END = "scheduler.select_destinations.end"


def instance_event(action: Action, phase: Phase) -> str:
    """Name an event in an instance's life."""
    return f"compute.instance.{action}.{phase}"


def tell(
    notifier: Notifier, ctxt: RequestContext, instance: Instance, action: Action | None, phase: Phase, **extra: Any
) -> None:
    """Emit an event in an instance's life; the phase ``error`` has the priority ERROR, and the others INFO.

    :param action: None emits nothing
    """
    if action is None:
        return
    emit = notifier.error if phase == "error" else notifier.info
    emit(ctxt, instance_event(action, phase), instance_payload(instance, **extra))


def tell_update(
    notifier: Notifier, ctxt: RequestContext, old: Instance | None, new: Instance, service: str = "conductor"
) -> None:
    """Emit that the database now has another state for an instance, if it has.

    :param old: as it was; None for a new one
    :param service: who wrote it
    """
    if old and (old.vm_state, old.task_state) == (new.vm_state, new.task_state):
        return
    before = {"old_vm_state": old.vm_state, "old_task_state": old.task_state} if old else NOTHING_BEFORE
    notifier.info(ctxt, INSTANCE_UPDATE, update_payload(new, service=service, **before))


def tell_evacuation(notifier: Notifier, ctxt: RequestContext, instance: Instance, event_type: str) -> None:
    """Emit that an evacuation was asked for (EVACUATE), or that a host was found for it (REBUILD_SCHEDULED)."""
    notifier.info(ctxt, event_type, instance_payload(instance))


def tell_exists(
    notifier: Notifier, ctxt: RequestContext, instance: Instance, beginning: datetime, ending: datetime
) -> None:
    """Emit that an instance existed in a period, whole or so far."""
    payload = instance_payload(instance, **_audit_period(beginning, ending), bandwidth={})
    notifier.info(ctxt, INSTANCE_EXISTS, payload)


def tell_exists_so_far(
    notifier: Notifier, ctxt: RequestContext, instance: Instance, period: AuditPeriod, now: datetime
) -> None:
    """Emit that an instance which is about to be deleted existed in the period under way, if it ever ran."""
    if instance.launched_at is not None:
        tell_exists(notifier, ctxt, instance, period.beginning(now), now)


def tell_cached_images(
    notifier: Notifier, ctxt: RequestContext, aggregate: str, host: str, cached: list[str], failed: list[str]
) -> None:
    """Emit which images a host of an aggregate has been asked to have: those that it has, and those that it has not.

    Nova has this event in its versioned format only, whose keys are these.
    """
    payload = {"name": aggregate, "host": host, "images_cached": cached, "images_failed": failed}
    notifier.info(ctxt, CACHE_IMAGES_PROGRESS, payload)


def tell_server_group(notifier: Notifier, ctxt: RequestContext, event_type: str, group_uuid: str, **more: Any) -> None:
    """Emit what happened to a server group, as Nova's publisher for that, which has a name of its own.

    :param more: what is said beside its uuid
    """
    _, _, host = notifier.publisher_id.partition(".")
    notifier.prepare(f"servergroup.{host}").info(ctxt, event_type, {"server_group_id": group_uuid, **more})


def wanted(notify_on_state_change: str, notification: Notification) -> bool:
    """Tell whether a notification goes out, as ``[notifications] notify_on_state_change`` has it."""
    if notification.event_type != INSTANCE_UPDATE:
        return True
    moved = notification.payload["old_state"] != notification.payload["state"]
    return notify_on_state_change == "vm_and_task_state" or (notify_on_state_change == "vm_state" and moved)


def instance_payload(instance: Instance, **extra: Any) -> dict[str, Any]:
    """Tell all that consumers want to know of an instance (Nova's ``info_from_instance``).

    ``deleted_at`` is when the instance was terminated, for billing; what an instance does not have is "".

    :param extra: what an event adds, such as ``image_name`` at create.start
    """
    flavor = instance.flavor
    return {
        "tenant_id": instance.project_id,
        "user_id": instance.user_id,
        "instance_id": instance.uuid,
        "display_name": instance.display_name,
        "reservation_id": instance.reservation_id,
        "hostname": instance.hostname,
        "instance_type": flavor.name,
        "instance_type_id": flavor.flavor_id,
        "instance_flavor_id": flavor.flavor_id,
        "architecture": "",
        "memory_mb": flavor.memory_mb,
        "disk_gb": flavor.root_gb + flavor.ephemeral_gb,
        "vcpus": flavor.vcpus,
        "root_gb": flavor.root_gb,
        "ephemeral_gb": flavor.ephemeral_gb,
        "host": instance.host or "",
        "node": instance.node or "",
        "availability_zone": instance.availability_zone or "",
        "cell_name": "",
        "created_at": _moment(instance.created_at),
        "launched_at": _moment(instance.launched_at),
        "terminated_at": _moment(instance.terminated_at),
        "deleted_at": _moment(instance.terminated_at),
        "image_ref_url": f"images/{instance.image_ref}" if instance.image_ref else "",
        "os_type": "",
        "kernel_id": "",
        "ramdisk_id": "",
        "state": instance.vm_state,
        "state_description": instance.task_state or "",
        "progress": instance.progress,
        "access_ip_v4": instance.access_ip_v4 or "",
        "access_ip_v6": instance.access_ip_v6 or "",
        "fixed_ips": [_fixed_ip(address) for address in instance.addresses],
        "image_meta": {"base_image_ref": instance.image_ref},
        "metadata": instance.metadata,
        **extra,
    }


def update_payload(
    instance: Instance, *, old_vm_state: str | None, old_task_state: str | None, service: str = "conductor"
) -> dict[str, Any]:
    """Tell that the database now has another state for an instance; its audit period is the month so far.

    :param instance: as it is now
    :param service: who wrote it
    """
    at = instance.updated_at
    month = at.replace(day=1, hour=0, minute=0, second=0) if at else None
    return instance_payload(
        instance,
        service=service,
        old_state=old_vm_state,
        old_task_state=old_task_state,
        new_task_state=instance.task_state,
        **_audit_period(month, at),
        bandwidth={},
    )


def select_destinations_payload(
    spec: RequestSpec, instance_uuids: Sequence[str], selections: Sequence[Sequence[Selection]] = ()
) -> dict[str, Any]:
    """Tell what the scheduler was asked, and at the end also what it chose.

    :param selections: as select_destinations answers them
    """
    payload: dict[str, Any] = {"request_spec": msgspec.to_builtins(spec), "instance_uuids": list(instance_uuids)}
    if selections:
        payload["selected_hosts"] = [claimed.host for claimed, *_ in selections]
    return payload


def _audit_period(beginning: datetime | None, ending: datetime | None) -> dict[str, str]:
    """Bound the period that usage is told of."""
    return {"audit_period_beginning": _moment(beginning), "audit_period_ending": _moment(ending)}


def _fixed_ip(address: FixedIP) -> dict[str, Any]:
    return {
        "address": address.address,
        "version": address.version_number,
        "type": "fixed",
        "label": address.network,
        "vif_mac": address.mac_address,
        "meta": {},
        "floating_ips": [],
    }


def _moment(at: datetime | None) -> str:
    """Write a moment to the second, as billing compares them."""
    return str(at.replace(microsecond=0)) if at else ""
