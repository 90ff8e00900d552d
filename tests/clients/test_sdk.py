"""openstacksdk: the library below the openstack client, below Ansible's modules, and of most programs in Python."""

import pytest
from keystoneauth1.exceptions import Unauthorized

from tests.fixtures import sdk


def test_a_server_of_the_sdk_with_all_defaults(cloud):
    """The SDK waits until the server has an address, and takes a floating IP for it, since a network leads out."""
    made = cloud.create_server("by-defaults", image="cirros", flavor="m1.tiny", wait=True, timeout=60)
    server = cloud.get_server(made.id)  # what create_server gives after it took a floating IP says less
    (port,) = cloud.network.ports(device_id=server.id)
    (floating,) = cloud.network.ips(port_id=port.id)
    deleted = cloud.delete_server(server.id, wait=True, delete_ips=True)

    assert (server.status, server.private_v4) == ("ACTIVE", port.fixed_ips[0]["ip_address"])
    assert server.public_v4 == floating.floating_ip_address
    assert deleted


def test_a_server_in_a_network_of_its_project(cloud):
    """With a port of its own, one that is attached later, and a floating IP; the port outlives it."""
    network = cloud.network.create_network(name="red")
    subnet = cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.77.0.0/24")
    port = cloud.network.create_port(network_id=network.id)
    way_out = {"network_id": cloud.network.find_network("public", ignore_missing=False).id}
    router = cloud.network.create_router(name="way-out", external_gateway_info=way_out)
    cloud.network.add_interface_to_router(router, subnet_id=subnet.id)
    how = {"image": "cirros", "flavor": "m1.tiny", "nics": [{"port-id": port.id}], "auto_ip": False}
    server = cloud.create_server("in-red", **how, wait=True, timeout=60)
    floating = cloud.create_floating_ip(network="public", server=server)
    interface = cloud.compute.create_server_interface(server.id, net_id=network.id)
    shown = cloud.get_server(server.id)
    cloud.delete_floating_ip(floating.id)
    cloud.delete_server(server.id, wait=True)
    left = [each.id for each in cloud.network.ports(network_id=network.id) if each.device_owner == ""]
    cloud.network.remove_interface_from_router(router, subnet_id=subnet.id)
    cloud.network.delete_router(router)
    cloud.network.delete_port(port)
    cloud.network.delete_network(network)

    assert shown.public_v4 == floating.floating_ip_address
    assert {each["addr"] for each in shown.addresses["red"]} == {
        port.fixed_ips[0]["ip_address"],
        interface.fixed_ips[0]["ip_address"],
        floating.floating_ip_address,
    }
    assert left == [port.id]


def test_a_volume_of_a_server(cloud):
    """A volume is made, attached, detached and deleted, and the SDK waits for each."""
    server = cloud.create_server("with-data", image="cirros", flavor="m1.tiny", auto_ip=False, wait=True)
    volume = cloud.create_volume(1, name="data", wait=True)
    cloud.attach_volume(server, volume, wait=True)
    attached = cloud.get_volume("data")
    assert (attached.status, attached.attachments[0]["server_id"]) == ("in-use", server.id)

    cloud.detach_volume(server, attached, wait=True)
    assert cloud.get_volume("data").status == "available"
    assert cloud.delete_volume("data", wait=True)
    cloud.delete_server(server.id)


def test_security_groups(cloud):
    """A group is made with a rule, found by its name, and deleted."""
    group = cloud.create_security_group("web", "of the web")
    cloud.create_security_group_rule("web", port_range_min=80, port_range_max=80, protocol="tcp")
    found = cloud.get_security_group("web")
    cloud.delete_security_group("web")

    assert found.id == group.id
    assert [rule["port_range_min"] for rule in found.security_group_rules if rule["direction"] == "ingress"] == [80]
    assert cloud.get_security_group("web") is None


def test_a_program_with_an_application_credential(cloud):
    """It logs in without its user's password, sees the user's project, and no more once the credential is deleted."""
    user, project = cloud.current_user_id, cloud.current_project_id
    credential = cloud.identity.create_application_credential(user, "a program", roles=[{"name": "member"}])
    program = sdk.connect_program(cloud, credential)
    assert (program.current_user_id, program.current_project_id) == (user, project)
    assert [flavor.name for flavor in program.compute.flavors()][:1] == ["m1.tiny"]

    cloud.identity.delete_application_credential(user, credential)
    with pytest.raises(Unauthorized):
        list(program.compute.servers())
