"""Apache Libcloud: one library for many clouds, which speaks the plain API without microversions."""

from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider


def test_the_life_of_a_node(login):
    """A node is created on the flat network, is running there with a private address, and is destroyed."""
    driver = get_driver(Provider.OPENSTACK)(
        login.username,
        login.password,
        ex_force_auth_url=login.auth_url.removesuffix("/v3"),
        ex_force_auth_version="3.x_password",
        ex_tenant_name=login.project_name,
        ex_domain_name=login.user_domain_name,
        ex_force_service_region=login.region,
        api_version="2.2",
    )
    (image,) = [it for it in driver.list_images() if it.name == "cirros"]
    flat = [it for it in driver.ex_list_networks() if it.name == "flat"]
    node = driver.create_node(name="by-libcloud", size=driver.list_sizes()[0], image=image, networks=flat)
    ((running, addresses),) = driver.wait_until_running([node], wait_period=0.2, ssh_interface="private_ips")

    assert (running.name, running.state, addresses) == ("by-libcloud", "running", running.private_ips)
    assert driver.destroy_node(running)
