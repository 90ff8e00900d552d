"""A claim takes existing room once, and gives it back once."""

from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from mininova import states
from mininova.context import RequestContext
from mininova.db import actions, claims, hosts, instances
from mininova.objects import ImageMeta, RequestSpec


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
def uuids(db, waiting):
    """Make instances that wait for a host, and name them."""

    def make(count):
        with db.write() as tx:
            return [instance.uuid for instance in waiting(tx, count)]

    return make


def claim_all(tx, wanted, flavor, request_id="req-1"):
    """Claim for the instances that wait, for their request."""
    spec = RequestSpec(flavor=flavor, image=ImageMeta(id="i"), project_id="demo")
    return claims.claim_all(tx, wanted, spec, request_id)


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


def test_all_are_claimed_together(host, uuids, db, flavor):
    """Instances that wait for a host get claims together, and the answer has their hosts."""
    wanted = dict.fromkeys(uuids(2), host)
    with db.write() as tx:
        assert claim_all(tx, wanted, flavor) == wanted
    with db.read() as tx:
        assert claims.hosts_of(tx, list(wanted)) == wanted
        assert hosts.search(tx, host=host)[0].vcpus_used == 2


def test_all_or_none(host, uuids, db, flavor):
    """If there is too little room for one of them, none gets a claim, and the error names the host."""
    wanted = dict.fromkeys(uuids(3), host)
    with pytest.raises(claims.NoRoom) as refusal, db.write() as tx:
        claim_all(tx, wanted, flavor)
    assert refusal.value.hosts == [host]
    with db.read() as tx:
        assert claims.hosts_of(tx, list(wanted)) == {}
        assert hosts.search(tx, host=host)[0].vcpus_used == 0


def test_an_earlier_claim_stays(host, uuids, add_host, db, flavor):
    """An instance with a claim keeps it on its host, even a full one, and the answer has that host."""
    one, other = uuids(2)
    with db.write() as tx:
        add_host(tx, "host-2", vcpus=1)
        claims.claim(tx, one, "host-2", flavor)
        assert claim_all(tx, {one: host, other: host}, flavor) == {one: "host-2", other: host}
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 1]


def test_an_instance_that_waits_for_no_host_gets_no_claim(host, waiting, an_instance, tx, flavor):
    """An instance that has a host, failed or was deleted gets no claim."""
    placed, failed, gone = waiting(tx, 3)
    for it, change in (placed, {"host": "host-2"}), (failed, {"vm_state": states.ERROR, "task_state": None}):
        instances.update(tx, it.uuid, change, generation=it.generation, expected_task_state=(states.SCHEDULING,))
    instances.destroy(tx, gone.uuid)
    never = an_instance()
    asked = [instance.uuid for instance in (placed, failed, gone, never)]
    assert claim_all(tx, dict.fromkeys(asked, host), flavor) == {}
    assert hosts.search(tx, host=host)[0].vcpus_used == 0


@pytest.mark.parametrize("has_room", [False, True])
def test_a_late_copy_of_an_earlier_request_claims_nothing(host, uuids, add_host, db, flavor, has_room):
    """An instance that waits again, for another request, gets no room, and keeps what it has."""
    (uuid,) = uuids(1)
    with db.write() as tx:
        add_host(tx, "host-2")
        if has_room:
            claims.claim(tx, uuid, "host-2", flavor)
        actions.finish(tx, uuid)
        actions.start(tx, RequestContext(request_id="req-2"), [instances.get(tx, uuid)], "build", due_after=30)
        assert claim_all(tx, {uuid: host}, flavor, "req-1") == ({uuid: "host-2"} if has_room else {})
        claims.free(tx, uuid)
        assert claim_all(tx, {uuid: host}, flavor, "req-2") == {uuid: host}


def test_racing_copies_get_one_host(host, uuids, add_host, race, db, flavor):
    """Two schedulers that place the same instances on different hosts both get the hosts of the claims made first."""
    asked = uuids(2)
    with db.write() as tx:
        add_host(tx, "host-2")
    one, other = race(
        lambda tx, where: claim_all(tx, dict(zip(asked, where, strict=True)), flavor),
        (host, "host-2"),
        ("host-2", host),
    )
    assert one == other
    with db.read() as tx:
        assert claims.hosts_of(tx, asked) == one
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 1]


def test_a_claim_that_is_freed_just_then(host, uuids, add_host, db, flavor):
    """A claim elsewhere that another transaction frees before we read it no longer counts."""
    (uuid,) = uuids(1)
    freed = []

    def free_first(connection, cursor, statement, *rest):
        if statement.startswith("SELECT allocations") and not freed:
            freed.append(uuid)
            claims.free(connection, uuid)

    with db.write() as tx:
        add_host(tx, "host-2")
        claims.claim(tx, uuid, "host-2", flavor)
        event.listen(db.engine, "before_cursor_execute", free_first)
        assert claim_all(tx, {uuid: host}, flavor) == {uuid: host}
        assert [node.vcpus_used for node in hosts.search(tx)] == [1, 0]


def test_a_claim_waits_for_the_end_of_its_build():
    """On a database with many writers, the claim locks the instance's row, so that a delete sees
    the claim or ends it.
    """
    statement = claims._insert_if_it_waits.compile(dialect=postgresql.dialect())
    assert " FOR UPDATE" in str(statement)
