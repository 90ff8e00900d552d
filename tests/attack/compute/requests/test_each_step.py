"""Lying at each step by which a server goes from one host to another.

Before each message that a host is sent for it, the attacker tells the conductor all the lies that there are.  It takes
its own steps, for without them there would be no next one; and in the end the server is where it was to go.
"""

import msgspec
import pytest

from mininova import states
from mininova.conductor.steps import STEPS, host_of
from tests.fixtures import moving_servers
from tests.fixtures.attack_worlds import HOSTS, LIKE_MINE, MINE, THEIRS
from tests.fixtures.moving_servers import as_it_travels, disable, force_down, open_migration, stops
from tests.fixtures.taken_over import changed, own_object

FAULT = own_object("Fault", code=500, message="as the attacker likes it")
DEST = "the host that it goes to"
# What is asked of a server, one after the other.
WAYS = {
    "reverted": ({"resize": {"flavorRef": "2"}}, {"revertResize": None}),
    "confirmed": ({"migrate": {"host": DEST}}, {"confirmResize": None}),
    "live": ({"os-migrateLive": {"host": DEST, "block_migration": "auto"}},),
    "evacuated": ({"evacuate": {"host": DEST}},),
}
SHELVED = ({"shelve": None}, {"shelveOffload": None}, {"unshelve": None})
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def world(memory_world):
    """Give the cloud in this process: what a message says is judged alike at a broker."""
    return memory_world


@pytest.fixture(autouse=True)
def unchanged(attacker):
    """Let the database change: a server is migrated."""


@pytest.fixture
def go(world):
    """Have a server go from a host; give its uuid at each stop."""
    made = []

    def walk(asked, source, dest=None, *, is_down=False):
        uuid = world.boot("on its way", THEIRS if source == MINE else source)
        made.append(uuid)
        assert world.at_rest(uuid) == "ACTIVE"
        if source == MINE:
            for _ in _asked(world, uuid, WAYS["confirmed"], MINE):
                pass
        force_down(world.cloud, source, is_down)
        for host in HOSTS:
            disable(world.cloud, host, host != (dest or source))  # a resize and an unshelve name none
        yield from _asked(world, uuid, asked, dest)
        force_down(world.cloud, source, False)

    yield walk
    for host in HOSTS:
        disable(world.cloud, host, False)
    for uuid in made:
        force_down(world.cloud, MINE, True)  # it would not clear what it has
        world.delete(uuid, wait=True)
        force_down(world.cloud, MINE, False)


def _asked(world, uuid, asked, dest):
    for action in asked:
        ((name, said),) = action.items()
        host = {"host": dest} if DEST in (said or {}).values() else {}
        moving_servers.ask(world.cloud, uuid, {name: said and {**said, **host}})
        for _ in stops(world, uuid):
            yield uuid


@every_way
def test_as_the_source(attacker, observe, world, mine, go, way):
    """Says of a server that leaves it that another step is due, has ended or failed, that it is gone, or built here."""
    for uuid in go(WAYS[way], MINE, THEIRS, is_down=way == "evacuated"):
        _lie(attacker, observe, world, mine, uuid)
    _require_there(world, uuid, MINE if way == "reverted" else THEIRS)


@every_way
def test_as_the_dest(attacker, observe, world, mine, go, way):
    """Says so of a server that comes to it, before its step and after it."""
    for uuid in go(WAYS[way], THEIRS, MINE, is_down=way == "evacuated"):
        _lie(attacker, observe, world, mine, uuid)
    _require_there(world, uuid, THEIRS if way == "reverted" else MINE)


@every_way
def test_as_a_third(attacker, observe, world, mine, go, way):
    """Says so of a server that goes from one other host to another."""
    for uuid in go(WAYS[way], THEIRS, LIKE_MINE, is_down=way == "evacuated"):
        _lie(attacker, observe, world, mine, uuid)
    _require_there(world, uuid, THEIRS if way == "reverted" else LIKE_MINE)


def test_of_a_shelved_one(attacker, observe, world, mine, go):
    """Says so of another host's server that is shelved, is on no host, and comes back to one."""
    for uuid in go(SHELVED, THEIRS):
        _lie(attacker, observe, world, mine, uuid)
    assert world.cloud.instance(uuid).vm_state == states.ACTIVE


# ---- the lies


def _lie(attacker, observe, world, mine, uuid):
    instance, migration = world.as_guessed(mine, uuid), open_migration(world.cloud, uuid)
    before = world.rows.all()
    with observe():
        for method, args in [*_of_steps(migration), *_of_instances(instance)]:
            attacker.ask(method, args, version="1.1")
    attacker.ask("reschedule_instance", {"instance": changed(instance, host=MINE), "fault": FAULT})  # which is a cast
    if world.cloud.instance(uuid).task_state:  # so far it has left no host
        attacker.ask("reconcile_host", {"host": MINE, "cleared": [uuid]}, version="1.1")
    assert world.rows.all() == before


def _of_steps(migration):
    """Say of each step that it begins, has ended and failed, and of each host that it is the attacker."""
    for step in STEPS if migration is not None else ():
        for hosts in {}, {"source_compute": MINE}, {"dest_compute": MINE}:
            said = msgspec.structs.replace(migration, step=step, **hosts)
            if said == migration and host_of(said) == MINE:
                continue  # that is true
            wire = as_it_travels(said)
            yield "begin_step", {"migration": wire}
            yield "end_step", {"migration": wire, "power_state": 1}
            yield "fail_step", {"migration": wire, "fault": FAULT}


def _of_instances(instance):
    """Say that the instance is on the attacker's host, and that an operation goes on there, has ended or failed."""
    here = changed(instance, host=MINE)
    at_rest = own_object("InstanceChanges", vm_state="active", task_state=None, power_state=1)
    for operation in (*states.MIGRATIONS, "build", "rebuild", "shelve", "shelve_offload", "unshelve", "delete"):
        yield "update_instance", {"instance": here, "operation": operation, "changes": at_rest}
        yield "fail_instance", {"instance": here, "operation": operation, "fault": FAULT}
    was = instance["versioned_object.data"]
    if was["host"] != MINE or was["task_state"]:  # else it may have found it stopped
        found = own_object("InstanceChanges", power_state=4)
        yield "update_instance", {"instance": here, "operation": None, "changes": found}
    for operation in states.IMAGE_MAKERS:
        yield "upload_snapshot", {"instance": here, "operation": operation, "taken": "mine"}
    for method in "destroy_instance", "offload_instance", "allocate_network":
        yield method, {"instance": here}


def _require_there(world, uuid, host):
    """See that the server is where it was to go, and has room there and nowhere else."""
    rows = world.rows.read("SELECT host FROM allocations WHERE instance_uuid = ?", uuid)
    assert open_migration(world.cloud, uuid) is None
    assert (world.cloud.instance(uuid).host, [row["host"] for row in rows]) == (host, [host])
