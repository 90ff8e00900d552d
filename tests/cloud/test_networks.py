"""Servers in networks of their project, with ports that a user made, and with several of them."""

from typing import Any

import pytest

from mininova.objects.network import network_id
from tests.fixtures.cloud import Cloud

FLAT = network_id("flat")
NO_INTERFACES = "".join(
    f"- {{operation: {operation}, failure: {{probability: 1, message: broken}}}}\n"
    for operation in ("attach_interface", "detach_interface")
)


@pytest.fixture
def red(cloud: Cloud) -> str:
    """Make a network with a subnet; give its id."""
    return make_network(cloud, "red", "10.1.0.0/29")


def make_network(cloud: Cloud, name: str, cidr: str) -> str:
    id: str = cloud.network("POST", "/networks", {"network": {"name": name}})["id"]
    cloud.network("POST", "/subnets", {"subnet": {"network_id": id, "ip_version": 4, "cidr": cidr}})
    return id


def make_port(cloud: Cloud, network: str, **said: Any) -> dict[str, Any]:
    port: dict[str, Any] = cloud.network("POST", "/ports", {"port": {"network_id": network, **said}})
    return port


def active(cloud: Cloud, **wanted: Any) -> str:
    uuid = cloud.boot(**wanted)
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"
    return uuid


def addresses(cloud: Cloud, uuid: str) -> dict[str, list[str]]:
    return {name: [each["addr"] for each in its] for name, its in cloud.show(uuid)["addresses"].items()}


def ports(cloud: Cloud, uuid: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.network("GET", f"/ports?device_id={uuid}")
    return found


def agrees(cloud: Cloud) -> bool:
    return cloud.audit()[0] == 0


def refusal(cloud: Cloud, *networks: dict[str, str], **more: Any) -> tuple[int, str]:
    answer = cloud.request("POST", "/servers", {"server": cloud.wanted(networks=list(networks), **more)})
    return answer.status_code, next(iter(answer.json.values()))["message"]


def test_a_server_in_several_networks(cloud: Cloud, red: str):
    """It has a port in each, in the order in which they were named, also twice in one; all go with it."""
    uuid = active(cloud, networks=[{"uuid": red, "tag": "a"}, {"uuid": FLAT}, {"uuid": red}])
    found = addresses(cloud, uuid)
    assert (found["red"], len(found["flat"])) == (["10.1.0.2", "10.1.0.3"], 1)
    assert [port["network_id"] for port in ports(cloud, uuid)] == [red, FLAT, red]
    guest = cloud.computes[str(cloud.instance(uuid).host)].driver.get_diagnostics(cloud.instance(uuid))
    assert guest["num_nics"] == 3
    assert agrees(cloud)
    cloud.request("DELETE", f"/servers/{uuid}")
    cloud.run()
    assert cloud.network("GET", "/ports") == []
    assert agrees(cloud)


def test_a_boot_with_a_port_takes_as_many_messages(cloud: Cloud, red: str):
    """Twelve, as every boot."""
    cloud.events.clear()
    cloud.boot(networks=[{"port": make_port(cloud, red)["id"]}])
    cloud.run()
    sent = [e.pattern for e in cloud.events if e.kind == "sent"]
    assert sent.count("cast") + 2 * sent.count("call") == 12


@pytest.mark.parametrize("operation", ["rebuild", "resize", "os-migrateLive"])
def test_a_users_port_stays_as_it_is(cloud: Cloud, red: str, operation: str):
    """It keeps its MAC address and its address through what is done to the server, and outlives it."""
    port = make_port(cloud, red, name="mine", fixed_ips=[{"ip_address": "10.1.0.6"}])
    uuid = active(cloud, networks=[{"port": port["id"]}])
    bodies = {"rebuild": {"imageRef": cloud.image}, "resize": {"flavorRef": "2"},
              "os-migrateLive": {"host": None, "block_migration": "auto"}}  # fmt: skip
    body = {operation: bodies[operation]}
    user = "admin" if operation == "os-migrateLive" else "demo"
    assert cloud.request("POST", f"/servers/{uuid}/action", body, user=user).status_code == 202
    cloud.run()
    (same,) = ports(cloud, uuid)
    assert {name: same[name] for name in ("id", "mac_address", "fixed_ips", "name")} == {
        name: port[name] for name in ("id", "mac_address", "fixed_ips", "name")
    }
    (shown,) = cloud.show(uuid)["addresses"]["red"]
    assert (shown["addr"], shown["OS-EXT-IPS-MAC:mac_addr"]) == ("10.1.0.6", port["mac_address"])
    cloud.request("DELETE", f"/servers/{uuid}")
    cloud.run()
    free = cloud.network("GET", f"/ports/{port['id']}")
    assert (free["device_id"], free["status"], free["fixed_ips"]) == ("", "DOWN", port["fixed_ips"])
    assert agrees(cloud)


def test_the_groups_of_a_users_port(cloud: Cloud, red: str):
    """A server has the security groups of its ports; those that a boot asks for are for the ports that it makes."""
    web, ssh = (
        cloud.network("POST", "/security-groups", {"security_group": {"name": name}}) for name in ("web", "ssh")
    )
    port = make_port(cloud, red, security_groups=[web["id"]])
    uuid = active(cloud, networks=[{"port": port["id"]}], security_groups=[{"name": "ssh"}])
    assert groups(cloud, uuid) == ["web"]
    two = active(
        cloud, networks=[{"port": make_port(cloud, red)["id"]}, {"uuid": red}], security_groups=[{"name": "ssh"}]
    )
    assert groups(cloud, two) == ["default", "ssh"]
    cloud.network("PUT", f"/ports/{port['id']}", {"port": {"security_groups": [ssh["id"]]}})
    assert groups(cloud, uuid) == ["ssh"]


def test_groups_come_and_go_at_each_port(cloud: Cloud, red: str):
    """A user's own port is changed as well as that of the boot, and keeps what it got when the server is gone."""
    web, ssh = (
        cloud.network("POST", "/security-groups", {"security_group": {"name": name}}) for name in ("web", "ssh")
    )
    port = make_port(cloud, red, security_groups=[web["id"]])
    uuid = active(cloud, networks=[{"uuid": red}, {"port": port["id"]}])
    assert groups(cloud, uuid) == ["default", "web"]
    assert act(cloud, uuid, "add", "ssh") == act(cloud, uuid, "remove", "default") == 202
    assert {group for its in ports(cloud, uuid) for group in its["security_groups"]} == {web["id"], ssh["id"]}
    assert groups(cloud, uuid) == ["ssh", "web"]
    assert act(cloud, uuid, "remove", "default") == 404
    assert [act(cloud, uuid, "remove", name) for name in ("web", "ssh")] == [202, 202]
    assert groups(cloud, uuid) == []
    assert act(cloud, uuid, "add", "web") == 202
    cloud.request("DELETE", f"/servers/{uuid}")
    cloud.run()
    assert cloud.network("GET", f"/ports/{port['id']}")["security_groups"] == [web["id"]]


def act(cloud: Cloud, uuid: str, verb: str, group: str) -> int:
    return cloud.request("POST", f"/servers/{uuid}/action", {f"{verb}SecurityGroup": {"name": group}}).status_code


def groups(cloud: Cloud, uuid: str) -> list[str]:
    """Name the security groups of a server; the lists of servers and of its groups agree."""
    shown = [each["name"] for each in cloud.show(uuid).get("security_groups", [])]
    listed = cloud.request("GET", f"/servers/{uuid}/os-security-groups").json["security_groups"]
    assert sorted(shown) == sorted(each["name"] for each in listed)
    return shown


def test_networks_that_cannot_be(cloud: Cloud, red: str):
    """Each refusal says which network, port or address, and nothing is made."""
    port, taken = make_port(cloud, red), make_port(cloud, red)
    active(cloud, networks=[{"port": taken["id"]}])
    bare = cloud.network("POST", "/networks", {"network": {"name": "bare"}})["id"]
    theirs = cloud.network("POST", "/networks", {"network": {"name": "theirs"}}, user="admin")["id"]
    (out,) = cloud.network("GET", "/networks?router:external=true")
    used = taken["fixed_ips"][0]["ip_address"]
    for networks, status, words in (
        ([{"port": taken["id"]}], 409, f"Port {taken['id']} is still in use."),
        ([{"port": port["id"]}, {"port": port["id"]}], 400, "was specified twice"),
        ([{}], 400, "missing 'uuid'"),
        ([{"port": theirs}], 400, f"Port id {theirs} could not be found."),
        ([{"uuid": theirs}], 400, f"Network {theirs} could not be found."),
        ([{"uuid": bare}], 400, "requires a subnet"),
        ([{"uuid": out["id"]}], 403, "It is not allowed to create an interface on external network"),
        ([{"uuid": red, "fixed_ip": used}], 400, f"Fixed IP address {used} is already in use on instance"),
        ([{"uuid": red, "fixed_ip": "10.9.0.1"}], 400, "not a valid IP"),
        ([{"port": port["id"], "fixed_ip": "10.1.0.5"}], 400, "cannot be used with port"),
    ):
        found, message = refusal(cloud, *networks)
        assert (found, words in message) == (status, True), message
    assert refusal(cloud, {"port": port["id"]}, max_count=2)[0] == 400
    assert refusal(cloud, {"uuid": red, "fixed_ip": "10.1.0.5"}, max_count=2)[0] == 400
    assert len(cloud.network("GET", "/ports")) == 2


def test_which_network_of_several(cloud: Cloud, red: str):
    """A project that has a network of its own says which it wants; another project need not."""
    server = cloud.wanted()
    answer = cloud.request("POST", "/servers", {"server": server})
    assert (answer.status_code, "Multiple possible networks" in answer.text) == (409, True)
    admins = {**server, "flavorRef": "1"}
    assert cloud.request("POST", "/servers", {"server": admins}, user="admin").status_code == 202


def test_a_port_of_a_build_that_fails(make_cloud: Any):
    """A server that no host could build has none: the user's port is free, and the other one is gone."""
    cloud = make_cloud(hosts=())
    red = make_network(cloud, "red", "10.1.0.0/29")
    port = make_port(cloud, red)
    uuid = cloud.boot(networks=[{"port": port["id"]}, {"uuid": red}])
    cloud.run()
    assert cloud.show(uuid)["status"] == "ERROR"
    assert [(each["id"], each["device_id"]) for each in cloud.network("GET", "/ports")] == [(port["id"], "")]


# ---- interfaces of servers that are there


def attach(cloud: Cloud, uuid: str, status: int = 200, **said: Any) -> Any:
    answer = cloud.request("POST", f"/servers/{uuid}/os-interface", {"interfaceAttachment": said})
    assert answer.status_code == status, answer.text
    return answer.json["interfaceAttachment"] if status == 200 else next(iter(answer.json.values()))["message"]


def nics(cloud: Cloud, uuid: str) -> int:
    instance = cloud.instance(uuid)
    return int(cloud.computes[str(instance.host)].driver.get_diagnostics(instance)["num_nics"])


def test_attach_and_detach(make_cloud: Any):
    """A port of a user, a new one in a network with an address, and one in the default network come and go."""
    cloud = make_cloud(hosts=("host-1",))
    uuid = active(cloud)
    (first,) = ports(cloud, uuid)
    second = attach(cloud, uuid)  # one more of the flat network: no other is there yet
    assert second["net_id"] == FLAT
    red = make_network(cloud, "red", "10.1.0.0/29")
    mine = make_port(cloud, red)
    cloud.events.clear()
    third = attach(cloud, uuid, port_id=mine["id"], tag="red")
    assert (third["mac_addr"], third["fixed_ips"], third["tag"]) == (mine["mac_address"], mine["fixed_ips"], "red")
    fourth = attach(cloud, uuid, net_id=red, fixed_ips=[{"ip_address": "10.1.0.6"}])
    assert [each["ip_address"] for each in fourth["fixed_ips"]] == ["10.1.0.6"]
    listed = cloud.request("GET", f"/servers/{uuid}/os-interface").json["interfaceAttachments"]
    assert {each["port_id"] for each in listed} == {first["id"], second["port_id"], third["port_id"], fourth["port_id"]}
    assert (nics(cloud, uuid), addresses(cloud, uuid)["red"]) == (4, ["10.1.0.2", "10.1.0.6"])
    for port in (third, fourth, second):
        answer = cloud.request("DELETE", f"/servers/{uuid}/os-interface/{port['port_id']}")
        assert answer.status_code == 202, answer.text
        cloud.run()
        assert cloud.request("GET", f"/servers/{uuid}/os-interface/{port['port_id']}").status_code == 404
    assert (nics(cloud, uuid), list(addresses(cloud, uuid))) == (1, ["flat"])
    assert {each["id"] for each in cloud.network("GET", "/ports")} == {first["id"], mine["id"]}
    assert agrees(cloud)
    done = cloud.request("GET", f"/servers/{uuid}/os-instance-actions").json["instanceActions"]
    names = [each["action"] for each in done]
    assert names == ["detach_interface"] * 3 + ["attach_interface"] * 3 + ["create"]
    action = cloud.request("GET", f"/servers/{uuid}/os-instance-actions/{done[0]['request_id']}", user="admin")
    (event,) = action.json["instanceAction"]["events"]
    assert (event["event"], event["host"], event["result"]) == ("compute_detach_interface", "host-1", "Success")


def test_interfaces_that_cannot_be(cloud: Cloud, red: str):
    """Each refusal is Nova's, and no port is left of it."""
    uuid, other = active(cloud, networks=[{"uuid": red}]), active(cloud, networks=[{"uuid": red}])
    (own,) = ports(cloud, uuid)
    used = own["fixed_ips"][0]["ip_address"]
    nothing = "00000000-0000-0000-0000-00000000dead"
    for status, said in (
        (400, {"port_id": own["id"], "net_id": red}),
        (400, {"fixed_ips": [{"ip_address": "10.1.0.5"}]}),
        (400, {}),  # there are several networks
        (404, {"port_id": nothing}),
        (404, {"net_id": nothing}),
        (409, {"port_id": own["id"]}),
        (409, {"net_id": red, "fixed_ips": [{"ip_address": used}]}),
    ):
        attach(cloud, other, status, **said)
    path = f"/servers/{other}/os-interface/{own['id']}"
    assert [cloud.request(method, path).status_code for method in ("GET", "DELETE")] == [404, 404]
    assert cloud.act(other, "suspend") == 202
    cloud.run()
    attach(cloud, other, 409, net_id=red)
    assert len(cloud.network("GET", "/ports")) == 2


def test_a_host_that_cannot(make_cloud: Any):
    """It has not attached: the port is gone again.  It has not detached: the port stays, and the action says why."""
    cloud = make_cloud(hosts=("host-1",), behaviour=NO_INTERFACES)
    uuid = active(cloud)
    answer = cloud.request("POST", f"/servers/{uuid}/os-interface", {"interfaceAttachment": {"net_id": FLAT}})
    assert answer.status_code == 500
    (port,) = ports(cloud, uuid)
    assert cloud.request("DELETE", f"/servers/{uuid}/os-interface/{port['id']}").status_code == 202
    cloud.run()
    assert (ports(cloud, uuid), nics(cloud, uuid)) == ([port], 1)
    done = cloud.request("GET", f"/servers/{uuid}/os-instance-actions").json["instanceActions"]
    assert [(each["action"], each["message"]) for each in done[:2]] == [
        ("detach_interface", "Error"),
        ("attach_interface", "Error"),
    ]


# ---- floating IPs, and Nova's old doors to networks


def old(cloud: Cloud, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    """Ask in the last microversion that has it; give what is under the one key of the answer."""
    version = "2.43" if path.endswith("/action") else "2.35"
    answer = cloud.request(method, path, body, version=version)
    assert answer.status_code == status, answer.text
    return next(iter(answer.json.values())) if answer.text else None


def test_a_floating_ip_by_the_old_doors(cloud: Cloud, red: str):
    """It is taken of a pool, leads to a server that shows it, and is given back."""
    uuid = active(cloud, networks=[{"uuid": red}])
    act, (port,) = f"/servers/{uuid}/action", ports(cloud, uuid)
    assert old(cloud, "GET", "/os-floating-ip-pools") == [{"name": "public"}]
    ip = old(cloud, "POST", "/os-floating-ips", {"pool": "public"})
    assert (ip["pool"], ip["fixed_ip"], ip["instance_id"]) == ("public", None, None)
    lead = {"addFloatingIp": {"address": ip["ip"]}}
    assert "is not reachable" in old(cloud, "POST", act, lead, status=400)["message"]
    (out,) = cloud.network("GET", "/networks?router:external=true")
    said = {"external_gateway_info": {"network_id": out["id"]}}
    router = cloud.network("POST", "/routers", {"router": said})["id"]
    subnet = {"subnet_id": port["fixed_ips"][0]["subnet_id"]}
    cloud.network("PUT", f"/routers/{router}/add_router_interface", subnet)
    old(cloud, "POST", act, lead, status=202)
    assert [(each["addr"], each["OS-EXT-IPS:type"]) for each in cloud.show(uuid)["addresses"]["red"]] == [
        ("10.1.0.2", "fixed"),
        (ip["ip"], "floating"),
    ]
    assert old(cloud, "GET", f"/os-floating-ips/{ip['id']}")["instance_id"] == uuid
    assert agrees(cloud)
    old(cloud, "POST", act, {"removeFloatingIp": {"address": ip["ip"]}}, status=202)
    old(cloud, "POST", act, {"removeFloatingIp": {"address": ip["ip"]}}, status=409)
    assert addresses(cloud, uuid) == {"red": ["10.1.0.2"]}
    old(cloud, "DELETE", f"/os-floating-ips/{ip['id']}", status=202)
    assert old(cloud, "GET", "/os-floating-ips") == []
    for method, path, body in (
        ("GET", "/os-floating-ips/none", None),
        ("POST", "/os-floating-ips", {"pool": "none"}),
        ("POST", act, lead),
    ):
        old(cloud, method, path, body, status=404)


def test_a_server_that_is_led_to_goes(cloud: Cloud, red: str):
    """The floating IP stays its project's, and leads nowhere."""
    uuid = active(cloud, networks=[{"uuid": red}])
    (port,), (out,) = ports(cloud, uuid), cloud.network("GET", "/networks?router:external=true")
    said = {"external_gateway_info": {"network_id": out["id"]}}
    router = cloud.network("POST", "/routers", {"router": said})["id"]
    cloud.network("PUT", f"/routers/{router}/add_router_interface", {"subnet_id": port["fixed_ips"][0]["subnet_id"]})
    wanted = {"floating_network_id": out["id"], "port_id": port["id"]}
    ip = cloud.network("POST", "/floatingips", {"floatingip": wanted})
    assert ip["status"] == "ACTIVE"
    cloud.request("DELETE", f"/servers/{uuid}")
    cloud.run()
    left = cloud.network("GET", f"/floatingips/{ip['id']}")
    assert (left["port_id"], left["fixed_ip_address"], left["status"]) == (None, None, "DOWN")
    assert agrees(cloud)


def test_a_second_address_by_the_old_doors(cloud: Cloud, red: str):
    """It is of the same port; an address that the server has not, and a network where it is not, are refused."""
    uuid = active(cloud, networks=[{"uuid": red}])
    act = f"/servers/{uuid}/action"
    old(cloud, "POST", act, {"addFixedIp": {"networkId": red}}, status=202)
    assert addresses(cloud, uuid) == {"red": ["10.1.0.2", "10.1.0.3"]}
    assert len(ports(cloud, uuid)) == 1
    old(cloud, "POST", act, {"removeFixedIp": {"address": "10.1.0.2"}}, status=202)
    assert addresses(cloud, uuid) == {"red": ["10.1.0.3"]}
    old(cloud, "POST", act, {"removeFixedIp": {"address": "10.1.0.2"}}, status=400)
    old(cloud, "POST", act, {"addFixedIp": {"networkId": FLAT}}, status=400)
    listed = {network["label"] for network in old(cloud, "GET", "/os-networks")}
    own = {network["label"] for network in old(cloud, "GET", "/os-tenant-networks")}
    assert (listed, own) == ({"flat", "red", "public"}, {"flat", "red"})
    assert old(cloud, "GET", f"/os-networks/{red}")["label"] == "red"
    assert agrees(cloud)
