"""python-novaclient: the older library, which has its own names for everything and pins a microversion."""

from keystoneauth1 import session
from keystoneauth1.identity.v3 import Password
from novaclient import client
from openstack.utils import iterate_timeout

OF_AUTH = ("auth_url", "username", "password", "project_name", "user_domain_name", "project_domain_name")


def test_the_life_of_a_server(login):
    """A server is booted on a network, stopped, and deleted; its actions are listed with the newest first."""
    auth = Password(**{name: getattr(login, name) for name in OF_AUTH})
    nova = client.Client("2.96", session=session.Session(auth=auth), region_name=login.region)
    networks = [{"net-id": nova.neutron.find_network("flat").id}]
    server = nova.servers.create(
        "by-novaclient", nova.glance.find_image("cirros"), nova.flavors.find(name="m1.tiny"), nics=networks
    )

    def wait_for(status):
        for _ in iterate_timeout(60, f"the server is not {status}", wait=0.1):
            if (found := nova.servers.get(server.id)).status == status:
                return found
        raise AssertionError("iterate_timeout ends with an exception")

    ((network, addresses),) = wait_for("ACTIVE").networks.items()
    (interface,) = server.interface_list()
    assert (network, addresses) == ("flat", [interface.fixed_ips[0]["ip_address"]])

    server.stop()
    wait_for("SHUTOFF")
    assert [action.action for action in nova.instance_action.list(server)] == ["stop", "create"]
    server.delete()
