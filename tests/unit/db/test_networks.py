"""The flat network gives each instance one address, and reuses it when it was freed."""

from uuid import uuid4

import pytest
from sqlalchemy import event

from mininova import errors
from mininova.db import instances, networks
from mininova.db.session import Database

CIDR = "10.0.0.0/29"  # .2 to .6 can be given to instances


def lend(tx, uuid=None, cidr=CIDR):
    return networks.allocate(tx, "flat", cidr, uuid or str(uuid4())).address


def test_the_first_address_follows_the_gateway(tx):
    """The network's own address and the gateway's are not used; the MAC address tells the place in the range."""
    ip = networks.allocate(tx, "flat", "10.0.0.0/16", "a")
    assert (ip.address, ip.network, ip.mac_address, ip.version_number) == ("10.0.0.2", "flat", "fa:16:3e:00:00:02", 4)


def test_the_instance_carries_its_addresses(tx, an_instance):
    """The address is copied into the instance's row, and removed when it is freed."""
    (instance,) = instances.create(tx, [an_instance()])
    ip = networks.allocate(tx, "flat", CIDR, instance.uuid)
    assert instances.get(tx, instance.uuid).addresses == (ip,)
    networks.free(tx, instance.uuid)
    assert instances.get(tx, instance.uuid).addresses == ()


def test_asking_again_gives_the_same_address(tx):
    """A repeated allocation takes no second address."""
    first = networks.allocate(tx, "flat", CIDR, "a")
    assert networks.allocate(tx, "flat", CIDR, "a") == first
    assert lend(tx) == "10.0.0.3"


def test_a_freed_address_is_left_alone_while_others_are_free(tx):
    """Addresses go upwards: a freed one is not used at once."""
    lend(tx, "a")
    lend(tx)
    networks.free(tx, "a")
    assert lend(tx) == "10.0.0.4"


def test_gaps_are_used_when_the_range_is(tx):
    """At the end of the range the lowest freed address is used, also the very first or one in the middle."""
    for uuid in "abcde":
        last = lend(tx, uuid)
    assert last == "10.0.0.6"
    networks.free(tx, "c")
    networks.free(tx, "a")
    assert [lend(tx), lend(tx)] == ["10.0.0.2", "10.0.0.4"]


def test_a_full_network_says_so(tx):
    """When every address but the broadcast's is taken, the allocation fails."""
    for uuid in "abcde":
        lend(tx, uuid)
    with pytest.raises(errors.NoMoreAddresses, match="flat"):
        lend(tx)


def test_a_network_may_be_too_small_for_any_address(tx):
    """A range without room beside gateway and broadcast has no addresses."""
    with pytest.raises(errors.NoMoreAddresses):
        lend(tx, cidr="10.0.0.0/31")


def test_a_network_may_be_of_version_6(tx):
    """An IPv6 network works alike."""
    ip = networks.allocate(tx, "flat", "fd00::/64", "a")
    assert (ip.address, ip.version_number) == ("fd00::2", 6)


def test_freeing_twice_is_freeing_once(tx):
    """The second time nothing is freed."""
    lend(tx, "a")
    assert networks.free(tx, "a") is True
    assert networks.free(tx, "a") is False


def test_racing_instances_get_addresses_of_their_own(race):
    """Many instances at once get different addresses."""
    lent = race(lend, *(str(uuid4()) for _ in range(5)))
    assert sorted(lent) == [f"10.0.0.{n}" for n in range(2, 7)]


def test_racing_requests_for_one_instance_get_one_address(race):
    """Two conductors that build the same instance take one address for it."""
    assert len(set(race(lend, "a", "a"))) == 1


def test_a_process_goes_on_from_the_place_that_it_tried_last(db):
    """It does not query the highest address, which others may be about to take: it reads nothing."""
    asked = []
    with db.write() as tx:
        lend(tx)
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2].split()[0]))
    with db.write() as tx:
        lend(tx)
    assert [verb for verb in asked if verb in ("SELECT", "INSERT", "UPDATE")] == ["INSERT", "UPDATE"]


def test_two_processes_lend_no_address_twice(db):
    """Each skips what the other has taken, and together they use every address of a small network."""
    other = Database(db.engine.url.render_as_string(hide_password=False))
    lent = []
    for process in (db, other, other, db, db):
        with process.write() as tx:
            lent.append(lend(tx))
    assert sorted(lent) == [f"10.0.0.{n}" for n in range(2, 7)]
    with pytest.raises(errors.NoMoreAddresses), other.write() as tx:
        lend(tx)
    other.close()


def test_an_address_that_waits_for_a_host_is_not_lent(tx, an_instance):
    """Its guest may live there; the instance itself gets another one, and each host has its own to clear."""
    (instance,) = instances.create(tx, [an_instance()])
    assert lend(tx, instance.uuid) == "10.0.0.2"
    assert networks.free(tx, instance.uuid, guest_on="host-1") is True
    assert networks.free(tx, instance.uuid, guest_on="host-1") is False
    assert instances.get(tx, instance.uuid).addresses == ()
    assert lend(tx, instance.uuid) == "10.0.0.3"
    networks.free(tx, instance.uuid, guest_on="host-2")
    networks.cleared(tx, "host-2", [instance.uuid])
    assert [lend(tx) for _ in range(4)] == ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.3"]
    with pytest.raises(errors.NoMoreAddresses):
        lend(tx)
    assert (networks.departed(tx, "host-1"), networks.departed(tx, "host-2")) == ([instance.uuid], [])


def test_an_instance_may_leave_a_host_twice(tx, an_instance):
    """Each of its addresses waits, and both are lent again when the host has cleared it."""
    (instance,) = instances.create(tx, [an_instance()])
    for _ in range(2):
        lend(tx, instance.uuid)
        networks.free(tx, instance.uuid, guest_on="host-1")
    assert networks.departed(tx, "host-1") == [instance.uuid]
    networks.cleared(tx, "host-1", [instance.uuid])
    assert sorted(lend(tx) for _ in range(5)) == [f"10.0.0.{n}" for n in range(2, 7)]


def test_the_addresses_of_a_host_that_is_gone_for_good(tx):
    """They are lent again; those of another host wait on."""
    for uuid, host in (("a", "host-1"), ("b", "host-2")):
        lend(tx, uuid)
        networks.free(tx, uuid, guest_on=host)
    networks.forget(tx, "host-1")
    assert (networks.departed(tx, "host-1"), networks.departed(tx, "host-2")) == ([], ["b"])
