"""A boot that waits until the network service has told Nova that its ports are plugged."""

import io
from argparse import Namespace
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request

import pytest

from mininova import conf
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import service_context
from mininova.manage import bootstrap
from mininova.standins.neutron import nova_events
from tests.fixtures.cloud import Cloud

TELLS = {
    "network.notify_nova_on_port_status_changes": True,
    "network.notify_nova_on_port_data_changes": True,
    "keystone_authtoken.auth_url": "http://localhost/identity/v3",
    "keystone_authtoken.password": "pw",
}
WAITS = {"compute.vif_plugging_timeout": 300.0}  # by the clock of the broker in memory
FAULT = "Build of instance {} aborted: Failed to allocate the network(s), not rescheduling."


@pytest.fixture
def make(make_cloud: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[..., Cloud]:
    """Make a cloud with a user for its services, whose network service reaches the api without a socket."""

    def make(**how: Any) -> Cloud:
        cloud = make_cloud(**how)
        passwords = {"admin_password": None, "demo_password": None, "nova_password": "pw"}
        database = {"database.connection": f"sqlite:///{cloud.path}/mininova.sqlite"}
        settings = conf.for_tests("manage", host="ctl", state_path=str(cloud.path), **database)
        bootstrap.run(settings, Namespace(**passwords, upgrade=False, compute=[]))
        monkeypatch.setattr(nova_events, "urlopen", lambda request, timeout: _ask(cloud, request))
        return cloud

    return make


def _ask(cloud: Cloud, request: Request) -> Any:
    path = urlsplit(request.full_url).path
    answer = cloud.app.open(path, method="POST", data=request.data, headers=dict(request.header_items()))
    headers = Message()
    for name, value in answer.headers.items():
        headers[name] = value
    if answer.status_code >= 400:
        raise HTTPError(request.full_url, answer.status_code, answer.text, headers, None)
    body: Any = io.BytesIO(answer.data)
    body.headers = headers
    return body


def plugged(cloud: Cloud) -> list[str]:
    """Name the ports that hosts were told of."""
    return [
        event.payload["tag"]
        for event in cloud.events
        if event.kind == "sent" and event.method == "external_instance_event"
    ]


def test_a_boot_waits_for_its_port(make: Callable[..., Cloud]) -> None:
    """It is ACTIVE when the network service has told Nova of the port, as a user with the role service alone."""
    cloud = make(more=WAITS, tells_nova=TELLS)
    uuid = cloud.boot()
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"
    (port,) = cloud.network("GET", f"/ports?device_id={uuid}")
    assert plugged(cloud) == [port["id"]]


def test_a_boot_waits_for_each_of_its_ports(make: Callable[..., Cloud]) -> None:
    """One that its user made, and one of a network that is asked for."""
    cloud = make(more=WAITS, tells_nova=TELLS)
    (flat,) = cloud.network("GET", "/networks?name=flat")
    port = cloud.network("POST", "/ports", {"port": {"network_id": flat["id"]}})
    uuid = cloud.boot(networks=[{"port": port["id"]}, {"uuid": flat["id"]}])
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"
    ports = {it["id"] for it in cloud.network("GET", f"/ports?device_id={uuid}")}
    assert (len(ports), set(plugged(cloud))) == (2, ports)


def test_a_boot_fails_when_nothing_is_told(make: Callable[..., Cloud]) -> None:
    """After the time it ends in ERROR, in Nova's words; no other host is tried, and no guest is left."""
    cloud = make(more=WAITS)
    uuid = cloud.boot()
    cloud.run()
    server = cloud.show(uuid)
    assert (server["status"], server["fault"]["message"]) == ("ERROR", FAULT.format(uuid))
    assert [compute.driver.list_instance_uuids() for compute in cloud.computes.values()] == [[], []]
    assert sum(event.kind == "sent" and event.method == "build_instance" for event in cloud.events) == 1
    cloud.request("DELETE", f"/servers/{uuid}")
    cloud.run()
    assert cloud.request("GET", f"/servers/{uuid}").status_code == 404


def test_a_boot_goes_on_when_that_is_not_fatal(make: Callable[..., Cloud]) -> None:
    """The host logs it, and the server is ACTIVE."""
    cloud = make(more={**WAITS, "compute.vif_plugging_is_fatal": False})
    uuid = cloud.boot()
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"


def test_a_boot_without_a_port_waits_for_none(make: Callable[..., Cloud]) -> None:
    """It has none to be told of."""
    cloud = make(more=WAITS)
    uuid = cloud.boot(networks="none")
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"


def test_an_interface_is_told_of_when_it_comes_and_when_it_goes(make: Callable[..., Cloud], caplog: Any) -> None:
    """Its port was made with it, so it is deleted."""
    cloud = make(tells_nova=TELLS)
    uuid = cloud.boot()
    cloud.run()
    caplog.set_level("INFO", "mininova.standins.neutron.nova_events")
    added = cloud.request("POST", f"/servers/{uuid}/os-interface", {"interfaceAttachment": {}})
    assert added.status_code == 200
    cloud.request("DELETE", f"/servers/{uuid}/os-interface/{added.json['interfaceAttachment']['port_id']}")
    cloud.run()
    told = [record.args[0] for record in caplog.records if record.msg.startswith("Nova answers")]
    assert told == ["network-vif-plugged", "network-vif-deleted"]


def test_no_compute_makes_an_instance_of_another_host_active(make: Callable[..., Cloud]) -> None:
    """Only the api may tell a host of an event: what another host casts is denied, and the boot fails in time."""
    cloud = make(more=WAITS, hosts=("host-1", "host-2"))
    uuid = cloud.boot()
    theirs = cloud.peers["compute.host-2"]
    ComputeAPI(theirs, pin=ComputeAPI.version).on("host-1").external_instance_event(
        service_context(), cloud.instance(uuid), "network-vif-plugged", "any", "completed"
    )
    cloud.run()
    assert cloud.show(uuid)["status"] == "ERROR"
    assert any(event.kind == "denied" and event.method == "external_instance_event" for event in cloud.events)
