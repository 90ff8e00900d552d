"""Claims promise room that is there, once, and give it back, once."""

from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from mininova import states
from mininova.db import claims, hosts, instances


@pytest.fixture
def used(tx):
    """Tell what is promised on a host: vCPUs, MiB and GiB."""

    def read(host="host-1"):
        (node,) = hosts.search(tx, host=host)
        return node.vcpus_used, node.memory_mb_used, node.local_gb_used

    return read


@pytest.fixture
def host(db, add_host):
    """A host with room for two of the flavor, by its vCPUs."""
    with db.write() as tx:
        return add_host(tx, vcpus=2, memory_mb=2048, local_gb=10).host


@pytest.fixture
def waiting(db, an_instance):
    """Make instances that wait for a host, and name them."""

    def make(count):
        with db.write() as tx:
            return [instance.uuid for instance in instances.create(tx, [an_instance() for _ in range(count)])]

    return make


@pytest.fixture
def uuid():
    return str(uuid4())


def test_a_claim_takes_room(host, tx, used, uuid, flavor):
    """A claim is written down for the instance and added to what its host has promised."""
    assert claims.claim(tx, uuid, host, flavor) is True
    assert used() == (1, 512, 1)
    held = claims.of_instance(tx, uuid)
    assert (held.host, held.vcpus, held.memory_mb, held.disk_gb) == ("host-1", 1, 512, 1)


def test_claiming_twice_is_claiming_once(host, tx, used, uuid, flavor):
    """A repeated claim is granted and not counted again."""
    assert claims.claim(tx, uuid, host, flavor)
    assert claims.claim(tx, uuid, host, flavor) is True
    assert used() == (1, 512, 1)


@pytest.mark.parametrize("more", [{"vcpus": 2}, {"memory_mb": 1537}, {"root_gb": 10}])
def test_what_does_not_fit_is_refused(host, tx, used, uuid, flavor, more):
    """Each of the three must fit beside what is promised; a refusal leaves no trace."""
    assert claims.claim(tx, str(uuid4()), host, flavor)
    assert claims.claim(tx, uuid, host, flavor.replace(**more)) is False
    assert used() == (1, 512, 1)
    assert claims.of_instance(tx, uuid) is None


def test_the_last_bit_of_room_can_be_had(host, tx, used, uuid, flavor):
    """Exactly as much as there is fits."""
    assert claims.claim(tx, uuid, host, flavor.replace(vcpus=2, memory_mb=2048, root_gb=10))
    assert used() == (2, 2048, 10)


def test_ratios_promise_more_than_there_is(add_host, tx, used, flavor):
    """An overcommit ratio lets as many instances in as it says."""
    add_host(tx, "host-1", vcpus=1, memory_mb=1024, cpu_allocation_ratio=3.0, ram_allocation_ratio=1.5)
    granted = [claims.claim(tx, str(uuid4()), "host-1", flavor) for _ in range(4)]
    assert granted == [True, True, True, False]
    assert used() == (3, 1536, 3)


def test_nothing_is_bigger_than_the_host(add_host, tx, uuid, flavor):
    """A flavor that the bare host could not hold is refused, whatever the ratio."""
    add_host(tx, "host-1", vcpus=1, cpu_allocation_ratio=16.0)
    assert claims.claim(tx, uuid, "host-1", flavor.replace(vcpus=2)) is False


def test_a_host_that_is_not_there_has_no_room(tx, uuid, flavor):
    """Nothing can be claimed on a host that never reported."""
    assert claims.claim(tx, uuid, "nowhere", flavor) is False
    assert claims.of_instance(tx, uuid) is None


def test_claiming_elsewhere_gives_up_the_first(host, add_host, tx, used, uuid, flavor):
    """An instance has one claim at most."""
    add_host(tx, "host-2")
    assert claims.claim(tx, uuid, "host-1", flavor)
    assert claims.claim(tx, uuid, "host-2", flavor)
    assert used("host-1") == (0, 0, 0)
    assert used("host-2") == (1, 512, 1)
    assert claims.of_instance(tx, uuid).host == "host-2"


def test_freeing_twice_is_freeing_once(host, tx, used, uuid, flavor):
    """Room is given back once, and the second time there is none to give."""
    claims.claim(tx, uuid, host, flavor)
    assert claims.free(tx, uuid) is True
    assert claims.free(tx, uuid) is False
    assert used() == (0, 0, 0)
    assert claims.of_instance(tx, uuid) is None


def test_freeing_may_be_bound_to_a_host(host, tx, used, uuid, flavor):
    """A late free of the host that failed does not take the room that the instance has on the next one."""
    claims.claim(tx, uuid, host, flavor)
    assert claims.free(tx, uuid, "host-2") is False
    assert used() == (1, 512, 1)
    assert claims.free(tx, uuid, "host-1") is True


def test_one_of_two_racing_claims_gets_the_last_room(host, race, db, flavor):
    """Two schedulers that both believe in the last room: exactly one is given it."""
    whole = flavor.replace(vcpus=2)
    granted = race(lambda tx, uuid: claims.claim(tx, uuid, host, whole), str(uuid4()), str(uuid4()))
    assert sorted(granted) == [False, True]
    with db.read() as tx:
        assert hosts.search(tx, host=host)[0].vcpus_used == 2


def test_racing_claims_for_one_instance_count_once(host, race, db, uuid, flavor):
    """Two schedulers that place the same instance on the same host both succeed, with one claim."""
    assert race(lambda tx, who: claims.claim(tx, who, host, flavor), uuid, uuid) == [True, True]
    with db.read() as tx:
        assert hosts.search(tx, host=host)[0].vcpus_used == 1


def test_all_are_claimed_together(host, waiting, db, flavor):
    """Instances that wait for a host are promised their room there, and it is told where."""
    wanted = dict.fromkeys(waiting(2), host)
    with db.write() as tx:
        assert claims.claim_all(tx, wanted, flavor) == wanted
    with db.read() as tx:
        assert claims.hosts_of(tx, list(wanted)) == wanted
        assert hosts.search(tx, host=host)[0].vcpus_used == 2


def test_all_or_none(host, waiting, db, flavor):
    """When there is too little room for one of them none is promised any, and it is told which one."""
    wanted = dict.fromkeys(waiting(3), host)
    with pytest.raises(claims.NoRoom) as refusal, db.write() as tx:
        claims.claim_all(tx, wanted, flavor)
    assert refusal.value.instance_uuids == sorted(wanted)[2:]
    with db.read() as tx:
        assert claims.hosts_of(tx, list(wanted)) == {}
        assert hosts.search(tx, host=host)[0].vcpus_used == 0


def test_what_is_claimed_already_stays(host, waiting, add_host, db, flavor):
    """An instance that has room keeps it where it is, however little there is left, and it is told where that is."""
    one, other = waiting(2)
    with db.write() as tx:
        add_host(tx, "host-2", vcpus=1)
        claims.claim(tx, one, "host-2", flavor)
        assert claims.claim_all(tx, {one: host, other: host}, flavor) == {one: "host-2", other: host}
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 1]


def test_what_waits_for_no_host_is_promised_nothing(host, an_instance, tx, flavor):
    """What has a host, failed or was deleted gets no room."""
    placed, failed = an_instance(host="host-2"), an_instance(vm_state=states.ERROR, task_state=None)
    gone, never = an_instance(), an_instance()
    instances.create(tx, [placed, failed, gone])
    instances.destroy(tx, gone.uuid)
    asked = [instance.uuid for instance in (placed, failed, gone, never)]
    assert claims.claim_all(tx, dict.fromkeys(asked, host), flavor) == {}
    assert hosts.search(tx, host=host)[0].vcpus_used == 0


def test_racing_copies_are_told_one_host(host, waiting, add_host, race, db, flavor):
    """Two schedulers that place the same instances on different hosts learn of one place each, where the claims are."""
    asked = waiting(2)
    with db.write() as tx:
        add_host(tx, "host-2")
    one, other = race(
        lambda tx, where: claims.claim_all(tx, dict(zip(asked, where, strict=True)), flavor),
        (host, "host-2"),
        ("host-2", host),
    )
    assert one == other
    with db.read() as tx:
        assert claims.hosts_of(tx, asked) == one
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 1]


def test_a_claim_that_is_freed_just_then(host, waiting, add_host, db, flavor):
    """A claim that was in the way, and is freed before it can be read, is in the way no more."""
    (uuid,) = waiting(1)
    freed = []

    def free_first(connection, cursor, statement, *rest):
        if statement.startswith("SELECT allocations") and not freed:
            freed.append(uuid)
            claims.free(connection, uuid)

    with db.write() as tx:
        add_host(tx, "host-2")
        claims.claim(tx, uuid, "host-2", flavor)
        event.listen(db.engine, "before_cursor_execute", free_first)
        assert claims.claim_all(tx, {uuid: host}, flavor) == {uuid: host}
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 0]


def test_a_claim_waits_for_the_end_of_its_build():
    """A server, which lets many write at a time, locks the instance's row: a delete sees the claim, or ends it."""
    statement = claims._insert_if_it_waits.compile(dialect=postgresql.dialect())
    assert str(statement).endswith("FOR UPDATE")
