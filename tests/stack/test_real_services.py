"""A stack with the real Keystone and Glance, as docs/operate.md starts it: mininova asks them, clients see no other."""

import documentation
import pytest
from documentation import ROOT
from stack import ports

from tests.fixtures import openstack_prompts, sdk
from tests.fixtures.local_stack import run

START = next(text for _, text in documentation.blocks(ROOT / "docs/operate.md", "sh") if "IDENTITY=keystone" in text)
MINUTES = 10 * 60  # the first start installs them


@pytest.fixture(scope="module")
def real_stack(make_stack):
    """Start one, by the command of the page."""
    chosen = {f"{name}_PORT": str(ports.pick()) for name in ("KEYSTONE", "GLANCE")}
    stack = make_stack(COMPUTES="1", **chosen)
    started = run(["bash", "-ec", f"cd {ROOT}\n{START}"], stack.environment, patience=MINUTES)
    assert started.returncode == 0, started.stdout + started.stderr
    stack.first_output = started.stdout
    return stack


@pytest.fixture(scope="module")
def demo(real_stack):
    """Give the SDK's connection as the demo user."""
    return sdk.connect(real_stack, "mininova")


@pytest.fixture(scope="module")
def admin(real_stack):
    """Give the SDK's connection as the administrator, whom Keystone's own bootstrap made."""
    return sdk.connect(real_stack)


def test_a_server_boots(real_stack):
    """The first server, which the openstack client asked for, is ACTIVE; the catalog leads to the real ones."""
    assert "server first-boot is ACTIVE" in real_stack.first_output
    assert {"keystone", "glance"} <= real_stack.pids().keys()
    catalog = real_stack.openstack_json("catalog", "list")
    urls = {service["Type"]: service["Endpoints"][0]["url"] for service in catalog}
    variables = real_stack.environment
    assert urls["identity"] == f"http://127.0.0.1:{variables['MININOVA_KEYSTONE_PORT']}/v3"
    assert urls["image"] == f"http://127.0.0.1:{variables['MININOVA_GLANCE_PORT']}"
    assert urls["compute"] == f"http://127.0.0.1:{variables['MININOVA_API_PORT']}/compute/v2.1"


def test_an_image_of_a_server_goes_to_glance(demo, admin):
    """Nova makes it in the user's project, and another server boots from it; a user of another project finds none."""
    server = demo.compute.find_server("first-boot")
    made = demo.compute.create_server_image(server, "golden", metadata={"of": "first-boot"}, wait=True, timeout=60)
    image = demo.image.get_image(made.id)
    assert (image.status, image.owner_id) == ("active", demo.current_project_id)
    assert (image.properties["of"], image.properties["image_type"]) == ("first-boot", "snapshot")
    again = demo.create_server("again", image=image.id, flavor="m1.tiny", network="flat", auto_ip=False)
    assert sdk.at_rest(demo, again).status == "ACTIVE"
    hidden = admin.image.create_image("hidden", data=b"no disk", disk_format="raw", container_format="bare", wait=True)
    flavor = demo.compute.find_flavor("m1.tiny").id
    body = {"server": {"name": "no", "imageRef": hidden.id, "flavorRef": flavor, "networks": "none"}}
    refused = demo.compute.post("/servers", json=body, microversion="2.37")
    assert (refused.status_code, "Can not find requested image" in refused.text) == (400, True), refused.text
    demo.delete_server(again.id, wait=True)
    demo.image.delete_image(image.id)
    assert demo.compute.get(f"/images/{image.id}").status_code == 404


def test_who_is_not_known(real_stack, demo):
    """A token that Keystone does not know is refused, with the place where one is to be had."""
    servers = f"http://127.0.0.1:{real_stack.environment['MININOVA_API_PORT']}/compute/v2.1/servers"
    for headers in ({}, {"X-Auth-Token": "made-up"}):
        refused = demo.session.get(servers, headers=headers, authenticated=False, raise_exc=False)
        assert refused.status_code == 401
        assert real_stack.environment["MININOVA_KEYSTONE_PORT"] in refused.headers["WWW-Authenticate"]


def test_a_project_is_asked_for(admin):
    """A flavor can be given to a project that Keystone knows, and to no other."""
    flavor = admin.compute.create_flavor(name="theirs", ram=64, vcpus=1, disk=0, is_public=False)
    known = admin.identity.find_project("demo").id
    admin.compute.flavor_add_tenant_access(flavor, known)
    assert [access["tenant_id"] for access in admin.compute.get_flavor_access(flavor)] == [known]
    with pytest.raises(Exception, match="is not a valid project") as refusal:
        admin.compute.flavor_add_tenant_access(flavor, "f" * 32)
    assert refusal.value.status_code == 400
    admin.compute.delete_flavor(flavor)


def test_lines_end_as_with_the_stand_ins(real_stack):
    """What people type about users, projects and images ends with the real services as with ours."""
    typed = openstack_prompts.lines("people", "images")
    wrong = openstack_prompts.wrong_ends(real_stack, [*typed, "admin: project delete p-lines"])
    assert not wrong, "\n".join([f"{len(wrong)} of {len(typed)}:", *wrong])


def test_a_second_start_finds_what_is_there(real_stack, demo):
    """A stop and a start on the same home keep users, catalog, images and servers."""
    before = sorted(image.id for image in demo.image.images())
    assert real_stack.unstack().returncode == 0
    again = real_stack.sh(IDENTITY="keystone", IMAGE="glance", BOOT="0", patience=MINUTES)
    assert again.returncode == 0, again.stdout + again.stderr
    assert sorted(image.id for image in sdk.connect(real_stack, "mininova").image.images()) == before
    assert demo.compute.find_server("first-boot").status in ("ACTIVE", "SHUTOFF")
