"""Networks and subnets that projects make."""

import pytest

from mininova import conf
from mininova.standins.neutron.bootstrap import bootstrap


def message(response, status):
    assert response.status_int == status, response.text
    return response.json["NeutronError"]["message"]


def test_a_network_and_its_subnet(make, http, get):
    """They are made, found, changed and deleted; the gateway has the first address, and ports get the others."""
    network = make("network", name="red", description="mine")
    subnet = make("subnet", network_id=network["id"], ip_version=4, cidr="192.168.7.9/24", dns_nameservers=["9.9.9.9"])
    assert (network["project_id"], network["shared"], network["status"], network["mtu"]) == (
        "ours",
        False,
        "ACTIVE",
        1450,
    )
    assert (subnet["cidr"], subnet["gateway_ip"], subnet["enable_dhcp"]) == ("192.168.7.0/24", "192.168.7.1", True)
    assert subnet["allocation_pools"] == [{"start": "192.168.7.2", "end": "192.168.7.254"}]
    assert get(f"/networks/{network['id']}")["subnets"] == [subnet["id"]]
    assert [each["id"] for each in get("/networks?name=red")] == [network["id"]]
    assert [each["id"] for each in get(f"/subnets?network_id={network['id']}&ip_version=4")] == [subnet["id"]]
    changed = http("PUT", f"/networks/{network['id']}", {"network": {"name": "blue"}}).json["network"]
    assert (changed["name"], changed["revision_number"], changed["subnets"]) == ("blue", 2, [subnet["id"]])
    changed = http("PUT", f"/subnets/{subnet['id']}", {"subnet": {"gateway_ip": None}}).json["subnet"]
    assert changed["gateway_ip"] is None
    assert http("DELETE", f"/networks/{network['id']}").status_int == 204
    assert http("GET", f"/subnets/{subnet['id']}").status_int == 404


def test_who_sees_and_changes_a_network(make, http, get):
    """It is its project's; one that is shared or leads out is seen by all, and changed by an administrator."""
    mine = make("network", name="mine")
    shared = make("network", name="all", by="admin", shared=True)
    out = make("network", name="out", by="admin", **{"router:external": True})
    path = f"/networks/{mine['id']}"
    assert http("GET", path, by="bob").status_int == 404
    assert http("DELETE", path, by="bob").status_int == 404
    assert http("DELETE", path, by="reader").status_int == 403
    assert {each["name"] for each in get("/networks", by="bob")} == {"flat", "all", "out"}
    assert [each["id"] for each in get("/networks?router:external=true", by="bob")] == [out["id"]]
    assert http("DELETE", f"/networks/{shared['id']}", by="bob").status_int == 403
    for said in ({"shared": True}, {"router:external": True}):
        assert "is disallowed by policy" in message(http("POST", "/networks", {"network": said}), 403)
    assert make("network", by="admin", project_id="theirs")["project_id"] == "theirs"


def test_a_network_in_use(make, http):
    """Neither it nor its subnet is deleted while a port has an address there."""
    network = make("network")
    subnet = make("subnet", network_id=network["id"], ip_version=4, cidr="192.168.7.0/24")
    port = make("port", network_id=network["id"])
    assert "still in use" in message(http("DELETE", f"/networks/{network['id']}"), 409)
    assert "IP allocation" in message(http("DELETE", f"/subnets/{subnet['id']}"), 409)
    http("DELETE", f"/ports/{port['id']}")
    assert http("DELETE", f"/subnets/{subnet['id']}").status_int == 204


@pytest.mark.parametrize(
    ("said", "status", "complaint"),
    [
        ({"cidr": "192.168.7.0/33"}, 400, "'192.168.7.0/33' is not a valid IP subnet"),
        ({"cidr": "fd00::/64"}, 400, "is not of IP version 4"),
        ({"cidr": "192.168.7.0/31"}, 400, "has no address to lend"),
        ({"cidr": "10.1.0.0/25"}, 400, "overlaps"),
        ({"gateway_ip": "192.168.8.1"}, 400, "Gateway is not valid on subnet"),
        ({"gateway_ip": "no"}, 400, "'no' is not a valid IP address"),
        ({"allocation_pools": [{"start": "192.168.7.9", "end": "192.168.8.9"}]}, 400, "spans beyond"),
        ({"allocation_pools": [{"start": "192.168.7.1", "end": "192.168.7.9"}]}, 409, "conflicts with allocation pool"),
        ({"allocation_pools": [{"start": "192.168.7.5", "end": "192.168.7.9"}] * 2}, 409, "overlapping"),
        ({"ip_version": 5}, 400, "ip_version"),
        ({"colour": "red"}, 400, "colour"),
        ({"network_id": "none"}, 404, "Network none could not be found."),
    ],
    ids=str,
)
def test_a_wrong_subnet(make, http, said, status, complaint):
    """The refusal names what is wrong."""
    network = make("network")
    make("subnet", network_id=network["id"], ip_version=4, cidr="10.1.0.0/24")
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "192.168.7.0/24", **said}
    assert complaint in message(http("POST", "/subnets", {"subnet": body}), status)


def test_pools_around_the_gateway(make):
    """Where the gateway is in the middle, two pools are lent; two of them are lent one after the other."""
    network = make("network")["id"]
    subnet = make("subnet", network_id=network, ip_version=4, cidr="10.1.0.0/29", gateway_ip="10.1.0.3")
    assert subnet["allocation_pools"] == [
        {"start": "10.1.0.1", "end": "10.1.0.2"},
        {"start": "10.1.0.4", "end": "10.1.0.6"},
    ]
    lent = [make("port", network_id=network)["fixed_ips"][0]["ip_address"] for _ in range(5)]
    assert lent == [f"10.1.0.{n}" for n in (1, 2, 4, 5, 6)]


def test_the_network_that_leads_out_is_made_once(db, get):
    """The bootstrap makes it, and finds it the next time."""
    for is_new in (True, False):
        (what, id, made), *_ = bootstrap(db, conf.for_tests("api"), {}, {})
        assert (what, made) == ("external network public", is_new)
    (network,) = get("/networks?router:external=true")
    assert (network["id"], network["name"], len(network["subnets"])) == (id, "public", 1)


def test_how_many_addresses_are_lent(make, http, get):
    """An administrator reads it of a network and its subnets of a version; others are shown none."""
    network = make("network", name="red")
    pool = {"start": "192.168.7.10", "end": "192.168.7.19"}
    range_ = {"ip_version": 4, "cidr": "192.168.7.0/24"}
    subnet = make("subnet", network_id=network["id"], name="red-4", allocation_pools=[pool], **range_)
    make("subnet", network_id=network["id"], ip_version=6, cidr="fd00::/120")
    make("port", network_id=network["id"], fixed_ips=[{"subnet_id": subnet["id"]}])

    all_of = "/network-ip-availabilities"
    (found,) = get(f"{all_of}?network_name=red&ip_version=4", by="admin")
    assert (found["network_id"], found["project_id"]) == (network["id"], "ours")
    counted = {"total_ips": 10, "used_ips": 1}
    named = {"subnet_id": subnet["id"], "subnet_name": "red-4", "cidr": "192.168.7.0/24", "ip_version": 4}
    assert {name: found[name] for name in counted} == counted
    assert found["subnet_ip_availability"] == [{**named, **counted}]
    both = get(f"{all_of}/{network['id']}", by="admin")
    assert [each["ip_version"] for each in both["subnet_ip_availability"]] == [4, 6]
    assert get(all_of) == []
    assert http("GET", f"{all_of}/{network['id']}").status_int == 404


@pytest.mark.parametrize(
    ("path", "marker"),
    [
        ("networks", "id"),
        ("network-ip-availabilities", "network_id"),
        ("availability_zones", "name"),
        ("quotas", "project_id"),
    ],
)
def test_each_list_has_pages(http, make, path, marker):
    """A page begins after the thing that the last one ended with, by the field that tells things apart."""
    for name in ("red", "blue"):
        make("network", by="admin", name=name)
        http("PUT", f"/quotas/{name}", {"quota": {"network": 1}}, by="admin")
    ((key, listed),) = http("GET", f"/{path}", by="admin").json.items()
    first = http("GET", f"/{path}?limit=1", by="admin").json
    assert first[key] == listed[:1]
    links = first.get(f"{key}_links", [])
    assert [f"marker={listed[0][marker]}" in link["href"] for link in links] == [True] * (len(listed) > 1)
    rest = http("GET", f"/{path}?marker={listed[0][marker]}", by="admin")
    assert (rest.status_int, rest.json[key]) == (200, listed[1:])
    assert http("GET", f"/{path}?marker=none", by="admin").status_int == 400


def test_numbers_are_sorted_as_numbers(make, get):
    """By their digits an MTU of 9000 would come before one of 900, and by their words none before a number."""
    for mtu in (9000, 1400, 900):
        make("network", mtu=mtu)
    assert [each["mtu"] for each in get("/networks?sort_key=mtu")] == [900, 1400, 1500, 9000]
    group = make("security_group", name="web")
    for port in (443, 80):
        said = {"protocol": "tcp", "port_range_min": port, "port_range_max": port}
        make("security_group_rule", security_group_id=group["id"], direction="ingress", **said)
    rules = get(f"/security-group-rules?security_group_id={group['id']}&sort_key=port_range_min")
    assert [each["port_range_min"] for each in rules] == [None, None, 80, 443]
