"""How many statements a conductor sends for a boot: on a database server each is a wait, so a new one is read here."""

import pytest

from mininova import states
from mininova.db import actions, claims
from mininova.objects import InstanceChanges, Selection
from tests.fixtures.statements import counted

BOOT = """
SELECT instances              does it still wait for a host?
UPDATE instances              its host
UPDATE request_specs          the hosts that are left to try
INSERT instance_action_events the host's step
UPDATE instances              networking
INSERT ports                  its address
UPDATE instances              the copy of it
UPDATE instances              block_device_mapping
UPDATE instances              spawning
UPDATE instances              ACTIVE
UPDATE instance_action_events the host's step has ended
UPDATE instance_actions       the action has ended
"""
DELETE = """
SELECT instances              its state before, who asked for it, has it a guest on another host, too?
UPDATE instances              DELETED, without an address
DELETE ports                  its address is free
DELETE request_specs          what was asked for
UPDATE instance_action_events the host's step has ended
UPDATE instance_actions       the action has ended
DELETE allocations            the room is free
UPDATE compute_nodes          and counted as free, for which others on the host wait from here on
"""

ACTIVE = states.finish("build")


def written(statements):
    """Write each statement as what it does to which table."""
    return [f"{it.split()[0]} {_table(it)}" for it in statements]


def _table(statement):
    words = statement.split()
    if words[0] == "SELECT":
        return words[len(words) - 1 - words[::-1].index("FROM") + 1]
    return words[1] if words[0] == "UPDATE" else words[2]


def expected(listed):
    """Give the first two words of each line."""
    return [" ".join(line.split()[:2]) for line in listed.strip().splitlines()]


class Chosen:
    """A scheduler that has claimed before."""

    def select_destinations(self, ctxt, request_spec, instance_uuids):
        return [[Selection(host="host-1", node="host-1", availability_zone="nova")]]


@pytest.fixture
def building(world):
    """Give an instance whose room is claimed, where another one has an address: where they begin is asked once."""
    world.add_host("host-1")
    world.manager.allocate_network(world.ctxt, world.new(host="host-1"))
    world.builds.scheduler, made = Chosen(), world.new()
    with world.db.write() as tx:
        claims.claim(tx, made.uuid, "host-1", made.flavor)
    return made


def test_a_boot_and_a_delete(world, building):
    """Each statement has a reason."""
    with counted(world.db) as statements:
        world.manager.build_instances(world.ctxt, [building], world.spec)
        instance = world.manager.allocate_network(world.ctxt, world.computes.builds[-1][1])
        for change in ({"task_state": states.BLOCK_DEVICE_MAPPING}, {"task_state": states.SPAWNING}, ACTIVE):
            instance = world.manager.update_instance(world.ctxt, instance, "build", InstanceChanges(**change))
    assert written(statements) == expected(BOOT)

    deleting = world.change(instance, task_state=states.DELETING)
    with world.db.write() as tx:
        actions.start(tx, world.ctxt, [deleting], "delete", "host-1", due_after=30)
    with counted(world.db) as statements:
        world.manager.destroy_instance(world.ctxt, deleting)
    assert written(statements) == expected(DELETE)
