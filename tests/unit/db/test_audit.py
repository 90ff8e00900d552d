"""What disagrees in a database is found, and mended where that does no harm, on each kind of database."""

import pytest
from sqlalchemy import update

from mininova import states
from mininova.context import RequestContext
from mininova.db import actions, audit, claims, instances, networks, server_migrations
from mininova.db import models as tables
from mininova.db.audit import Disagreement
from mininova.objects import Retry
from mininova.states import UNCOMPARED

CIDR = "10.0.0.0/24"


@pytest.fixture
def active(tx, an_instance, add_host, flavor):
    """An instance that runs on host-1, and agrees with all."""
    for host in ("host-1", "host-2"):
        add_host(tx, host)
    (instance,) = instances.create(tx, [an_instance(vm_state=states.ACTIVE, task_state=None, host="host-1")])
    claims.claim(tx, instance.uuid, "host-1", flavor)
    networks.allocate(tx, "flat", CIDR, instance.uuid)
    return instance


def found(tx):
    """Give what disagrees: the kind, the instance and the host."""
    return [(it.what, it.instance, it.host) for _, it in audit.find(tx)]


def mend(tx):
    """Mend what can be mended; give what was done."""
    return [check.mend(tx, it) for check, it in audit.find(tx) if check.mend]


def test_nothing(tx, active):
    """Where all agrees nothing is found."""
    assert found(tx) == []


def test_what_is_of_no_instance(tx, active, flavor):
    """A claim, an address and an open operation go, and what they counted with them."""
    claims.claim(tx, "gone", "host-2", flavor)
    networks.allocate(tx, "flat", CIDR, "gone")
    actions.start(tx, RequestContext(), [active.replace(uuid="gone")], "stop", due_after=30)
    assert found(tx) == [("claim", "gone", "host-2"), ("address", "gone", None), ("operation", "gone", None)]
    assert mend(tx) == ["freed its claim on host-2", "freed its address", "closed the operation"]
    assert found(tx) == []


def test_a_claim_on_another_host(tx, active, flavor):
    """The room is claimed where the instance is, also if there is none left, and counted there."""
    claims.put(tx, active.uuid, "host-2", flavor)
    tx.execute(update(tables.compute_nodes).where(tables.compute_nodes.c.host == "host-1").values(vcpus=0))
    assert found(tx) == [("claim", active.uuid, "host-2")]
    assert mend(tx) == ["claimed its room on host-1"]
    assert claims.of_instance(tx, active.uuid).host == "host-1"
    assert found(tx) == []


def test_no_claim(tx, active):
    """An instance that runs has one; one in ERROR, which no host has built, needs none."""
    claims.free(tx, active.uuid)
    assert found(tx) == [("claim", active.uuid, "host-1")]
    assert mend(tx) == ["claimed its room on host-1"]
    claims.free(tx, active.uuid)
    instances.update(tx, active.uuid, {"vm_state": states.ERROR}, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
    assert found(tx) == []


def test_a_wrong_sum(tx, active):
    """It is counted again."""
    tx.execute(update(tables.compute_nodes).values(memory_mb_used=9))
    assert found(tx) == [("room", None, "host-1"), ("room", None, "host-2")]
    assert [it.says for _, it in audit.find(tx)] == [
        "counts 1 vCPUs, 9 MiB, 1 GiB and 1 instances as claimed, "
        "and its claims are 1 vCPUs, 512 MiB, 1 GiB and 1 instances",
        "counts 0 vCPUs, 9 MiB, 0 GiB and 0 instances as claimed, "
        "and its claims are 0 vCPUs, 0 MiB, 0 GiB and 0 instances",
    ]
    assert mend(tx) == ["counted its claims"] * 2
    assert found(tx) == []


def test_an_address_that_waits_for_no_host(tx, active):
    """It is lent again."""
    networks.allocate(tx, "flat", CIDR, "gone")
    networks.free(tx, "gone", guest_on="host-9")
    assert found(tx) == [("address", None, "host-9")]
    assert mend(tx) == ["lends these addresses again"]
    assert networks.departed(tx, "host-9") == []


# ---- what is under way


def change(tx, instance, **columns):
    """Write what a service would write."""
    return instances.update(tx, instance.uuid, columns, generation=UNCOMPARED, expected_task_state=UNCOMPARED)


@pytest.fixture
def migrating(tx, active, flavor):
    """The migration of that instance, which has begun: it is promised the room on host-1."""
    moving = change(tx, active, task_state=states.RESIZE_PREP)
    actions.start(tx, RequestContext(), [moving], "resize", due_after=30)
    return server_migrations.begin(tx, moving, "resize", flavor, Retry(), states.ACTIVE)


def test_a_migration_under_way(tx, active, flavor, migrating):
    """Its room on the one host, the instance's on the other, and a guest on both are as they should be."""
    assert found(tx) == []
    claims.claim(tx, active.uuid, "host-2", flavor)
    server_migrations.record(tx, migrating.replace(dest_compute="host-2"))
    assert found(tx) == []
    assert audit.compare_guests(tx, {host: [active.uuid] for host in ("host-1", "host-2")}) == []
    change(tx, active, vm_state=states.RESIZED, task_state=None, host="host-2")
    actions.finish(tx, active.uuid)
    assert found(tx) == []


def test_a_migration_that_is_left_open(tx, active, migrating):
    """It is closed, and the instance has its room again."""
    change(tx, active, task_state=None)
    actions.finish(tx, active.uuid)
    assert found(tx) == [("migration", active.uuid, None)]
    assert mend(tx) == ["closed the migration"]
    assert found(tx) == []


def test_a_claim_of_an_instance_without_a_host(tx, active):
    """One at rest needs none."""
    change(tx, active, host=None)
    assert found(tx) == [("claim", active.uuid, "host-1")]
    assert mend(tx) == ["freed its claim on host-1"]


def test_what_a_guest_under_way_is(tx, active):
    """An instance that something is done to may have no guest just now."""
    change(tx, active, task_state=states.REBUILDING)
    assert audit.compare_guests(tx, {"host-1": []}) == []


# What disagrees with an instance that runs on host-1 → what happens to that before it is mended.
def without_host(tx, instance):
    change(tx, instance, host=None)
    return lambda: change(tx, instance, task_state=states.UNSHELVING)


def claimed_elsewhere(tx, instance):
    claims.put(tx, instance.uuid, "host-2", instance.flavor)
    return lambda: change(tx, instance, host=None)


def deleted(tx, instance):
    row = update(tables.instances).where(tables.instances.c.uuid == instance.uuid)
    claims.free(tx, instance.uuid)
    tx.execute(row.values(deleted=True))
    return lambda: tx.execute(row.values(deleted=False))


def with_an_operation(tx, instance):
    actions.start(tx, RequestContext(), [instance], "stop", due_after=30)
    return lambda: change(tx, instance, task_state=states.POWERING_OFF)


def with_a_migration(tx, instance):
    server_migrations.begin(tx, instance, "resize", instance.flavor, Retry(), states.ACTIVE)
    return lambda: change(tx, instance, task_state=states.RESIZE_PREP)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [(without_host, "claim"), (claimed_elsewhere, "claim"), (deleted, "address"), (with_an_operation, "operation"),
     (with_a_migration, "migration")],
)  # fmt: skip
def test_what_goes_on_by_the_time_that_it_is_mended(tx, active, spoil, what):
    """It is looked at again, and left alone."""
    goes_on = spoil(tx, active)
    ((check, it),) = audit.find(tx)
    assert check.what == what
    goes_on()
    assert check.mend(tx, it) == ""


# ---- guests


def test_guests(tx, active):
    """A guest on another host than its instance is a stranger there; of a host that was not asked nothing is said."""
    on = lambda **guests: audit.compare_guests(tx, {f"host-{n[1:]}": it for n, it in guests.items()})  # noqa: E731
    lost = Disagreement(what="guest", instance=active.uuid, host="host-1", says="is active, and has no guest")
    stranger = Disagreement(
        what="guest", instance=active.uuid, host="host-2", says="has a guest there, and is not there"
    )
    assert on(h1=[active.uuid], h2=[]) == []
    assert on(h2=[active.uuid]) == [stranger]
    assert on(h1=[]) == [lost]
