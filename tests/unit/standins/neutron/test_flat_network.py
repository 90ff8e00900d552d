"""The flat network, its subnet and the ports of servers: what is there before a user makes anything."""

import pytest

from mininova.objects.network import network_id, port_id


def test_the_network_and_its_subnet(get):
    """They are what the configuration says, and each names the other."""
    (network,), (subnet,) = get("/networks"), get("/subnets")
    assert (network["name"], network["shared"], network["id"]) == ("flat", True, network_id("flat"))
    assert (subnet["cidr"], subnet["gateway_ip"]) == ("10.0.0.0/24", "10.0.0.1")
    assert subnet["allocation_pools"] == [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    assert (network["subnets"], subnet["network_id"]) == ([subnet["id"]], network["id"])
    assert get(f"/networks/{network['id']}") == network
    assert get(f"/subnets/{subnet['id']}") == subnet


def test_ports(get, boot):
    """Each server has one, with its address; a caller sees those of the project's servers, an administrator all."""
    ours, theirs = boot(), boot("theirs", host=None)
    (port,) = get("/ports")
    assert (port["device_id"], port["device_owner"], port["status"]) == (ours, "compute:east", "ACTIVE")
    assert port["fixed_ips"] == [{"subnet_id": get("/subnets")[0]["id"], "ip_address": "10.0.0.2"}]
    assert port["mac_address"] == "fa:16:3e:00:00:02"
    assert port["security_groups"] == [get("/security-groups?name=default")[0]["id"]]
    assert get(f"/ports/{port['id']}") == port
    assert {(each["device_id"], each["status"]) for each in get("/ports", by="admin")} == {
        (ours, "ACTIVE"),
        (theirs, "DOWN"),
    }


def test_ports_are_found_by_what_is_said_of_them(get, boot):
    """By server, id, address, and by several at once; by what no port has, nothing is chosen."""
    first, second = boot(), boot()
    (port,) = get(f"/ports?device_id={first}")
    assert port["device_id"] == first
    assert get(f"/ports?id={port['id']}") == get("/ports?fixed_ips=ip_address%3D10.0.0.2") == [port]
    assert {each["device_id"] for each in get(f"/ports?device_id={first}&device_id={second}")} == {first, second}
    assert get(f"/ports?device_id={first}&status=DOWN") == []
    assert get("/ports?id=none") == []
    assert len(get("/ports?colour=red")) == 2


@pytest.mark.parametrize("kind", ["networks", "subnets", "ports", "routers", "floatingips", "trunks"])
def test_an_unknown_one(http, boot, kind):
    """It is not found, and neither is another project's."""
    for id in ("none", port_id(boot("theirs"))):
        response = http("GET", f"/{kind}/{id}")
        assert response.status_int == 404
        assert id in response.json["NeutronError"]["message"]


def test_the_configuration_makes_it(http, get):
    """Nobody changes the network or its subnet, or gives it another one; the refusal says why."""
    (network,), (subnet,) = get("/networks"), get("/subnets")
    new = {"network_id": network["id"], "ip_version": 4, "cidr": "10.9.0.0/24"}
    for method, action, path, body in (
        ("PUT", "update_network", f"/networks/{network['id']}", {"network": {"name": "other"}}),
        ("DELETE", "delete_network", f"/networks/{network['id']}", None),
        ("PUT", "update_subnet", f"/subnets/{subnet['id']}", {"subnet": {"name": "other"}}),
        ("DELETE", "delete_subnet", f"/subnets/{subnet['id']}", None),
        ("POST", "create_subnet", "/subnets", {"subnet": new}),
    ):
        response = http(method, path, body, by="admin")
        assert response.status_int == 403, response.text
        error = response.json["NeutronError"]
        assert error["message"] == f"(rule:{action}) is disallowed by policy: the configuration of this cloud makes it"


def test_pages_order_and_fields(get, http, boot):
    """A list comes in pages, in any order, with the fields that are asked for."""
    for _ in range(3):
        boot()
    macs = [port["mac_address"] for port in get("/ports?sort_key=mac_address&sort_dir=desc")]
    assert macs == ["fa:16:3e:00:00:04", "fa:16:3e:00:00:03", "fa:16:3e:00:00:02"]
    page = http("GET", "/ports?limit=2&sort_key=mac_address&fields=mac_address&fields=id").json
    assert [set(port) for port in page["ports"]] == [{"mac_address", "id"}] * 2
    ((link,),) = [page["ports_links"]]
    rest = http("GET", link["href"].partition("/v2.0")[2]).json
    assert [port["mac_address"] for port in rest["ports"]] == ["fa:16:3e:00:00:04"]
    assert "ports_links" not in rest


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=-1", "marker=none", "sort_key=colour", "sort_dir=up&sort_key=id", "sort_dir=asc"]
)
def test_a_wrong_query(http, boot, query):
    """The error names what is wrong."""
    boot()
    response = http("GET", f"/ports?{query}")
    assert response.status_int == 400
    assert query.partition("=")[0] in response.json["NeutronError"]["message"]


def test_what_there_is_none_of(get):
    """Clients ask for trunks and agents, and are told that there are none."""
    assert [get(f"/{kind}") for kind in ("trunks", "agents", "subnetpools")] == [[]] * 3


def test_what_describes_the_api(get, http):
    """Extensions, zones and collections are listed."""
    assert "security-group" in [each["alias"] for each in get("/extensions")]
    assert get("/extensions/security-group")["alias"] == "security-group"
    assert http("GET", "/extensions/nonesuch").status_int == 404
    assert get("/availability_zones") == [{"name": "nova", "resource": "network", "state": "available"}]
    assert "security_groups" in [each["collection"] for each in get("")]
