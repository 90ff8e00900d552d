"""What happens to the instances of a cast that was refused."""

import logging

import pytest

from mininova import conf, rpc, states
from mininova.context import RequestContext
from mininova.db import actions, faults, instances
from mininova.db.schema import NOVA
from mininova.db.session import Database
from mininova.objects import Flavor, Instance
from mininova.rpc.notify.drivers import Kept
from mininova.service import log
from mininova.service.codec import CODEC
from mininova.service.operation_ends import OperationEnds
from mininova.service.rejections import Rejections
from mininova.states import UNCOMPARED

FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)
CTXT = RequestContext(request_id="req-1", project_id="demo")
REFUSAL = rpc.UnsupportedVersion("compute on host-1 cannot run it")


class World:
    """A database, and the rejections of a service, with their notifications."""

    def __init__(self, path):
        self.db, self._kept = Database(f"sqlite:///{path}/mininova.sqlite"), Kept()
        NOVA.upgrade(self.db)
        notifier = rpc.Notifier(None, "conductor.ctl", drivers=[self._kept])
        self.rejections = Rejections(OperationEnds(conf.for_tests("conductor"), self.db, notifier, "conductor"))

    def new(self, uuid, vm_state, task_state):
        """Insert an instance, with the operation that is under way."""
        fields = {"project_id": "demo", "user_id": "ann", "display_name": uuid, "flavor": FLAVOR}
        operation = states.operation_of(vm_state, task_state)
        with self.db.write() as tx:
            new = instances.create(tx, [Instance(uuid=uuid, vm_state=vm_state, task_state=task_state, **fields)])
            if operation is not None:
                actions.start(tx, CTXT, new, operation, due_after=60)
            return new[0]

    def change(self, uuid, task_state):
        """Change it, as another service would."""
        with self.db.write() as tx:
            changes = {"task_state": task_state}
            return instances.update(tx, uuid, changes, generation=UNCOMPARED, expected_task_state=UNCOMPARED)

    def refuse(self, method, **arguments):
        """Have a cast come back."""
        args = {name: CODEC.wrap(value, {}) for name, value in arguments.items()}
        self.rejections(CTXT, rpc.Request(method=method, args=args), REFUSAL)

    def now(self, uuid):
        """Read an instance and its fault."""
        with self.db.read() as tx:
            return instances.get(tx, uuid), faults.latest(tx, [uuid]).get(uuid)

    @property
    def told(self):
        return [(each.event_type.removeprefix("compute.instance."), each.payload) for each in self._kept.notifications]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.db.close()


@pytest.mark.parametrize(
    ("method", "vm_state", "task_state", "left", "event"),
    [
        ("build_instance", states.BUILDING, states.SPAWNING, states.ERROR, "create"),
        ("stop_instance", states.ACTIVE, states.POWERING_OFF, states.ACTIVE, "power_off"),
        ("reboot_instance", states.ACTIVE, states.REBOOTING_HARD, states.ERROR, "reboot"),
        ("delete_instance", states.ACTIVE, states.DELETING, states.ERROR, "delete"),
    ],
)
def test_the_operation_ends_with_a_fault_and_a_notification(world, method, vm_state, task_state, left, event):
    """The instance gets the state and the fault of a failure, and both are notified."""
    instance = world.new("u-1", vm_state, task_state)

    world.refuse(method, instance=instance)

    now, fault = world.now("u-1")
    assert (now.vm_state, now.task_state) == (left, None)
    assert fault.message == f"{method} was refused: UnsupportedVersion"
    assert "cannot run it" in fault.details
    (update, updated), (failed, why) = world.told
    assert (update, failed) == ("update", f"{event}.error")
    assert (updated["old_task_state"], updated["state"], updated["service"]) == (task_state, left, "conductor")
    assert why["message"] == fault.message


def test_each_instance_of_a_cast(world):
    """A cast for several instances fails for each of them."""
    several = [world.new(uuid, states.BUILDING, states.SCHEDULING) for uuid in ("u-1", "u-2")]

    world.refuse("build_instances", instances=several)

    assert [world.now(uuid)[0].vm_state for uuid in ("u-1", "u-2")] == [states.ERROR] * 2
    assert [event for event, _ in world.told] == ["update", "create.error"] * 2


def test_an_instance_at_rest_is_left_alone(world):
    """An instance without an operation stays as it is, without another notification."""
    instance = world.new("u-1", states.ACTIVE, None)

    world.refuse("stop_instance", instance=instance)
    world.refuse("stop_instance", instance=instance.replace(uuid="u-gone"))

    assert world.now("u-1")[0].vm_state == states.ACTIVE
    assert world.told == []


def test_an_instance_that_moved_on_is_left_alone(world):
    """The late rejection of an earlier stop does not end the stop that is under way now."""
    sent = world.new("u-1", states.ACTIVE, states.POWERING_OFF)
    world.change("u-1", None)
    again = world.change("u-1", states.POWERING_OFF)

    world.refuse("stop_instance", instance=sent)

    assert world.now("u-1") == (again, None)
    assert world.told == []


def test_the_owner_may_have_edited_it(world):
    """After a rename the refused operation still ends."""
    sent = world.new("u-1", states.ACTIVE, states.POWERING_OFF)
    with world.db.write() as tx:
        instances.edit(tx, "u-1", display_name="renamed")

    world.refuse("stop_instance", instance=sent)

    assert (world.now("u-1")[0].task_state, world.now("u-1")[0].display_name) == (None, "renamed")


def test_a_rejection_counts_once(world):
    """A repeated rejection changes nothing when the instance is at rest or in another operation."""
    sent = world.new("u-1", states.ACTIVE, states.POWERING_OFF)
    world.refuse("stop_instance", instance=sent)
    now = world.now("u-1")

    world.refuse("stop_instance", instance=sent)

    assert world.now("u-1") == now
    assert [event for event, _ in world.told] == ["update", "power_off.error"]


def test_its_log_lines_carry_the_request_of_the_cast(world, tmp_path):
    """A reader who follows a request in the log sees that its cast was refused."""
    instance = world.new("u-1", states.ACTIVE, states.POWERING_OFF)
    root, path = logging.getLogger(), tmp_path / "service.log"
    before = (root.handlers[:], root.level)
    log.setup(conf.for_tests("conductor", log_file=str(path)))
    try:
        world.refuse("stop_instance", instance=instance)
    finally:
        root.handlers[0].close()
        root.handlers[:], root.level = before
        log.working_for("-")

    assert "[req-1]" in path.read_text()
