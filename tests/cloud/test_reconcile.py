"""Guests and instances agree, and so do the addresses: hosts go silent and come back, lose their power, and lie."""

from collections.abc import Callable

import pytest

from mininova import rpc, states
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.db import networks, services
from mininova.objects import ImageMeta
from mininova.virt.fake import FakeDriver
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import again

POWER_LOSS = "[{operation: get_diagnostics, failure: {kind: power_loss}}]"


def booted(cloud: Cloud) -> tuple[str, str]:
    """Boot a server; give its id and its host."""
    uuid = cloud.boot()
    cloud.run()
    return uuid, str(cloud.instance(uuid).host)


def address(cloud: Cloud, uuid: str) -> str:
    """Give the address of a server."""
    return cloud.instance(uuid).addresses[0].address


def driver(cloud: Cloud, host: str) -> FakeDriver:
    """Give the hypervisor of a host."""
    found = cloud.computes[host].driver
    assert isinstance(found, FakeDriver)
    return found


def guests(cloud: Cloud, host: str) -> list[str]:
    """Name the guests of a host."""
    return driver(cloud, host).list_instance_uuids()


def waiting(cloud: Cloud, host: str) -> list[str]:
    """Name the instances that left a host, and whose addresses wait for it."""
    with cloud.db.read() as tx:
        return list(networks.departed(tx, host))


def take_for_dead(cloud: Cloud, host: str, dead: bool = True) -> None:
    """Have a host that lives, and hears nothing, be taken for dead, as when it is stopped for a while."""
    with cloud.db.write() as tx:
        (service,) = services.search(tx, host=host)
        services.update(tx, service.uuid, forced_down=dead)


# ---- a server is deleted while its host is away


def test_a_delete_without_the_host_keeps_the_address(cloud: Cloud):
    """The guest goes in the first round after the host is back, and its address is lent again then, not before."""
    uuid, host = booted(cloud)
    used = address(cloud, uuid)
    take_for_dead(cloud, host)
    again(cloud, "delete", uuid)
    assert cloud.instance(uuid).vm_state == states.DELETED
    assert guests(cloud, host) == [uuid]
    assert waiting(cloud, host) == [uuid]
    take_for_dead(cloud, host, dead=False)
    cloud.computes[host].reconcile()
    assert guests(cloud, host) == []
    assert waiting(cloud, host) == []
    with cloud.db.write() as tx:
        assert networks.allocate(tx, "flat", "10.0.0.0/30", "the next").address == used


def test_a_host_that_starts_again(cloud: Cloud):
    """It does so before it serves."""
    uuid, host = booted(cloud)
    cloud.lose_host(host)
    again(cloud, "delete", uuid)
    assert waiting(cloud, host) == [uuid]
    cloud.return_host(host)
    assert (guests(cloud, host), waiting(cloud, host)) == ([], [])


def test_a_guest_that_cannot_be_destroyed_keeps_its_address(make_cloud: Callable[..., Cloud]):
    """The address is used as long as the guest is there."""
    cloud = make_cloud(behaviour="[{operation: destroy, failure: {message: the disk is busy}}]")
    uuid, host = booted(cloud)
    take_for_dead(cloud, host)
    again(cloud, "delete", uuid)
    cloud.computes[host].reconcile()
    assert waiting(cloud, host) == [uuid]
    (cloud.path / "behaviour.yaml").write_text("")
    cloud.computes[host].reconcile()
    assert (guests(cloud, host), waiting(cloud, host)) == ([], [])


# ---- a build is taken away from its host


def test_a_build_that_is_taken_away_leaves_its_address(cloud: Cloud):
    """The host has made the guest and could not say so: the next host's guest has another address."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()
    host = str(cloud.instance(uuid).host)
    ConductorAPI(cloud.peers[f"compute.{host}"]).allocate_network(service_context(), cloud.instance(uuid))
    driver(cloud, host).spawn(cloud.instance(uuid), ImageMeta(id=cloud.image))
    used = address(cloud, uuid)
    cloud.lose_host(host)
    cloud.lose_messages()
    cloud.sweep()
    cloud.sweep()
    built = cloud.instance(uuid)
    assert (built.vm_state, built.host != host) == (states.ACTIVE, True)
    assert address(cloud, uuid) != used
    assert waiting(cloud, host) == [uuid]
    cloud.return_host(host)
    cloud.run()
    assert (guests(cloud, host), waiting(cloud, host)) == ([], [])
    assert guests(cloud, str(built.host)) == [uuid]


def test_a_build_that_its_host_gives_back_keeps_its_address(make_cloud: Callable[..., Cloud]):
    """The host has destroyed what was left of the guest, so the next one goes on with the same address."""
    cloud = make_cloud(behaviour="[{operation: spawn, hosts: host-1, failure: {message: disk full}}]")
    (uuid, host), others = booted(cloud), [booted(cloud) for _ in range(2)]
    assert {host, *(other for _, other in others)} == {"host-2"}
    assert [waiting(cloud, name) for name in cloud.racks] == [[], []]
    assert address(cloud, uuid) == "10.0.0.2"


@pytest.mark.parametrize("delivered", range(12))
def test_a_round_after_each_message_of_a_boot(cloud: Cloud, delivered: int):
    """A build that has just begun never loses its guest, whenever the hosts look."""
    uuid = cloud.boot()
    for _ in range(delivered):
        cloud.broker.deliver_one()
    for compute in cloud.computes.values():
        compute.reconcile()
    cloud.run()
    built = cloud.instance(uuid)
    assert built.vm_state == states.ACTIVE
    assert guests(cloud, str(built.host)) == [uuid]


# ---- who may free what


def test_a_host_clears_what_left_it_and_no_other_does(cloud: Cloud):
    """A compute that speaks for another host is denied; one that names an instance of another host changes nothing."""
    uuid, host = booted(cloud)
    other = "host-1" if host == "host-2" else "host-2"
    take_for_dead(cloud, host)
    again(cloud, "delete", uuid)
    conductor = ConductorAPI(cloud.peers[f"compute.{other}"])
    with pytest.raises(rpc.Forbidden):
        conductor.reconcile_host(service_context(), host, [uuid])
    assert conductor.reconcile_host(service_context(), other, [uuid]) == ([], [])
    assert waiting(cloud, host) == [uuid]


def test_a_compute_cannot_free_what_is_lent(cloud: Cloud):
    """The address of an instance that is on the host stays lent, whatever the host says."""
    uuid, host = booted(cloud)
    used = address(cloud, uuid)
    conductor = ConductorAPI(cloud.peers[f"compute.{host}"])
    ((instance,), _) = conductor.reconcile_host(service_context(), host, [uuid])
    assert instance.uuid == uuid
    with cloud.db.read() as tx:
        assert networks.allocate(tx, "flat", "10.0.0.0/24", uuid).address == used


# ---- power


def test_a_host_that_loses_its_power(make_cloud: Callable[..., Cloud]):
    """Its servers are shown as SHUTOFF after the next round, and can be started."""
    cloud = make_cloud(hosts=("host-1",), behaviour=POWER_LOSS)
    uuids = [booted(cloud)[0] for _ in range(2)]
    assert cloud.request("GET", f"/servers/{uuids[0]}/diagnostics", user="admin").status_code == 200
    cloud.computes["host-1"].reconcile()
    assert [cloud.show(uuid)["status"] for uuid in uuids] == ["SHUTOFF", "SHUTOFF"]
    assert cloud.act(uuids[0], "os-start") == 202
    cloud.run()
    assert [cloud.show(uuid)["status"] for uuid in uuids] == ["ACTIVE", "SHUTOFF"]


def test_a_guest_that_runs_though_its_server_is_stopped(cloud: Cloud):
    """It is stopped: its owner wants it so."""
    uuid, host = booted(cloud)
    cloud.act(uuid, "os-stop")
    cloud.run()
    driver(cloud, host).power_on(cloud.instance(uuid))
    cloud.computes[host].reconcile()
    shown = cloud.show(uuid)
    assert (shown["status"], shown["OS-EXT-STS:power_state"]) == ("SHUTOFF", states.SHUTDOWN)
    assert driver(cloud, host).get_info(cloud.instance(uuid)) == states.SHUTDOWN


def test_a_guest_that_is_lost(cloud: Cloud):
    """Its server is in ERROR, with a fault that says why."""
    uuid, host = booted(cloud)
    driver(cloud, host).destroy(uuid)
    cloud.computes[host].reconcile()
    shown = cloud.show(uuid)
    assert (shown["status"], shown["fault"]["message"]) == ("ERROR", f"Its guest is not on {host} any more")
