"""Claims promise room that is there, once, and give it back, once."""

from uuid import uuid4

import pytest

from mininova.db import claims, hosts


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
