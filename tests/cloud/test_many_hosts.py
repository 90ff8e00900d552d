"""One compute process that runs many hosts looks like many hosts to the rest of the cloud."""

from collections.abc import Callable

import pytest

from mininova import errors, rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.db import services
from mininova.objects import Instance
from mininova.rpc import envelope
from mininova.rpc.transports.base import TOPIC, Delivery, Subscription
from tests.fixtures.cloud import Cloud

RACK = ("rack-1-1", "rack-1-2", "rack-1-3")
CTXT = service_context()


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud with a process of three hosts, the rack, and one host of another process."""
    return make_cloud(hosts=("host-1",), racks={"rack-1": RACK})


def boot_on(cloud: Cloud, *hosts: str) -> dict[str, str]:
    """Boot a server on each of these hosts, as an administrator can: host → uuid."""
    made = {}
    for host in hosts:
        server = {"name": host, "imageRef": cloud.image, "flavorRef": "1", "networks": "auto"}
        placed = {"server": {**server, "availability_zone": f"nova:{host}"}}
        made[host] = cloud.request("POST", "/servers", placed, user="admin").json["server"]["id"]
    cloud.run()
    return made


def guests(cloud: Cloud) -> dict[str, list[str]]:
    """Name the guests of each host of the rack."""
    return {host: list(cloud.computes[host].driver.list_instance_uuids()) for host in RACK}


def statuses(cloud: Cloud, made: dict[str, str]) -> set[str]:
    """Give the statuses of the servers."""
    return {cloud.show(uuid)["status"] for uuid in made.values()}


def test_each_host_has_its_own_service_and_its_own_guests(cloud: Cloud):
    """A server for one of the hosts is built there, and nowhere else."""
    made = boot_on(cloud, *RACK)

    assert statuses(cloud, made) == {"ACTIVE"}
    assert guests(cloud) == {host: [uuid] for host, uuid in made.items()}
    with cloud.db.read() as tx:
        assert [service.host for service in services.search(tx, binary="nova-compute")] == ["host-1", *RACK]


def test_a_host_publishes_in_its_own_name(cloud: Cloud):
    """The publisher of a notification is the host that it is about, and not the process."""
    told = list[tuple[str, str]]()

    def hear(delivery: Delivery) -> None:
        event = envelope.unpack(delivery.message.body)
        if event["event_type"] == "compute.instance.create.end":
            told.append((event["publisher_id"], event["payload"]["host"]))

    queue = Subscription(
        queue="heard",
        exchange="mininova.notifications",
        kind=TOPIC,
        routing_key="notifications.info",
        on_delivery=hear,
        no_ack=True,
    )
    cloud.stranger("listener", None).transport.subscribe(queue)
    boot_on(cloud, *RACK)

    assert sorted(told) == [(f"compute.{host}", host) for host in RACK]


def test_a_restarted_process_has_the_guests_of_all_its_hosts(cloud: Cloud):
    """Each host finds its own guests again, and serves them."""
    made = boot_on(cloud, *RACK)

    cloud.restart_compute("rack-1")

    assert guests(cloud) == {host: [uuid] for host, uuid in made.items()}
    for uuid in made.values():
        cloud.request("POST", f"/servers/{uuid}/action", {"os-stop": None}, user="admin")
    cloud.run()
    assert statuses(cloud, made) == {"SHUTOFF"}


def test_the_queue_tells_which_host_is_asked(cloud: Cloud):
    """The queue tells which host is asked: it answers for its own guests only, whichever host the message names."""
    boot_on(cloud, *RACK)
    (instance,) = ConductorAPI(cloud.peers["compute.rack-1"]).get_instances(CTXT, RACK[0])
    compute = ComputeAPI(cloud.peers["conductor.ctl"])

    assert compute.on(RACK[0]).get_diagnostics(CTXT, instance)["state"] == "running"
    with pytest.raises(errors.GuestNotFound, match=f"on {RACK[1]}"):
        compute.on(RACK[1]).get_diagnostics(CTXT, instance)


def test_a_process_acts_for_the_hosts_in_its_list_and_for_no_other(cloud: Cloud):
    """The conductor obeys the process for any host in its list, and for no host outside it."""
    boot_on(cloud, "host-1", *RACK)
    rack, other = (ConductorAPI(cloud.peers[name]) for name in ("compute.rack-1", "compute.host-1"))

    def on(host: str, of: ConductorAPI) -> list[Instance]:
        return of.get_instances(CTXT, host)

    assert [len(on(host, rack)) for host in RACK] == [1, 1, 1]
    (theirs,) = on("host-1", other)
    for attempt in (
        lambda: on("host-1", rack),
        lambda: on("rack-1", rack),  # the process is no host
        lambda: on(RACK[0], other),
        lambda: rack.get_instance(CTXT, theirs.uuid),
        lambda: rack.destroy_instance(CTXT, theirs),
        lambda: rack.destroy_instance(CTXT, theirs.replace(host=RACK[0])),
    ):
        with pytest.raises((rpc.Forbidden, errors.InstanceUpdateConflict)):
            attempt()
    assert cloud.show(theirs.uuid)["status"] == "ACTIVE"
