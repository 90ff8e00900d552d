"""Lying about a migration: about the step that is its own, and about those that are not.

A taken-over host is the one where a server goes, the one that it leaves, or the one that it was evacuated from.  It may
lie about its own step, which hurts the server that it has; what is more comes from the row of the migration.
"""

import pytest

from mininova import states
from mininova.db import claims, server_migrations
from tests.fixtures.attack_worlds import LIKE_MINE, MINE, THEIRS
from tests.fixtures.moving_servers import as_it_travels, ask, confirm, do, force_down, row
from tests.fixtures.taken_over import changed, own_object

FAULT = own_object("Fault", code=500, message="as the attacker likes it")
BIG = own_object("Flavor", flavor_id="64", name="huge", memory_mb=512, vcpus=64, root_gb=1)


@pytest.fixture(scope="module")
def world(memory_world):
    """Give the cloud in this process: what a message says is judged alike at a broker."""
    return memory_world


@pytest.fixture(autouse=True)
def unchanged(attacker):
    """Let the database change: a server is migrated."""


@pytest.fixture
def cloud(world):
    """Give the cloud to look into."""
    return world.cloud


@pytest.fixture
def moving(world, cloud):
    """Boot a server on the host of others, and have it be migrated to the attacker's."""
    uuid = world.boot("to-the-attacker", THEIRS)
    assert world.at_rest(uuid) == "ACTIVE"
    ask(cloud, uuid, {"migrate": {"host": MINE}})
    yield uuid
    force_down(cloud, MINE, True)  # no host of the attacker's takes part in the end of it
    world.delete(uuid, wait=True)
    force_down(cloud, MINE, False)


@pytest.fixture
def prep(attacker, moving):
    """Take the first step's message."""
    return attacker.take("prep_resize").payload["args"]["migration"]


@pytest.fixture
def arrived(attacker, cloud, moving, prep):
    """Go along until the server is resized on the attacker's host, without making a guest."""
    do(attacker, prep)
    cloud.run()
    do(attacker, attacker.take("finish_resize").payload["args"]["migration"])
    assert cloud.instance(moving).vm_state == states.RESIZED
    return moving


@pytest.mark.parametrize("step", ["migrate", "finish", "confirm", "evacuate"])
def test_another_step(attacker, observe, moving, prep, cloud, step):
    """Says that another step of a migration is done than the one that is due on its host."""
    before = row(cloud, moving)
    with observe():
        attacker.ask("end_step", {"migration": changed(prep, step=step), "power_state": 1})
    assert row(cloud, moving) == before


def test_another_server(attacker, observe, moving, world, cloud, prep):
    """Takes the migration of a server that goes from one host to another, as if it came to its own."""
    uuid = world.servers[THEIRS]
    ask(cloud, uuid, {"migrate": {"host": LIKE_MINE}})
    cloud.broker.deliver_one()
    with cloud.db.read() as tx:
        theirs = server_migrations.of_instance(tx, uuid)
    assert theirs is not None
    pretended = changed(prep, uuid=theirs.uuid, instance_uuid=uuid)
    for method, more in ("begin_step", {}), ("end_step", {"power_state": 1}), ("fail_step", {"fault": FAULT}):
        with observe(uuid):
            attacker.ask(method, {"migration": pretended, **more})
    cloud.run()
    assert (cloud.instance(uuid).host, cloud.instance(uuid).vm_state) == (LIKE_MINE, states.RESIZED)
    ask(cloud, uuid, {"revertResize": None})
    cloud.run()
    assert cloud.instance(uuid).host == THEIRS


@pytest.mark.sees("nothing: flavors, hosts and states come from the row of the migration")
def test_another_size(attacker, observe, moving, prep, cloud):
    """Says with its own step that the server gets a larger flavor, and goes to another host afterwards."""
    with observe():
        do(attacker, changed(prep, new_flavor=BIG, old_flavor=BIG, old_vm_state="error", status="finished"))
    cloud.run()
    with cloud.db.read() as tx:
        claim, migration = claims.of_instance(tx, moving), server_migrations.of_instance(tx, moving)
        kept = claims.of_instance(tx, migration.uuid)
    assert (claim.host, claim.vcpus, kept.host, kept.vcpus) == (MINE, 1, THEIRS, 1)
    assert (migration.new_flavor.vcpus, migration.old_vm_state, migration.step) == (1, states.ACTIVE, "finish")


@pytest.mark.parametrize("power_state", [99, -1])
def test_a_power_that_is_none(attacker, observe, moving, prep, cloud, power_state):
    """Ends its step with a power state that does not exist."""
    before = row(cloud, moving)
    with observe():
        attacker.ask("end_step", {"migration": prep, "power_state": power_state})
    assert row(cloud, moving) == before


@pytest.mark.parametrize("operation", ["migrate", "resize", "live_migrate", "evacuate"])
def test_past_the_conductor(attacker, observe, moving, prep, cloud, operation):
    """Moves the server on itself, without the conductor, which alone leads a migration."""
    do(attacker, prep)
    cloud.run()
    attacker.take("finish_resize")
    (instance,) = (it for it in attacker.ask("get_instances", {"host": MINE}).result if _uuid(it) == moving)
    before = cloud.instance(moving)
    changes = own_object("InstanceChanges", vm_state="resized", task_state=None, power_state=1)
    with observe(moving):
        attacker.ask("update_instance", {"instance": instance, "operation": operation, "changes": changes})
    assert cloud.instance(moving) == before


def test_a_step_again(attacker, observe, arrived, prep, cloud):
    """Says once more how its steps went, when they are done, and that one of them failed after all."""
    before = cloud.instance(arrived)
    with observe():
        attacker.ask("end_step", {"migration": prep, "power_state": 1})
        attacker.ask("fail_step", {"migration": changed(prep, step="finish"), "fault": FAULT})
    assert cloud.instance(arrived) == before


def test_a_server_that_left(attacker, observe, arrived, cloud):
    """Goes on with a server that was taken back from it, as if it had been confirmed there."""
    (mine,) = (it for it in attacker.ask("get_instances", {"host": MINE}).result if _uuid(it) == arrived)
    ask(cloud, arrived, {"revertResize": None})
    revert = attacker.take("revert_resize").payload["args"]["migration"]
    do(attacker, revert)
    cloud.run()
    before = cloud.instance(arrived)
    assert (before.host, before.vm_state) == (THEIRS, states.ACTIVE)
    changes = own_object("InstanceChanges", power_state=4)
    with observe(arrived):
        attacker.ask("update_instance", {"instance": mine, "operation": None, "changes": changes})
        attacker.ask("end_step", {"migration": changed(revert, step="confirm"), "power_state": 1})
        attacker.ask("destroy_instance", {"instance": mine})
    assert cloud.instance(arrived) == before


def test_a_server_that_was_evacuated(attacker, observe, arrived, world, cloud):
    """Keeps a server that was evacuated from it: it says that it is the new host, or that it has built the server."""
    confirm(cloud, arrived)
    (mine,) = (it for it in attacker.ask("get_instances", {"host": MINE}).result if _uuid(it) == arrived)
    force_down(cloud, MINE, True)
    ask(cloud, arrived, {"evacuate": {"host": THEIRS}})
    cloud.broker.deliver_one()
    with cloud.db.read() as tx:
        migration = server_migrations.of_instance(tx, arrived)
    now = changed(mine, generation=cloud.instance(arrived).generation, task_state=cloud.instance(arrived).task_state)
    before = cloud.instance(arrived)
    assert migration is not None
    changes = own_object("InstanceChanges", vm_state="active", task_state=None, power_state=1)
    with observe():
        said = as_it_travels(migration, dest_compute=MINE)
        attacker.ask("end_step", {"migration": said, "power_state": 1})
        attacker.ask("update_instance", {"instance": now, "operation": "rebuild", "changes": changes})
        attacker.ask("fail_instance", {"instance": now, "operation": "rebuild", "fault": FAULT})
    assert cloud.instance(arrived) == before
    cloud.run()
    assert (cloud.instance(arrived).host, cloud.instance(arrived).vm_state) == (THEIRS, states.STOPPED)


def _uuid(instance):
    return instance["versioned_object.data"]["uuid"]
