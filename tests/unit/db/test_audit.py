"""What disagrees in a database is found, and mended where that does no harm, on each kind of database."""

import pytest
from sqlalchemy import update

from mininova import states
from mininova.context import RequestContext
from mininova.db import actions, audit, claims, instances, networks
from mininova.db.audit import Disagreement
from mininova.db.models import compute as tables
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
