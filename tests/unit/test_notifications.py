"""Notifications have Nova's names and keys, and hold for billing."""

from datetime import UTC, datetime

import pytest

from mininova import notifications, states
from mininova.objects import FixedIP, Flavor, ImageMeta, Instance, RequestSpec, Selection

# Nova's info_from_instance (nova: notifications/base.py).
NOVAS_KEYS = {
    "tenant_id", "user_id", "instance_id", "display_name", "reservation_id", "hostname", "instance_type",
    "instance_type_id", "instance_flavor_id", "architecture", "memory_mb", "disk_gb", "vcpus", "root_gb",
    "ephemeral_gb", "host", "node", "availability_zone", "cell_name", "created_at", "terminated_at", "deleted_at",
    "launched_at", "image_ref_url", "os_type", "kernel_id", "ramdisk_id", "state", "state_description", "progress",
    "access_ip_v4", "access_ip_v6", "image_meta", "metadata", "fixed_ips",
}  # fmt: skip

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
    """A payload has the keys that consumers of Nova read."""
    assert notifications.instance_payload(instance).keys() == NOVAS_KEYS


def test_values(instance):
    """A payload tells the project, the flavor with its disks, the state and the address."""
    payload = notifications.instance_payload(instance)
    assert (payload["tenant_id"], payload["instance_id"], payload["instance_type"]) == ("demo", "u-1", "m1.small")
    assert (payload["disk_gb"], payload["state"], payload["state_description"]) == (25, "active", "")
    assert [(each["address"], each["version"]) for each in payload["fixed_ips"]] == [("10.0.0.2", 4)]


def test_moments(instance):
    """Moments are to the second; what has not happened is empty; deleted means terminated."""
    payload = notifications.instance_payload(instance)
    assert (payload["launched_at"], payload["deleted_at"]) == ("2026-01-02 03:04:05+00:00", "")
    gone = instance.replace(terminated_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert notifications.instance_payload(gone)["deleted_at"] == "2026-02-01 00:00:00+00:00"


def test_update(instance):
    """An update tells the states before and after, and the month so far."""
    payload = notifications.update_payload(instance, old_vm_state=states.BUILDING, old_task_state=states.SPAWNING)
    assert (payload["old_state"], payload["state"]) == ("building", "active")
    assert (payload["old_task_state"], payload["new_task_state"]) == ("spawning", None)
    assert payload["audit_period_beginning"] == "2026-01-01 00:00:00+00:00"
    assert payload["audit_period_ending"] == "2026-01-02 03:04:06+00:00"


@pytest.mark.parametrize(("phase", "priority"), [("start", "INFO"), ("end", "INFO"), ("error", "ERROR")])
def test_tell(instance, phase, priority):
    """An event has Nova's name, and an error the priority of one."""
    listener = Listener()
    notifications.tell(listener, None, instance, "reboot", phase, message="why")
    ((heard, event_type, payload),) = listener.heard
    assert (heard, event_type) == (priority, f"compute.instance.reboot.{phase}")
    assert payload["message"] == "why"


def test_select_destinations():
    """The scheduler's events tell what was asked, and at the end what was chosen."""
    spec = RequestSpec(flavor=FLAVOR, image=ImageMeta(id="7f3d"), project_id="demo")
    hosts = [Selection(host=host, node=host, availability_zone="nova") for host in ("host-1", "host-2")]
    assert "selected_hosts" not in notifications.select_destinations_payload(spec, ["u-1"])
    payload = notifications.select_destinations_payload(spec, ["u-1"], [hosts])
    assert payload["request_spec"]["flavor"]["memory_mb"] == 2048
    assert (payload["instance_uuids"], payload["selected_hosts"]) == (["u-1"], ["host-1"])
