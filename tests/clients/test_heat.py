"""Heat: what its resource OS::Nova::Server asks for, in its order and with its library, from the port to the last poll.

Heat itself is not run.  It speaks the oldest microversion through novaclient, makes the port first, and asks again
until the server is in the state that it waits for.

Source: heat/engine/clients/os/nova.py and heat/engine/resources/openstack/nova/server.py
"""

import base64
import email
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from keystoneauth1 import session
from keystoneauth1.identity.v3 import Password
from novaclient import client, exceptions
from openstack.utils import iterate_timeout

OF_AUTH = ("auth_url", "username", "password", "project_name", "user_domain_name", "project_domain_name")
#: While a server is in one of these Heat waits; any other but ACTIVE fails the stack.
DEFERRED = (
    *("BUILD", "HARD_REBOOT", "PASSWORD", "REBOOT", "RESCUE", "RESIZE", "REVERT_RESIZE", "SHUTOFF", "SUSPENDED"),
    "VERIFY_RESIZE",
)


@pytest.fixture
def nova(login):
    """Give the client as Heat makes it, of microversion 2.1."""
    auth = Password(**{name: getattr(login, name) for name in OF_AUTH})
    return client.Client("2", session=session.Session(auth=auth), region_name=login.region)


@pytest.fixture
def subnet(cloud):
    """Give a subnet of the project, as another resource of the stack made it; in the end it goes with its network."""
    network = cloud.network.create_network(name="of-stack")
    yield cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.78.0.0/24")
    cloud.network.delete_network(network)


def until(doing, is_done, ask):
    """Ask until an answer is what is waited for."""
    for _ in iterate_timeout(60, doing, wait=0.1):
        if is_done(answer := ask()):
            return answer
    raise AssertionError("iterate_timeout ends with an exception")


def test_a_server_of_a_stack(nova, cloud, admin, subnet):
    """A stack is created, updated and deleted: a server with user data, metadata, an interface, another flavor."""
    port = new_port(cloud, subnet, 0)
    server = create(nova, cloud, port)
    active(nova, server)
    assert [each.port_id for each in server.interface_list()] == [port.id]
    assert [each["addr"] for each in nova.servers.get(server.id).addresses["of-stack"]] == [
        port.fixed_ips[0]["ip_address"]
    ]
    assert parts_of(admin.compute.get_server(server.id).user_data) == ["cloud-config", "userdata", "cfn-init-data"]

    update_metadata(nova, server)
    port = replace_interface(nova, cloud, subnet, server, port)
    resize(nova, server, "m1.small")
    server.suspend()
    until("suspended", lambda now: now.status == "SUSPENDED", lambda: nova.servers.get(server.id))
    server.resume()
    active(nova, server)

    delete(nova, cloud, server, port)
    assert list(cloud.network.ports(network_id=subnet.network_id)) == []


# ---- what Heat does, in the order of its methods


def new_port(cloud, subnet, number):
    """Make a port of the stack's own: so Heat knows the address before there is a server."""
    name, addresses = f"web-port-{number}", [{"subnet_id": subnet.id}]
    return cloud.network.create_port(network_id=subnet.network_id, fixed_ips=addresses, name=name)


def create(nova, cloud, port):
    """Find what is named, as the check of the template does, and ask for the server."""
    with pytest.raises(exceptions.NotFound):
        nova.flavors.get("m1.tiny")
    flavor, image = nova.flavors.find(name="m1.tiny"), cloud.image.find_image("cirros")
    return nova.servers.create(
        name="stack-web-x4k2",
        image=image.id,
        flavor=flavor.id,
        key_name=None,
        security_groups=[],
        userdata=user_data(),
        meta={"metering.stack": "stack", "role": "web"},
        scheduler_hints={},
        nics=[{"net-id": port.network_id, "port-id": port.id}],
        availability_zone=None,
        block_device_mapping=None,
        block_device_mapping_v2=None,
        config_drive=None,
        disk_config="AUTO",
        reservation_id=None,
        files={},
        admin_pass=None,
    )


def user_data():
    """Make the message in several parts that Heat makes of the user's script and its own."""
    parts = ("user: ec2-user", "cloud-config"), ("#!/bin/sh\ntrue\n", "userdata"), ('{"os": []}', "cfn-init-data")
    message = MIMEMultipart()
    for text, name in parts:
        part = MIMEText(text, _subtype="x-cfninitdata")
        part.add_header("Content-Disposition", "attachment", filename=name)
        message.attach(part)
    return message.as_string()


def parts_of(encoded):
    """Name the parts of such a message, as Nova keeps it."""
    message = email.message_from_bytes(base64.b64decode(encoded))
    return [part.get_filename() for part in message.get_payload()]


def active(nova, server):
    """Wait until a server is ACTIVE; a state in which Heat does not wait fails the stack."""

    def is_active(now):
        assert now.status in ("ACTIVE", *DEFERRED), getattr(now, "fault", now.status)
        return now.status == "ACTIVE"

    return until("active", is_active, lambda: nova.servers.get(server.id))


def update_metadata(nova, server):
    """Remove what the new template does not have, then set all that it has."""
    wanted = {"role": "db", "tier": "2"}
    gone = [name for name in nova.servers.get(server.id).metadata if name not in wanted]
    nova.servers.delete_meta(server, gone)
    nova.servers.set_meta(server, wanted)
    assert nova.servers.get(server.id).metadata == wanted


def replace_interface(nova, cloud, subnet, server, old):
    """Detach a port, look until it is gone, delete it; make one more, attach it, look until it is there."""

    def ids():
        return [each.port_id for each in nova.servers.get(server.id).interface_list()]

    server.interface_detach(old.id)
    until("detached", lambda there: old.id not in there, ids)
    cloud.network.delete_port(old)
    new = new_port(cloud, subnet, 1)
    server.interface_attach(new.id, None, None)
    until("attached", lambda there: new.id in there, ids)
    return new


def resize(nova, server, name):
    """Change the flavor, and confirm it as soon as that can be done."""
    server.resize(nova.flavors.find(name=name))
    until("resized", lambda now: now.status == "VERIFY_RESIZE", lambda: nova.servers.get(server.id))
    server.confirm_resize()
    assert active(nova, server).flavor["id"] == nova.flavors.find(name=name).id


def delete(nova, cloud, server, port):
    """Delete the server, look until there is none, and then its port."""
    nova.servers.delete(server.id)

    def is_gone():
        try:
            return nova.servers.get(server.id) is None
        except exceptions.NotFound:
            return True

    until("deleted", bool, is_gone)
    cloud.network.delete_port(port)
