"""A compute host between a conductor, a hypervisor and listeners that the tests play."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from mininova import errors, rpc, states
from mininova.compute.manager import ComputeManager
from mininova.context import RequestContext
from mininova.objects import ComputeNode, Fault, FixedIP, Flavor, ImageMeta, Instance
from mininova.virt.driver import ComputeDriver

HOST = "host-1"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)


class FakeConductor:
    """Keeps rows, and compares and swaps as the real one does. ``meanwhile`` maps a method to a change that happens
    just before it.
    """

    def __init__(self):
        self.rows, self.asked, self.meanwhile = {}, [], {}
        self.faults, self.rescheduled, self.reports = {}, [], []
        self.addresses_left, self.uploaded, self.image_error = True, [], None
        self.departed, self.cleared, self.is_acrux = [], [], False
        self.logged = []
        self.fits = 1000  # instances in an answer

    def write(self, uuid, **changes):
        """Change a row, as another service would."""
        row = self.rows[uuid]
        self.rows[uuid] = row.replace(**changes, generation=row.generation + 1)

    def allocate_network(self, ctxt, instance):
        self._ask("allocate_network")
        if not self.addresses_left:
            raise errors.NoMoreAddresses(network="flat")
        address = FixedIP(address="10.0.0.2", network="flat", mac_address="fa:16:3e:00:00:02")
        changes = {"task_state": states.NETWORKING, "addresses": (address,)}
        return self._swap(instance, changes, states.under_way("build"))

    def update_instance(self, ctxt, instance, operation, changes):
        fields = changes.written()
        self._ask(f"update_instance {fields.get('vm_state') or fields.get('task_state')}")
        assert states.unlawful(operation, fields) == ""
        return self._swap(instance, fields, states.under_way(operation))

    def upload_snapshot(self, ctxt, instance, operation, taken):
        self._ask("upload_snapshot")
        changes = {"task_state": states.OPERATIONS[operation].passes[-1]}
        instance = self._swap(instance, changes, states.under_way(operation))
        if self.image_error:
            raise self.image_error
        self.uploaded.append(taken)
        return instance

    def fail_instance(self, ctxt, instance, operation, fault):
        self._ask(f"fail_instance {operation}")
        failed = self._swap(instance, states.fail(operation), states.under_way(operation))
        self.faults[instance.uuid] = fault
        return failed

    def reschedule_instance(self, ctxt, instance, fault):
        self._ask("reschedule_instance")
        self.rescheduled.append((instance, fault))

    def destroy_instance(self, ctxt, instance, terminated_at=None):
        self._ask("destroy_instance")
        self.rows.pop(instance.uuid, None)

    def get_instance(self, ctxt, uuid):
        self._ask("get_instance")
        return self._row(uuid)

    def get_instances(self, ctxt, host, active_since=None, marker="", limit=0):
        if self.is_acrux and limit:
            raise rpc.UnsupportedVersion("the conductors speak 1.0")
        self.active_since = active_since
        return self._page(host, marker, limit)

    def reconcile_host(self, ctxt, host, cleared, marker="", limit=0):
        if self.is_acrux:
            raise rpc.UnsupportedVersion("the conductors speak 1.0")
        here = self._page(host, marker, limit)
        self._ask("reconcile_host")  # what happens meanwhile happens just after it has looked
        self.cleared += cleared
        self.departed = [uuid for uuid in self.departed if uuid not in cleared]
        return here, list(self.departed)

    def _page(self, host, marker, limit):
        if limit > self.fits:
            raise rpc.MessageTooLong("so many do not fit")
        here = sorted((row for row in self.rows.values() if row.host == host), key=lambda row: row.uuid)
        return [row for row in here if row.uuid > marker][: limit or None]

    def record_task_log(self, ctxt, task_log):
        if self.is_acrux:
            raise rpc.UnsupportedVersion("the conductors speak 1.0")
        self.logged.append(task_log)

    def report_state(self, ctxt, service, node):
        self.reports.append((service, node))

    def _ask(self, what):
        self.asked.append(what)
        self.meanwhile.pop(what, lambda: None)()

    def _row(self, uuid):
        if uuid not in self.rows:
            raise errors.InstanceNotFound(instance_uuid=uuid)
        return self.rows[uuid]

    def _swap(self, instance, changes, expected):
        row = self._row(instance.uuid)
        details = {
            "instance_uuid": row.uuid, "expected": list(expected), "generation": instance.generation,
            "actual_task_state": row.task_state, "actual_generation": row.generation,
        }  # fmt: skip
        if row.task_state == states.DELETING and states.DELETING not in expected:
            raise errors.InstanceBeingDeleted(**details)
        as_believed = row.generation == instance.generation and row.host == instance.host and row.task_state in expected
        if not as_believed:
            raise errors.InstanceUpdateConflict(**details)
        self.write(row.uuid, **changes)
        return self.rows[row.uuid]


class ScriptedDriver(ComputeDriver):
    """Keeps power states, and fails where the test says so. ``fails`` maps a method to the error it raises;
    ``meanwhile`` maps one to what happens during it.
    """

    def __init__(self):
        self.guests, self.asked, self.fails, self.meanwhile = {}, [], {}, {}

    @classmethod
    def for_hosts(cls, conf, hosts):
        return [cls() for _ in hosts]

    def spawn(self, instance, image, devices=()):
        self._ask("spawn")
        self.guests.setdefault(instance.uuid, states.RUNNING)

    def destroy(self, uuid):
        self._ask("destroy")
        self.guests.pop(uuid, None)

    def reboot(self, instance, reboot_type):
        self._turn(f"reboot {reboot_type}", instance, states.RUNNING)

    def power_on(self, instance):
        self._turn("power_on", instance, states.RUNNING)

    def power_off(self, instance):
        self._turn("power_off", instance, states.SHUTDOWN)

    def pause(self, instance):
        self._turn("pause", instance, states.POWER_PAUSED)

    def unpause(self, instance):
        self._turn("unpause", instance, states.RUNNING)

    def suspend(self, instance):
        self._turn("suspend", instance, states.POWER_SUSPENDED)

    def resume(self, instance):
        self._turn("resume", instance, states.RUNNING)

    def rescue(self, instance, image):
        self._turn(f"rescue {image.name}", instance, states.RUNNING)

    def unrescue(self, instance):
        self._turn("unrescue", instance, states.RUNNING)

    def check_can_migrate(self, instance):
        self._ask("check_can_migrate")

    def migrate_disk_and_power_off(self, instance):
        self._turn("migrate_disk_and_power_off", instance, states.SHUTDOWN)

    def finish_migration(self, instance, image, devices=(), *, power_on):
        self._turn("finish_migration", instance, states.RUNNING if power_on else states.SHUTDOWN)

    def confirm_migration(self, instance):
        self._ask("confirm_migration")

    def finish_revert_migration(self, instance, *, power_on):
        self._turn("finish_revert_migration", instance, states.RUNNING if power_on else states.SHUTDOWN)

    def pre_live_migration(self, instance):
        self._ask("pre_live_migration")

    def live_migration(self, instance):
        self._turn("live_migration", instance, self.get_info(instance))

    def live_migration_abort(self, instance):
        self._ask("live_migration_abort")

    def live_migration_force_complete(self, instance):
        self._ask("live_migration_force_complete")

    def post_live_migration_at_destination(self, instance, image, devices=(), *, paused):
        state = states.POWER_PAUSED if paused else states.RUNNING
        self._turn("post_live_migration_at_destination", instance, state)

    def snapshot(self, instance):
        self._ask("snapshot")
        return f"the disk of {instance.uuid}"

    def rebuild(self, instance, image, devices=()):
        self._ask(f"rebuild {image.name}")
        self.guests[instance.uuid] = states.RUNNING

    def trigger_crash_dump(self, instance):
        self._turn("trigger_crash_dump", instance, self.get_info(instance))

    def attach_interface(self, instance, mac_address):
        self._turn(f"attach_interface {mac_address}", instance, self.get_info(instance))

    def detach_interface(self, instance, mac_address):
        self._turn(f"detach_interface {mac_address}", instance, self.get_info(instance))

    def set_admin_password(self, instance):
        self._turn("set_admin_password", instance, self.get_info(instance))

    def attach_volume(self, instance, device):
        self.get_info(instance)
        self._ask("attach_volume")

    def detach_volume(self, instance, device):
        self._ask("detach_volume")

    def volume_snapshot_create(self, instance, volume_id, snapshot_id):
        self._turn(f"make snapshot {snapshot_id}", instance, self.get_info(instance))

    def volume_snapshot_delete(self, instance, volume_id, snapshot_id):
        self._turn(f"delete snapshot {snapshot_id}", instance, self.get_info(instance))

    def get_info(self, instance):
        if instance.uuid not in self.guests:
            raise errors.GuestNotFound(instance_uuid=instance.uuid, host=HOST)
        return self.guests[instance.uuid]

    def list_instance_uuids(self):
        return list(self.guests)

    def get_console_output(self, instance):
        return "one\ntwo\nthree"

    def get_diagnostics(self, instance):
        return {"uptime": 5}

    def get_available_resource(self):
        return ComputeNode(host=HOST, hypervisor_hostname=HOST, memory_mb=4096)

    def _ask(self, what):
        self.asked.append(what)
        self.meanwhile.pop(what, lambda: None)()
        if what in self.fails:
            raise self.fails[what]

    def _turn(self, what, instance, power_state):
        self.get_info(instance)
        self._ask(what)
        self.guests[instance.uuid] = power_state


class Listener:
    """Hears notifications."""

    def __init__(self):
        self.heard, self.contexts = [], []

    def info(self, ctxt, event_type, payload):
        self.heard.append(("INFO", event_type, payload))
        self.contexts.append((ctxt, payload))

    def error(self, ctxt, event_type, payload):
        self.heard.append(("ERROR", event_type, payload))

    @property
    def events(self):
        """Name the events that were heard, without their common prefix."""
        return [event_type.removeprefix("compute.instance.") for _, event_type, _ in self.heard]


@pytest.fixture
def ctxt():
    return RequestContext(request_id="req-1", project_id="demo")


@pytest.fixture
def conductor():
    return FakeConductor()


@pytest.fixture
def driver():
    return ScriptedDriver()


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def manager(driver, conductor, listener):
    return ComputeManager(HOST, driver, conductor, listener, clock=lambda: NOW)


@pytest.fixture
def an_instance(conductor):
    """Make instances that the conductor knows."""

    def make(vm_state=states.ACTIVE, task_state=None, **fields):
        named = {"uuid": str(uuid4()), "host": HOST, "node": HOST, "vm_state": vm_state, "task_state": task_state}
        row = Instance(project_id="demo", user_id="ann", display_name="web-1", flavor=FLAVOR, **named | fields)
        conductor.rows[row.uuid] = row
        return row

    return make


@pytest.fixture
def image():
    return ImageMeta(id="7f3d", name="cirros")


@pytest.fixture
def out_of_luck():
    return errors.SpawnFailed(instance_uuid="x", host=HOST, reason="out of luck")


@pytest.fixture
def is_fault():
    """Tell whether a fault has some words."""
    return lambda fault, words: isinstance(fault, Fault) and words in fault.message
