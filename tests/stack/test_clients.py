"""Every command of the openstack client that the first release promises, on a real cloud."""

import pytest
from keystoneauth1.exceptions import Unauthorized

from tests.fixtures import sdk


def names(rows):
    """Give the names in a listing."""
    return [row["Name"] for row in rows]


def test_token_and_catalog(local_stack):
    """A token is issued, and the catalog has the five services on one port."""
    token = local_stack.openstack_json("token", "issue")
    catalog = local_stack.openstack_json("catalog", "list")

    assert token["project_id"]
    types = ["block-storage", "compute", "identity", "image", "network", "volumev3"]
    assert sorted(service["Type"] for service in catalog) == types


def test_flavors_and_images(local_stack):
    """The five standard flavors and one small image are there from the start."""
    assert names(local_stack.openstack_json("flavor", "list")) == [
        "m1.tiny",
        "m1.small",
        "m1.medium",
        "m1.large",
        "m1.xlarge",
    ]
    assert names(local_stack.openstack_json("image", "list")) == ["cirros"]


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


def test_a_volume_of_a_server(cloud, boot):
    """A volume is made, attached, detached and deleted, and the SDK waits for each."""
    (server,) = boot("with-data")
    volume = cloud.create_volume(1, name="data", wait=True)
    cloud.attach_volume(server, volume, wait=True)
    attached = cloud.get_volume("data")
    assert (attached.status, attached.attachments[0]["server_id"]) == ("in-use", server.id)

    cloud.detach_volume(server, attached, wait=True)
    assert cloud.get_volume("data").status == "available"
    assert cloud.delete_volume("data", wait=True)


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


def test_a_keypair_is_made_and_deleted(local_stack):
    """The client gets the private key once; the pair is listed until it is deleted."""
    private = local_stack.openstack("keypair", "create", "laptop")
    listed = names(local_stack.openstack_json("keypair", "list"))
    local_stack.openstack("keypair", "delete", "laptop")

    assert "PRIVATE KEY" in private
    assert "laptop" in listed
    assert "laptop" not in names(local_stack.openstack_json("keypair", "list"))


def test_the_life_of_a_server(local_stack):
    """A server is created, shown, stopped, started, rebooted, looked into and deleted with the commands for it."""
    name = "whole-life"
    created = local_stack.openstack_json("server", "create", "--flavor", "m1.tiny", "--image", "cirros", "--wait", name)
    assert created["status"] == "ACTIVE"
    assert created["addresses"]["flat"]
    assert name in names(local_stack.openstack_json("server", "list"))

    for verb in ("stop", "start", "reboot"):
        local_stack.openstack("server", verb, name)
    assert local_stack.openstack_json("server", "show", name)["status"] == "ACTIVE"
    assert name in local_stack.openstack("console", "log", "show", name)
    events = local_stack.openstack_json("server", "event", "list", name)
    assert [event["Action"] for event in events] == ["reboot", "start", "stop", "create"]
    assert all(event["Request ID"].startswith("req-") for event in events)

    local_stack.openstack("server", "delete", "--wait", name)
    assert name not in names(local_stack.openstack_json("server", "list"))


def test_images_of_a_server(local_stack, cloud, boot):
    """An image, a backup, and a server that leaves its host and comes back, by the commands for it."""
    (server,) = boot("kept")
    local_stack.openstack("server", "image", "create", "--name", "golden", "--wait", server.id)
    local_stack.openstack("server", "backup", "create", "--name", "nightly", "--rotate", "1", "--wait", server.id)
    local_stack.openstack("server", "shelve", server.id)
    sdk.at_rest(cloud, server, ends=("SHELVED_OFFLOADED", "ERROR"))
    local_stack.openstack("server", "unshelve", server.id)

    assert sdk.at_rest(cloud, server).status == "ACTIVE"
    made = [image for image in cloud.image.images() if image.name != "cirros"]
    assert {(image.name, image.status) for image in made} == {("golden", "active"), ("nightly", "active")}
    for image in made:
        cloud.image.delete_image(image)


def test_what_an_admin_sees(local_stack):
    """The admin sees the hosts, the services, and the servers of all projects with the hosts they are on."""
    hypervisors = local_stack.openstack_json("hypervisor", "list", cloud="mininova-admin")
    services = local_stack.openstack_json("compute", "service", "list", cloud="mininova-admin")
    servers = local_stack.openstack_json("server", "list", "--all-projects", "--long", cloud="mininova-admin")

    assert {host["Hypervisor Hostname"] for host in hypervisors} >= {"host-1", "host-2"}
    binaries = {(service["Binary"], service["Host"], service["State"]) for service in services}
    assert {("nova-conductor", "ctl-1", "up"), ("nova-compute", "host-1", "up")} <= binaries
    assert {server["Host"] for server in servers if server["Name"] == "first-boot"} <= {"host-1", "host-2"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("server", "show", "nobody"), "nobody"),
        (("server", "list", "--all-projects"), "403"),
        (("server", "create", "--flavor", "m9.huge", "--image", "cirros", "x"), "m9.huge"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else None,
)
def test_errors_reach_the_user_in_words(local_stack, words, complaint):
    """The client prints a sentence for what cannot be done, and never a server error."""
    done = local_stack.try_openstack(*words)

    assert done.returncode != 0
    assert complaint in done.stderr
    assert "500" not in done.stderr
