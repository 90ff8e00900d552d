"""Routers lead from network to network, and floating IPs lead in."""

from typing import NamedTuple

import pytest

from mininova import conf
from mininova.db import instances, ports
from mininova.standins.neutron.bootstrap import bootstrap


def message(response, status):
    assert response.status_int == status, response.text
    return response.json["NeutronError"]["message"]


class Place(NamedTuple):
    """The ids of a network that leads out, of one that a project made, and of its subnet."""

    out: str
    network: str
    subnet: str


@pytest.fixture
def place(db, make, get):
    """Make a network with a subnet, beside one that leads out."""
    bootstrap(db, conf.for_tests("api"), {}, {})
    (out,) = get("/networks?router:external=true")
    network = make("network", name="red")["id"]
    return Place(out["id"], network, make("subnet", network_id=network, ip_version=4, cidr="10.1.0.0/29")["id"])


@pytest.fixture
def router(make, http, place):
    """Make a router from one to the other; give its id."""
    id = make("router", name="r", external_gateway_info={"network_id": place.out})["id"]
    assert http("PUT", f"/routers/{id}/add_router_interface", {"subnet_id": place.subnet}).status_int == 200
    return id


def test_a_router(place, router, get, http):
    """It has an address of each network, serves a subnet as its gateway, and is deleted when it serves none."""
    shown = get(f"/routers/{router}")
    way_out = shown["external_gateway_info"]
    assert (way_out["network_id"], way_out["external_fixed_ips"][0]["ip_address"]) == (place.out, "203.0.113.2")
    (port,) = get(f"/ports?device_id={router}")
    assert (port["device_owner"], port["fixed_ips"][0]["ip_address"]) == ("network:router_interface", "10.1.0.1")
    assert "device owner network:router_interface" in message(http("DELETE", f"/ports/{port['id']}"), 409)
    assert "still has ports" in message(http("DELETE", f"/routers/{router}"), 409)
    assert "in use" in message(http("DELETE", f"/networks/{place.network}"), 409)
    serve = f"/routers/{router}/add_router_interface"
    assert "already has a port" in message(http("PUT", serve, {"subnet_id": place.subnet}), 400)
    for wrong in {}, {"subnet_id": place.subnet, "port_id": port["id"]}:
        assert "Bad router request" in message(http("PUT", serve, wrong), 400)
    gone = http("PUT", f"/routers/{router}/remove_router_interface", {"subnet_id": place.subnet})
    assert (gone.status_int, gone.json["port_id"]) == (200, port["id"])
    again = http("PUT", f"/routers/{router}/remove_router_interface", {"subnet_id": place.subnet})
    assert "does not have an interface" in message(again, 404)
    assert http("PUT", f"/routers/{router}", {"router": {"external_gateway_info": {}}}).json["router"][
        "external_gateway_info"
    ] is None  # fmt: skip
    assert http("DELETE", f"/routers/{router}").status_int == 204
    assert get("/ports", by="admin") == []


def test_a_floating_ip(place, router, make, get, http):
    """It leads to a port that a router leads to, to another one, and to none; the router then may go."""
    port, other = (make("port", network_id=place.network) for _ in range(2))
    ip = make("floatingip", floating_network_id=place.out, port_id=port["id"])
    assert (ip["port_id"], ip["fixed_ip_address"], ip["router_id"]) == (port["id"], "10.1.0.2", router)
    assert (ip["status"], ip["port_details"]["network_id"]) == ("ACTIVE", place.network)
    path = f"/floatingips/{ip['id']}"
    assert get(f"/floatingips?port_id={port['id']}") == [ip]
    second = {"floatingip": {"floating_network_id": place.out, "port_id": port["id"]}}
    assert "already has a floating IP" in message(http("POST", "/floatingips", second), 409)
    for what in "router_interface", "router_gateway":
        body = {"subnet_id": place.subnet} if what == "router_interface" else {"router": {"external_gateway_info": {}}}
        url = f"/routers/{router}/remove_{what}" if what == "router_interface" else f"/routers/{router}"
        assert "required by one or more floating IPs" in message(http("PUT", url, body), 409)
    moved = http("PUT", path, {"floatingip": {"port_id": other["id"]}}).json["floatingip"]
    assert (moved["fixed_ip_address"], get(path)["port_id"]) == ("10.1.0.3", other["id"])
    http("DELETE", f"/ports/{other['id']}")
    assert (get(path)["port_id"], get(path)["status"]) == (None, "DOWN")
    assert http("GET", path, by="bob").status_int == 404
    assert http("DELETE", path).status_int == 204
    assert get("/floatingips") == []


def test_a_floating_ip_that_cannot_be(place, make, http):
    """Of a network that does not lead out, of an address that is none of it, and to where no router leads."""
    port = make("port", network_id=place.network)["id"]
    for said, status, words in (
        ({"floating_network_id": place.network}, 400, "is not a valid external network"),
        ({"floating_network_id": place.out, "floating_ip_address": "10.9.9.9"}, 400, "not a valid IP"),
        ({"floating_network_id": place.out, "port_id": port}, 404, "is not reachable from subnet"),
        ({"floating_network_id": place.out, "port_id": port, "fixed_ip_address": "10.1.0.6"}, 400, "no fixed IPv4"),
        ({"floating_network_id": "none"}, 404, "Network none"),
    ):
        assert words in message(http("POST", "/floatingips", {"floatingip": said}), status)
    assert "is not an external network" in message(
        http("POST", "/routers", {"router": {"external_gateway_info": {"network_id": place.network}}}), 400
    )


def test_the_flat_network_leads_out(place, boot, get, http, make):
    """Its gateway is no router of a project, and a floating IP needs none to lead there."""
    uuid = boot()
    (port,) = get(f"/ports?device_id={uuid}")
    ip = make("floatingip", floating_network_id=place.out, port_id=port["id"])
    assert (ip["fixed_ip_address"], ip["router_id"], ip["status"]) == ("10.0.0.2", None, "ACTIVE")


def test_a_server_shows_its_floating_ip(place, router, boot, make, db, http):
    """Its row has it for as long as it leads there."""
    uuid, port = boot(), make("port", network_id=place.network)
    with db.write() as tx:
        ports.bind(tx, port["id"], uuid)
    ip = make("floatingip", floating_network_id=place.out, port_id=port["id"])

    def floating():
        with db.read() as tx:
            return [each.address for each in instances.get(tx, uuid).addresses if each.kind == "floating"]

    assert floating() == [ip["floating_ip_address"]]
    http("PUT", f"/floatingips/{ip['id']}", {"floatingip": {"port_id": None}})
    assert floating() == []
