"""python-openstackclient: the commands that a user needs first, from the token to the end of a server."""

import pytest

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


def test_a_keypair_is_made_and_deleted(local_stack):
    """The client gets the private key once; the pair is listed until it is deleted."""
    private = local_stack.openstack("keypair", "create", "laptop")
    listed = names(local_stack.openstack_json("keypair", "list"))
    local_stack.openstack("keypair", "delete", "laptop")

    assert "PRIVATE KEY" in private
    assert "laptop" in listed
    assert "laptop" not in names(local_stack.openstack_json("keypair", "list"))


def test_the_life_of_a_server(local_stack, cloud):
    """A server is created, shown, stopped, started, rebooted, looked into and deleted with the commands for it."""
    name = "whole-life"
    created = local_stack.openstack_json("server", "create", "--flavor", "m1.tiny", "--image", "cirros", "--wait", name)
    assert created["status"] == "ACTIVE"
    assert created["addresses"]["flat"]
    assert name in names(local_stack.openstack_json("server", "list"))

    server = cloud.compute.get_server(created["id"])
    for verb, end in ("stop", "SHUTOFF"), ("start", "ACTIVE"), ("reboot", "ACTIVE"):
        local_stack.openstack("server", verb, name)
        assert sdk.at_rest(cloud, server, ends=(end, "ERROR")).status == end
    assert local_stack.openstack_json("server", "show", name)["status"] == "ACTIVE"
    assert name in local_stack.openstack("console", "log", "show", name)
    events = local_stack.openstack_json("server", "event", "list", name)
    assert [event["Action"] for event in events] == ["reboot", "start", "stop", "create"]
    assert all(event["Request ID"].startswith("req-") for event in events)

    local_stack.openstack("server", "delete", "--wait", name)
    assert name not in names(local_stack.openstack_json("server", "list"))


def test_images_of_a_server(local_stack, cloud):
    """An image, a backup, and a server that leaves its host and comes back, by the commands for it."""
    server = cloud.create_server("kept", image="cirros", flavor="m1.tiny", auto_ip=False, wait=True)
    local_stack.openstack("server", "image", "create", "--name", "golden", "--wait", server.id)
    local_stack.openstack("server", "backup", "create", "--name", "nightly", "--rotate", "1", "--wait", server.id)
    local_stack.openstack("server", "shelve", server.id)
    sdk.at_rest(cloud, server, ends=("SHELVED_OFFLOADED", "ERROR"))
    local_stack.openstack("server", "unshelve", server.id)

    assert sdk.at_rest(cloud, server).status == "ACTIVE"
    made = [image for image in cloud.image.images() if image.name != "cirros"]
    assert {(image.name, image.status) for image in made} == {("golden", "active"), ("nightly", "active")}
    cloud.delete_server(server.id, wait=True)
    for image in made:
        cloud.image.delete_image(image)


def test_a_server_boots_from_a_volume(local_stack, cloud):
    """A volume is made of an image for a server, outlives it, and boots the next one."""
    create = ("server", "create", "--flavor", "m1.tiny", "--wait")
    made = local_stack.openstack_json(*create, "--image", "cirros", "--boot-from-volume", "1", "disk-full")
    (volume,) = made["volumes_attached"]
    assert (made["status"], made["image"]) == ("ACTIVE", "N/A (booted from volume)")
    cloud.delete_server(made["id"], wait=True)
    again = local_stack.openstack_json(*create, "--volume", volume["id"], "disk-full-again")
    assert [each["id"] for each in again["volumes_attached"]] == [volume["id"]]
    cloud.delete_server(again["id"], wait=True)
    cloud.delete_volume(volume["id"])


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
