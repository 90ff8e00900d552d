"""Many transactions at the same moment, each on its own connection, share nothing that only one may have."""

import threading
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from mininova import errors
from mininova.db import claims, hosts, instances, networks, ports, request_specs, server_groups, services
from mininova.db.server_groups import ServerGroup
from mininova.objects import ImageMeta, RequestSpec, Service
from tests.fixtures.private_databases import MARIADB, POSTGRESQL

MANY = 12
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_room_is_promised_once(race, db, add_host, flavor):
    """Of twelve claims on a host with room for five, five succeed."""
    with db.write() as tx:
        add_host(tx, "host-1", vcpus=5)
    granted = race(lambda tx, uuid: claims.claim(tx, uuid, "host-1", flavor), *(str(uuid4()) for _ in range(MANY)))
    assert (granted.count(True), granted.count(False)) == (5, 7)
    with db.read() as tx:
        assert hosts.search(tx, host="host-1")[0].vcpus_used == 5


@pytest.mark.parametrize("claims_all", [True, False], ids=["scheduler", "conductor"])
def test_a_group_keeps_to_its_policy(race, db, add_host, waiting, flavor, claims_all):
    """Of twelve members that are to be apart, and get room on three hosts at once, three get it."""
    group = ServerGroup(uuid=str(uuid4()), name="g", project_id="p", user_id="u", policy="anti-affinity")
    spec = RequestSpec(flavor=flavor, image=ImageMeta(id="i"), project_id="p", scheduler_hints={"group": group.uuid})
    with db.write() as tx:
        server_groups.create(tx, group)
        names = [add_host(tx, f"host-{number}", vcpus=MANY).host for number in range(3)]
        made = waiting(tx, MANY)
        request_specs.create(tx, [instance.uuid for instance in made], spec)

    def claim(tx, place):
        uuid, host = made[place].uuid, names[place % 3]
        if claims_all:
            return claims.claim_all(tx, {uuid: host}, spec, "req-1") == {uuid: host}
        return claims.claim(tx, uuid, host, flavor, group.uuid)

    outcomes = race(claim, *range(MANY))
    assert outcomes.count(True) == 3
    assert {type(outcome) for outcome in outcomes if outcome is not True} == {claims.GroupMoved if claims_all else bool}
    with db.read() as tx:
        assert sorted(server_groups.hosts_of_members(tx, group.uuid).values()) == names


def test_room_is_given_back_once(race, db, add_host, flavor):
    """However many transactions free a claim, its room is freed once."""
    with db.write() as tx:
        add_host(tx, "host-1")
        claims.claim(tx, "kept", "host-1", flavor)
        claims.claim(tx, "freed", "host-1", flavor)
    assert race(claims.free, *["freed"] * MANY).count(True) == 1
    with db.read() as tx:
        assert hosts.search(tx, host="host-1")[0].vcpus_used == 1


def test_a_generation_is_swapped_once(race, db, an_instance):
    """Of twelve updates on the same generation one is written; the others get a conflict."""
    with db.write() as tx:
        (instance,) = instances.create(tx, [an_instance()])

    def change(tx, progress):
        states = [instance.task_state]
        changes = {"progress": progress}
        return instances.update(tx, instance.uuid, changes, generation=0, expected_task_state=states, host=None)

    outcomes = race(change, *range(1, MANY + 1))
    won = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, errors.InstanceUpdateConflict)]
    assert (len(won), len(lost)) == (1, MANY - 1)
    with db.read() as tx:
        assert instances.get(tx, instance.uuid) == won[0]


def test_a_repeated_step_gets_the_same_address(race, db, an_instance):
    """Twelve instances get twelve addresses."""
    with db.write() as tx:
        made = instances.create(tx, [an_instance() for _ in range(MANY)])
    lent = race(lambda tx, it: networks.allocate(tx, "flat", "10.0.0.0/24", it.uuid).address, *made)
    assert sorted(lent) == sorted(f"10.0.0.{n}" for n in range(networks.FIRST, networks.FIRST + MANY))


def test_one_floating_address_leads_to_an_address(race, db):
    """Of twelve that are to lead to the same one at once, one does, and the others are refused."""
    with db.write() as tx:
        networks.allocate(tx, "flat", "10.0.0.0/24", str(uuid4()))
        (port,) = ports.search(tx)
    floating = [f"203.0.113.{n}" for n in range(MANY)]
    outcomes = race(lambda tx, it: ports.float_to(tx, it, port, port.addresses[0].address), *floating)
    assert [type(outcome) for outcome in outcomes].count(errors.Conflict) == MANY - 1
    with db.read() as tx:
        ((led_to,),) = [each.addresses for each in ports.search(tx)]
    (won,) = [it for it, outcome in zip(floating, outcomes, strict=True) if not isinstance(outcome, Exception)]
    assert led_to.floating_address == won


def test_a_service_registers_once(race, db):
    """Several conductors that record its first heartbeats at once make one row, which counts them all."""
    service = Service(binary="nova-compute", host="host-1", topic="compute")
    race(lambda tx, now: services.report(tx, service, now), *[NOW] * MANY)
    with db.read() as tx:
        assert [each.report_count for each in services.search(tx)] == [MANY]


@pytest.mark.parametrize("db", [POSTGRESQL, MARIADB], indirect=True)
def test_one_of_two_that_wait_for_each_other_is_given_up(race, db, add_host, flavor):
    """The database aborts one; it gets an error which says that nothing was done, and the other goes on."""
    with db.write() as tx:
        add_host(tx, "host-1")
        add_host(tx, "host-2")
    both_hold_one = threading.Barrier(2)

    def claim(tx, names):
        first, second = names
        claims.claim(tx, str(uuid4()), first, flavor)
        both_hold_one.wait()
        return claims.claim(tx, str(uuid4()), second, flavor)

    outcomes = race(claim, ("host-1", "host-2"), ("host-2", "host-1"))
    assert {type(outcome) for outcome in outcomes} == {errors.DatabaseAway, bool}
    with db.read() as tx:
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 1]
