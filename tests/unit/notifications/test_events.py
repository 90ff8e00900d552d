"""Notifications have Nova's names and keys, and suffice for billing."""

from datetime import UTC, datetime
from itertools import product
from typing import get_args

import pytest

from mininova import states
from mininova.notifications import events
from mininova.notifications.audit_period import HOUR
from mininova.objects import FixedIP, Flavor, ImageMeta, Instance, RequestSpec, Selection
from mininova.rpc import Notification

# Nova's info_from_instance (nova: notifications/base.py).
NOVAS_KEYS = {
    "tenant_id", "user_id", "instance_id", "display_name", "reservation_id", "hostname", "instance_type",
    "instance_type_id", "instance_flavor_id", "architecture", "memory_mb", "disk_gb", "vcpus", "root_gb",
    "ephemeral_gb", "host", "node", "availability_zone", "cell_name", "created_at", "terminated_at", "deleted_at",
    "launched_at", "image_ref_url", "os_type", "kernel_id", "ramdisk_id", "state", "state_description", "progress",
    "access_ip_v4", "access_ip_v6", "image_meta", "metadata", "fixed_ips",
}  # fmt: skip

# The part of Nova's closed list that an instance's life has here (nova: rpc.py,
# LegacyValidatingNotifier.allowed_legacy_notification_event_types), without "compute.instance.".
NOVAS_EVENTS = {
    "create.start", "create.end", "create.error", "delete.start", "delete.end", "shutdown.start", "shutdown.end",
    "power_off.start", "power_off.end", "power_on.start", "power_on.end", "reboot.start", "reboot.end", "reboot.error",
    "rescue.start", "rescue.end", "rescue.error", "unrescue.start", "unrescue.end", "rebuild.start", "rebuild.end",
    "rebuild.error", "pause.start", "pause.end", "unpause.start", "unpause.end", "suspend.start", "suspend.end",
    "suspend.error",
    "resume.start", "resume.end", "resume.error", "soft_delete.start", "soft_delete.end", "restore.start",
    "restore.end", "snapshot.start", "snapshot.end",
    "shelve.start", "shelve.end", "shelve_offload.start", "shelve_offload.end", "unshelve.start", "unshelve.end",
    "update", "exists",
    "resize.prep.start", "resize.prep.end", "resize.start", "resize.end", "resize.error", "finish_resize.start",
    "finish_resize.end", "resize.confirm.start", "resize.confirm.end", "resize.revert.start", "resize.revert.end",
    "live_migration.pre.start", "live_migration.pre.end", "live_migration._post.start",
    "live_migration._post.end", "live_migration._rollback.start", "live_migration._rollback.end",
    "live.migration.force.complete.start", "live.migration.force.complete.end",
    "live_migration.post.dest.start", "live_migration.post.dest.end",
    "live_migration.rollback.dest.start", "live_migration.rollback.dest.end",
    "live.migration.abort.start", "live.migration.abort.end", "evacuate", "rebuild.scheduled",
}  # fmt: skip
# For these failures Nova emits an event named after the function that failed; those of interfaces and of volumes it has
# in its versioned format only.
OURS = {
    f"{action}.error"
    for action in (
        "delete",
        "power_off",
        "power_on",
        "pause",
        "unpause",
        "unrescue",
        "snapshot",
        "shelve",
        "shelve_offload",
        "unshelve",
        "soft_delete",
        "restore",
        "resize.confirm",
        "resize.revert",
        "live_migration",
    )
} | {
    f"{what}_{done}.{phase}"
    for what in ("interface", "volume")
    for done in ("attach", "detach")
    for phase in ("start", "end", "error")
}

FLAVOR = Flavor(flavor_id="2", name="m1.small", memory_mb=2048, vcpus=1, root_gb=20, ephemeral_gb=5, swap_mb=512)


class Listener:
    """Hears notifications."""

    def __init__(self):
        self.heard = []

    def info(self, ctxt, event_type, payload):
        self.heard.append(("INFO", event_type, payload))

    def error(self, ctxt, event_type, payload):
        self.heard.append(("ERROR", event_type, payload))


@pytest.fixture
def instance():
    return Instance(
        uuid="u-1",
        project_id="demo",
        user_id="ann",
        display_name="web-1",
        vm_state=states.ACTIVE,
        flavor=FLAVOR,
        image_ref="7f3d",
        host="host-1",
        addresses=(FixedIP(address="10.0.0.2", network="flat", mac_address="fa:16:3e:00:00:02"),),
        launched_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        updated_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
    )


def test_keys(instance):
    """A payload has the keys that consumers of Nova's read."""
    assert events.instance_payload(instance).keys() == NOVAS_KEYS


def test_values(instance):
    """A payload has the project, the flavor with its disks, the state and the address."""
    payload = events.instance_payload(instance)
    assert (payload["tenant_id"], payload["instance_id"], payload["instance_type"]) == ("demo", "u-1", "m1.small")
    assert (payload["disk_gb"], payload["state"], payload["state_description"]) == (25, "active", "")
    assert [(each["address"], each["version"]) for each in payload["fixed_ips"]] == [("10.0.0.2", 4)]


def test_moments(instance):
    """Times are to the second; one that has not come is empty; deleted_at is the time of termination."""
    payload = events.instance_payload(instance)
    assert (payload["launched_at"], payload["deleted_at"]) == ("2026-01-02 03:04:05+00:00", "")
    gone = instance.replace(terminated_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert events.instance_payload(gone)["deleted_at"] == "2026-02-01 00:00:00+00:00"


def test_update(instance):
    """An update has the states before and after, and the audit period so far."""
    payload = events.update_payload(instance, old_vm_state=states.BUILDING, old_task_state=states.SPAWNING)
    assert (payload["old_state"], payload["state"]) == ("building", "active")
    assert (payload["old_task_state"], payload["new_task_state"]) == ("spawning", None)
    assert payload["audit_period_beginning"] == "2026-01-01 00:00:00+00:00"
    assert payload["audit_period_ending"] == "2026-01-02 03:04:06+00:00"


@pytest.mark.parametrize(("phase", "priority"), [("start", "INFO"), ("end", "INFO"), ("error", "ERROR")])
def test_tell(instance, phase, priority):
    """An event has Nova's name, and an error event the priority of one."""
    listener = Listener()
    events.tell(listener, None, instance, "reboot", phase, message="why")
    ((heard, event_type, payload),) = listener.heard
    assert (heard, event_type) == (priority, f"compute.instance.reboot.{phase}")
    assert payload["message"] == "why"


def test_select_destinations():
    """The scheduler's events have the request, and at the end the chosen hosts."""
    spec = RequestSpec(flavor=FLAVOR, image=ImageMeta(id="7f3d"), project_id="demo")
    hosts = [Selection(host=host, node=host, availability_zone="nova") for host in ("host-1", "host-2")]
    assert "selected_hosts" not in events.select_destinations_payload(spec, ["u-1"])
    payload = events.select_destinations_payload(spec, ["u-1"], [hosts])
    assert payload["request_spec"]["flavor"]["memory_mb"] == 2048
    assert (payload["instance_uuids"], payload["selected_hosts"]) == (["u-1"], ["host-1"])


# ---- names


def test_names():
    """Every event is in Nova's list, except failures that have no name there."""
    phased = set(product(get_args(events.Action), get_args(events.Phase))) - events.NO_EVENTS
    named = {events.instance_event(action, phase) for action, phase in phased}
    named |= {events.INSTANCE_UPDATE, events.INSTANCE_EXISTS, events.EVACUATE, events.REBUILD_SCHEDULED}
    assert named == {f"compute.instance.{event}" for event in NOVAS_EVENTS | OURS}
    scheduler = {events.SELECT_DESTINATIONS_START, events.SELECT_DESTINATIONS_END}
    assert scheduler == {"scheduler.select_destinations.start", "scheduler.select_destinations.end"}


def test_every_operation_has_events():
    """Each operation has events for its failures."""
    assert events.ACTIONS.keys() == states.OPERATIONS.keys()


# ---- exists


def test_exists(instance):
    """It has the period, and the other keys that Nova puts there."""
    listener = Listener()
    noon, one = datetime(2026, 1, 2, 12, tzinfo=UTC), datetime(2026, 1, 2, 13, tzinfo=UTC)
    events.tell_exists(listener, None, instance, noon, one)
    ((priority, event_type, payload),) = listener.heard
    assert (priority, event_type) == ("INFO", "compute.instance.exists")
    assert payload.keys() == NOVAS_KEYS | {"audit_period_beginning", "audit_period_ending", "bandwidth"}
    assert payload["audit_period_beginning"] == "2026-01-02 12:00:00+00:00"
    assert payload["audit_period_ending"] == "2026-01-02 13:00:00+00:00"


def test_before_a_delete_the_usage_so_far_is_sent(instance):
    """The usage of the current period is sent before a delete, for an instance that ran; others were never billed."""
    listener = Listener()
    events.tell_exists_so_far(listener, None, instance, HOUR, datetime(2026, 1, 2, 12, 34, 56, tzinfo=UTC))
    events.tell_exists_so_far(listener, None, instance.replace(launched_at=None), HOUR, datetime.now(UTC))
    ((_, _, payload),) = listener.heard
    assert payload["audit_period_beginning"] == "2026-01-02 12:00:00+00:00"
    assert payload["audit_period_ending"] == "2026-01-02 12:34:56+00:00"


# ---- notify_on_state_change


@pytest.mark.parametrize(
    ("setting", "vm_state", "task_state"),
    [("vm_and_task_state", True, True), ("vm_state", True, False), ("none", False, False)],
)
def test_which_updates_are_wanted(instance, setting, vm_state, task_state):
    """All updates, those of another vm_state, or none."""

    def wanted(old_vm_state):
        payload = events.update_payload(instance, old_vm_state=old_vm_state, old_task_state=states.SPAWNING)
        told = {"event_type": events.INSTANCE_UPDATE, "payload": payload, "publisher_id": "", "priority": "info"}
        return events.wanted(setting, Notification(**told))

    assert (wanted(states.BUILDING), wanted(states.ACTIVE)) == (vm_state, task_state)


def test_other_events_are_always_wanted(instance):
    """The setting is about updates only."""
    payload = events.instance_payload(instance)
    told = Notification(event_type="compute.instance.create.end", payload=payload, publisher_id="", priority="info")
    assert events.wanted("none", told)
