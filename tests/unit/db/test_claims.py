"""A claim takes existing room once, and gives it back once."""

from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from mininova import states
from mininova.db import claims, hosts, instances


@pytest.fixture
def used(tx):
    """Give what is claimed on a host: vCPUs, MiB and GiB."""

    def read(host="host-1"):
        (node,) = hosts.search(tx, host=host)
        return node.vcpus_used, node.memory_mb_used, node.local_gb_used

    return read


@pytest.fixture
def host(db, add_host):
    """A host with vCPUs for two of the flavor."""
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
    """The claim is recorded for the instance and added to the host's use."""
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
def test_a_claim_that_does_not_fit_is_refused(host, tx, used, uuid, flavor, more):
    """Each of the three amounts must fit beside the claims; a refusal changes nothing."""
    assert claims.claim(tx, str(uuid4()), host, flavor)
    assert claims.claim(tx, uuid, host, flavor.replace(**more)) is False
    assert used() == (1, 512, 1)
    assert claims.of_instance(tx, uuid) is None


def test_the_last_bit_of_room_can_be_had(host, tx, used, uuid, flavor):
    """A claim of exactly the room that is left succeeds."""
    assert claims.claim(tx, uuid, host, flavor.replace(vcpus=2, memory_mb=2048, root_gb=10))
    assert used() == (2, 2048, 10)


def test_ratios_promise_more_than_there_is(add_host, tx, used, flavor):
    """An overcommit ratio lets in as many instances as it says."""
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
    """The second time nothing is freed."""
    claims.claim(tx, uuid, host, flavor)
    assert claims.free(tx, uuid) is True
    assert claims.free(tx, uuid) is False
    assert used() == (0, 0, 0)
    assert claims.of_instance(tx, uuid) is None


def test_freeing_may_be_bound_to_a_host(host, tx, used, uuid, flavor):
    """A late free of the host that failed does not free the claim on the next host."""
    claims.claim(tx, uuid, host, flavor)
    assert claims.free(tx, uuid, "host-2") is False
    assert used() == (1, 512, 1)
    assert claims.free(tx, uuid, "host-1") is True


def test_one_of_two_racing_claims_gets_the_last_room(host, race, db, flavor):
    """Of two schedulers that claim the last room, exactly one gets it."""
    whole = flavor.replace(vcpus=2)
    granted = race(lambda tx, uuid: claims.claim(tx, uuid, host, whole), str(uuid4()), str(uuid4()))
    assert sorted(granted) == [False, True]
    with db.read() as tx:
        assert hosts.search(tx, host=host)[0].vcpus_used == 2


def test_racing_claims_for_one_instance_count_once(host, race, db, uuid, flavor):
    """Two schedulers that place an instance on the same host both succeed, with one claim."""
    assert race(lambda tx, who: claims.claim(tx, who, host, flavor), uuid, uuid) == [True, True]
    with db.read() as tx:
        assert hosts.search(tx, host=host)[0].vcpus_used == 1


def test_all_are_claimed_together(host, waiting, db, flavor):
    """Instances that wait for a host get claims together, and the answer has their hosts."""
    wanted = dict.fromkeys(waiting(2), host)
    with db.write() as tx:
        assert claims.claim_all(tx, wanted, flavor) == wanted
    with db.read() as tx:
        assert claims.hosts_of(tx, list(wanted)) == wanted
        assert hosts.search(tx, host=host)[0].vcpus_used == 2


def test_all_or_none(host, waiting, db, flavor):
    """If there is too little room for one of them, none gets a claim, and the error names the host."""
    wanted = dict.fromkeys(waiting(3), host)
    with pytest.raises(claims.NoRoom) as refusal, db.write() as tx:
        claims.claim_all(tx, wanted, flavor)
    assert refusal.value.hosts == [host]
    with db.read() as tx:
        assert claims.hosts_of(tx, list(wanted)) == {}
        assert hosts.search(tx, host=host)[0].vcpus_used == 0


def test_an_earlier_claim_stays(host, waiting, add_host, db, flavor):
    """An instance with a claim keeps it on its host, even a full one, and the answer has that host."""
    one, other = waiting(2)
    with db.write() as tx:
        add_host(tx, "host-2", vcpus=1)
        claims.claim(tx, one, "host-2", flavor)
        assert claims.claim_all(tx, {one: host, other: host}, flavor) == {one: "host-2", other: host}
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 1]


def test_an_instance_that_waits_for_no_host_gets_no_claim(host, an_instance, tx, flavor):
    """An instance that has a host, failed or was deleted gets no claim."""
    placed, failed = an_instance(host="host-2"), an_instance(vm_state=states.ERROR, task_state=None)
    gone, never = an_instance(), an_instance()
    instances.create(tx, [placed, failed, gone])
    instances.destroy(tx, gone.uuid)
    asked = [instance.uuid for instance in (placed, failed, gone, never)]
    assert claims.claim_all(tx, dict.fromkeys(asked, host), flavor) == {}
    assert hosts.search(tx, host=host)[0].vcpus_used == 0


def test_racing_copies_get_one_host(host, waiting, add_host, race, db, flavor):
    """Two schedulers that place the same instances on different hosts both get the hosts of the claims made first."""
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
    """A claim elsewhere that another transaction frees before we read it no longer counts."""
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
    """On a database with many writers, the claim locks the instance's row, so that a delete sees
    the claim or ends it.
    """
    statement = claims._insert_if_it_waits.compile(dialect=postgresql.dialect())
    assert " FOR UPDATE" in str(statement)
