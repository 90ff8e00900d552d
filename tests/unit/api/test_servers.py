"""How servers are listed, shown and changed."""

from typing import Any

import pytest

from mininova.db import faults, networks, services
from mininova.objects import Fault


def show(api: Any, uuid: str, version: str = "2.96", user: str = "member") -> dict[str, Any]:
    return api("GET", f"/servers/{uuid}", version=version, user=user).body["server"]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"vm_state": "building", "task_state": "spawning"}, "BUILD"),
        ({"vm_state": "active"}, "ACTIVE"),
        ({"vm_state": "active", "task_state": "rebooting"}, "REBOOT"),
        ({"vm_state": "active", "task_state": "reboot_started_hard"}, "HARD_REBOOT"),
        ({"vm_state": "active", "task_state": "deleting"}, "ACTIVE"),
        ({"vm_state": "stopped", "task_state": "powering-on"}, "SHUTOFF"),
        ({"vm_state": "error"}, "ERROR"),
    ],
)
def test_the_status_follows_from_the_states(api: Any, state: dict[str, Any], status: str) -> None:
    """A user sees one word, made of vm_state and task_state."""
    uuid = api.active()
    api.change(uuid, **{"task_state": None, **state})
    assert show(api, uuid)["status"] == status


@pytest.mark.parametrize(
    ("version", "new"),
    [
        ("2.9", "locked"),
        ("2.19", "description"),
        ("2.26", "tags"),
        ("2.63", "trusted_image_certificates"),
        ("2.71", "server_groups"),
        ("2.73", "locked_reason"),
        ("2.90", "OS-EXT-SRV-ATTR:hostname"),
        ("2.96", "pinned_availability_zone"),
        ("2.100", "scheduler_hints"),
    ],
)
def test_fields_come_with_their_microversion(api: Any, version: str, new: str) -> None:
    """A field is shown from its microversion on."""
    uuid, minor = api.active(), int(version.split(".")[1])
    assert new in show(api, uuid, version)
    assert new not in show(api, uuid, f"2.{minor - 1}")


def test_the_flavor_is_a_link_and_then_a_copy(api: Any) -> None:
    """Terraform needs the id before 2.47; from then on the sizes are embedded."""
    uuid = api.active()
    assert show(api, uuid, "2.46")["flavor"]["id"] == "1"
    assert show(api, uuid, "2.47")["flavor"] == {
        "vcpus": 1, "ram": 512, "disk": 1, "ephemeral": 0, "swap": 0, "original_name": "m1.tiny", "extra_specs": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("OS-EXT-SRV-ATTR:host", "2.1"),
        ("OS-EXT-SRV-ATTR:hypervisor_hostname", "2.1"),
        ("OS-EXT-SRV-ATTR:instance_name", "2.1"),
        ("OS-EXT-SRV-ATTR:reservation_id", "2.3"),
        ("host_status", "2.16"),
    ],
)
def test_hosts_are_shown_to_administrators(api: Any, name: str, version: str) -> None:
    """A user sees only a hostId, which differs for each project."""
    uuid = api.active()
    assert name in show(api, uuid, version, "admin")
    assert name not in show(api, uuid, version)
    assert len(show(api, uuid)["hostId"]) == 56


def test_the_host_status_is_what_an_operator_made_of_it(api: Any) -> None:
    """It is UP while heartbeats come, MAINTENANCE when disabled, DOWN when forced down."""
    uuid, seen = api.active(), []
    for change in ({}, {"forced_down": True}, {"disabled": True}):
        with api.db.write() as tx:
            (service,) = services.search(tx, host="host-1")
            if change:
                services.update(tx, service.uuid, **change)
        seen.append(show(api, uuid, "2.16", "admin")["host_status"])
    assert seen == ["UP", "DOWN", "MAINTENANCE"]


def test_addresses_are_hidden_while_it_is_built(api: Any) -> None:
    """They may still change; later they are shown with their MAC."""
    uuid = api.boot()
    with api.db.write() as tx:
        ip = networks.allocate(tx, "flat", "10.0.0.0/16", uuid)
    assert show(api, uuid)["addresses"] == {}
    api.change(uuid, vm_state="active")
    assert show(api, uuid)["addresses"] == {
        "flat": [
            {
                "version": 4,
                "addr": ip.address,
                "OS-EXT-IPS:type": "fixed",
                "OS-EXT-IPS-MAC:mac_addr": ip.mac_address,
            }
        ]
    }


def test_a_fault_says_why_to_its_owner(api: Any) -> None:
    """Users who see the server see the message, administrators the details, too."""
    uuid = api.boot()
    api.change(uuid, vm_state="error", task_state=None)
    with api.db.write() as tx:
        faults.create(tx, uuid, Fault(code=500, message="No valid host was found.", details="Traceback"))
    assert show(api, uuid)["fault"]["message"] == "No valid host was found."
    assert "details" not in show(api, uuid)["fault"]
    assert show(api, uuid, user="admin")["fault"]["details"] == "Traceback"


def test_a_healthy_server_shows_no_fault(api: Any) -> None:
    """An old fault is not shown any more."""
    uuid = api.active()
    with api.db.write() as tx:
        faults.create(tx, uuid, Fault(code=500, message="once"))
    assert "fault" not in show(api, uuid)


def test_another_projects_server_is_not_there(api: Any) -> None:
    """Reading, changing, deleting and acting are 404, as if it did not exist."""
    uuid = api.active()
    for answer in (
        api("GET", f"/servers/{uuid}", user="stranger"),
        api("PUT", f"/servers/{uuid}", {"server": {"name": "x"}}, user="stranger"),
        api("DELETE", f"/servers/{uuid}", user="stranger"),
        api("POST", f"/servers/{uuid}/action", {"os-stop": None}, user="stranger"),
        api("GET", f"/servers/{uuid}/metadata", user="stranger"),
    ):
        assert (answer.status, answer.message) == (404, f"Instance {uuid} could not be found.")


def test_a_deleted_server_is_not_there(api: Any) -> None:
    """The server is 404 as soon as the api has deleted it."""
    uuid = api.boot()
    assert api("DELETE", f"/servers/{uuid}").status == 204
    assert api("GET", f"/servers/{uuid}").status == 404
    assert api("DELETE", f"/servers/{uuid}").status == 404


def test_a_second_delete_is_as_good_as_the_first(api: Any) -> None:
    """While a server is being deleted, deleting it is 204."""
    uuid = api.active()
    assert [api("DELETE", f"/servers/{uuid}").status for _ in range(2)] == [204, 204]


def test_put_writes_what_it_names_and_nothing_else(api: Any) -> None:
    """A change of the name leaves the other fields as they are."""
    uuid = api.active(version="2.37", description="mine", accessIPv4="10.0.0.1")
    body = {"server": {"name": "new", "accessIPv6": "::0001", "OS-DCF:diskConfig": "AUTO"}}
    shown = api("PUT", f"/servers/{uuid}", body, version="2.19").body["server"]
    assert (shown["name"], shown["description"]) == ("new", "mine")
    assert (shown["accessIPv4"], shown["accessIPv6"], shown["OS-DCF:diskConfig"]) == ("10.0.0.1", "::1", "AUTO")


def test_put_shows_less_before_2_75(api: Any) -> None:
    """In such an answer addresses have no MAC, and the states are left out."""
    uuid = api.active()
    with api.db.write() as tx:
        networks.allocate(tx, "flat", "10.0.0.0/16", uuid)
    old = api("PUT", f"/servers/{uuid}", {"server": {}}, version="2.74").body["server"]
    new = api("PUT", f"/servers/{uuid}", {"server": {}}, version="2.75").body["server"]
    assert set(old["addresses"]["flat"][0]) == {"version", "addr"}
    assert new.keys() - old.keys() >= {"OS-EXT-STS:vm_state", "key_name", "security_groups"}


def test_a_locked_server_can_be_renamed(api: Any) -> None:
    """A lock forbids its owner to change the metadata, and neither the name nor the tags, as in Nova."""
    uuid = api.active()
    api("POST", f"/servers/{uuid}/action", {"lock": None})
    assert api("PUT", f"/servers/{uuid}", {"server": {"name": "x"}}).status == 200
    assert api("PUT", f"/servers/{uuid}/tags/t", version="2.26").status == 201
    assert api("PUT", f"/servers/{uuid}/metadata", {"metadata": {}}).status == 409


# ---- lists


def names(api: Any, query: str = "", user: str = "member", version: str = "2.1", detail: str = "") -> list[str]:
    answer = api("GET", f"/servers{detail}?{query}", user=user, version=version)
    return [server["name"] for server in answer.body["servers"]]


def test_lists_the_projects_own_the_latest_first(api: Any) -> None:
    """A user sees the servers of the token's project."""
    for name in ("one", "two"):
        api.boot(name=name)
    api.boot(name="theirs", user="stranger")
    assert names(api) == ["two", "one"]


def test_pages_are_linked(api: Any) -> None:
    """A full page has a link to the next, which begins after the last server."""
    for name in ("one", "two", "three"):
        api.boot(name=name)
    first = api("GET", "/servers?limit=2&name=o")
    assert [server["name"] for server in first.body["servers"]] == ["two", "one"]
    (link,) = first.body["servers_links"]
    assert "limit=2" in link["href"]
    path = link["href"].removeprefix("http://localhost/v2.1")
    assert api("GET", path).body == {"servers": []}


def test_no_page_is_longer_than_allowed(make_api: Any) -> None:
    """[api] max_limit is the most that a client can ask for."""
    api = make_api(**{"api.max_limit": 1})
    api.boot()
    api.boot()
    assert len(names(api, "limit=5")) == 1


def test_a_limit_of_zero_is_an_empty_page(api: Any) -> None:
    """The limit may be zero."""
    api.boot()
    assert names(api, "limit=0") == []


def test_a_marker_that_is_not_there_is_400(api: Any) -> None:
    """The error names the marker."""
    assert api("GET", "/servers?marker=nope").message == "marker [nope] not found"


@pytest.mark.parametrize("detail", ["", "/detail"])
def test_all_projects_are_for_administrators(api: Any, detail: str) -> None:
    """Other users get 403, which names the rule."""
    api.boot(name="mine")
    api.boot(name="theirs", user="stranger")
    assert names(api, "all_tenants=1", "admin", detail=detail) == ["theirs", "mine"]
    rule = f"servers:{detail.strip('/') or 'index'}:get_all_tenants"
    assert rule in api("GET", f"/servers{detail}?all_tenants=True").message


def test_an_administrator_sees_their_own_project_unless_they_ask(api: Any) -> None:
    """A project in the query counts only together with all_tenants."""
    api.boot(name="mine")
    project = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    assert names(api, f"project_id={project}", "admin") == []
    assert names(api, f"project_id={project}&all_tenants=1", "admin") == ["mine"]
