"""Ports that users make."""

import pytest


def message(response, status):
    assert response.status_int == status, response.text
    return response.json["NeutronError"]["message"]


@pytest.fixture
def network(make):
    """Make a network with a subnet of each IP version; give its id."""
    network = make("network", name="red")["id"]
    make("subnet", network_id=network, ip_version=4, cidr="10.1.0.0/29")
    make("subnet", network_id=network, ip_version=6, cidr="fd01::/64")
    return network


def addresses(port):
    return [each["ip_address"] for each in port["fixed_ips"]]


def test_a_port_has_an_address_of_each_version(make, network, get):
    """It is found by what is said of it, and its MAC address is its own."""
    port, other = make("port", network_id=network, name="p"), make("port", network_id=network)
    assert addresses(port) == ["10.1.0.2", "fd01::2"]
    assert (port["project_id"], port["status"], port["device_id"]) == ("ours", "DOWN", "")
    assert port["mac_address"] != other["mac_address"]
    assert get(f"/ports?mac_address={port['mac_address']}&network_id={network}") == [port]
    assert get("/ports?fixed_ips=ip_address%3Dfd01::2") == [port]
    assert get("/ports", by="bob") == []
    assert [each["binding:host_id"] for each in get("/ports", by="admin")] == ["", ""]


def test_a_port_gets_what_it_asks_for(make, network, get):
    """A MAC address, and addresses by subnet, by address, or none."""
    subnets = {each["ip_version"]: each["id"] for each in get(f"/subnets?network_id={network}")}
    mac = "FA:16:3E:AA:AA:AA"
    port = make("port", network_id=network, mac_address=mac, fixed_ips=[{"ip_address": "10.1.0.5"}])
    assert (port["mac_address"], addresses(port)) == (mac.lower(), ["10.1.0.5"])
    wanted = [{"subnet_id": subnets[6]}, {"subnet_id": subnets[4]}, {"subnet_id": subnets[4]}]
    assert addresses(make("port", network_id=network, fixed_ips=wanted)) == ["fd01::2", "10.1.0.6", "10.1.0.2"]
    bare = make("port", network_id=network, fixed_ips=[])
    assert (bare["fixed_ips"], len(bare["mac_address"])) == ([], 17)
    assert addresses(make("port", network_id=make("network")["id"])) == []


def test_ports_are_found_by_subnet_and_address(make, network, get):
    """One of each kind that is named must be theirs: of two addresses in a subnet either one, but no other of it."""
    one, two, three = (make("port", network_id=network) for _ in range(3))
    subnet = one["fixed_ips"][0]["subnet_id"]
    named = [f"fixed_ips=ip_address%3D{addresses(port)[0]}" for port in (one, two)]
    of_subnet = f"/ports?fixed_ips=subnet_id%3D{subnet}"
    assert get(of_subnet) == [one, two, three]
    assert get(f"{of_subnet}&{named[0]}") == [one]
    assert get(f"{of_subnet}&{'&'.join(named)}") == [one, two]
    assert get(f"/ports?fixed_ips=subnet_id%3Dnone&{named[0]}") == []


def test_ports_are_found_by_their_host(boot, make, network, get):
    """An administrator asks for those of a host; likewise by each other field that is shown."""
    make("port", network_id=network)
    uuid = boot()
    assert [port["device_id"] for port in get("/ports?binding:host_id=host-1", by="admin")] == [uuid]
    assert get("/ports?binding:host_id=host-2", by="admin") == get("/ports?port_security_enabled=false") == []


@pytest.mark.parametrize(
    ("said", "status", "complaint"),
    [
        ({"fixed_ips": [{"ip_address": "10.1.0.2"}]}, 409, "IP address 10.1.0.2 already allocated"),
        ({"fixed_ips": [{"ip_address": "10.2.0.2"}]}, 400, "not a valid IP for any of the subnets"),
        ({"fixed_ips": [{"ip_address": "10.1.0.7"}]}, 400, "not a valid IP"),
        ({"fixed_ips": [{"ip_address": "ten"}]}, 400, "'ten' is not a valid IP address"),
        ({"fixed_ips": [{"subnet_id": "none"}]}, 400, "invalid subnet none"),
        ({"mac_address": "fa:16:3e:aa:aa:aa"}, 409, "The mac address fa:16:3e:aa:aa:aa is in use"),
        ({"mac_address": "red"}, 400, "mac_address"),
        ({"security_groups": ["none"]}, 404, "Security group none does not exist"),
        ({"network_id": "none"}, 404, "Network none could not be found."),
        ({"colour": "red"}, 400, "colour"),
    ],
    ids=str,
)
def test_a_port_that_cannot_be(make, http, get, network, said, status, complaint):
    """The refusal names what is wrong, and no address is lent."""
    make("port", network_id=network, mac_address="fa:16:3e:aa:aa:aa")
    assert complaint in message(http("POST", "/ports", {"port": {"network_id": network, **said}}), status)
    assert len(get("/ports")) == 1


def test_a_full_network(make, http, network):
    """When every address is lent, no port is made."""
    for _ in range(5):
        make("port", network_id=network)
    refused = message(http("POST", "/ports", {"port": {"network_id": network}}), 409)
    assert refused == f"No more IP addresses available on network {network}."


def test_a_port_is_changed(make, http, network, get):
    """Its name, its groups, its MAC address, and its addresses: those stay that are named."""
    group = make("security_group", name="web")
    port = make("port", network_id=network)
    path = f"/ports/{port['id']}"

    def change(**said):
        response = http("PUT", path, {"port": said})
        assert response.status_int == 200, response.text
        return response.json["port"]

    changed = change(name="new", security_groups=[group["id"]], mac_address="fa:16:3e:00:00:99")
    assert (changed["name"], changed["security_groups"], changed["revision_number"]) == ("new", [group["id"]], 2)
    assert changed["mac_address"] == "fa:16:3e:00:00:99"
    assert addresses(change(fixed_ips=[{"ip_address": "10.1.0.2"}, {"ip_address": "10.1.0.6"}])) == [
        "10.1.0.2",
        "10.1.0.6",
    ]
    assert addresses(change(fixed_ips=[{"ip_address": "10.1.0.6"}])) == ["10.1.0.6"]
    assert addresses(change(fixed_ips=[])) == []
    assert addresses(change(fixed_ips=[{"ip_address": "10.1.0.4"}])) == ["10.1.0.4"]
    assert get(path)["name"] == "new"
    assert "in use" in message(http("DELETE", f"/security-groups/{group['id']}"), 409)
    assert http("DELETE", path).status_int == 204
    assert http("GET", path).status_int == 404


def test_who_may(make, http, network):
    """A reader changes nothing, and another project finds nothing."""
    path = f"/ports/{make('port', network_id=network)['id']}"
    for method, body in (("PUT", {"port": {"name": "x"}}), ("DELETE", None)):
        assert http(method, path, body, by="reader").status_int == 403
        assert http(method, path, body, by="bob").status_int == 404
    assert http("POST", "/ports", {"port": {"network_id": network}}, by="bob").status_int == 404
