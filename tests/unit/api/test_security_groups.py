"""Security groups in the Compute API: those of a server, and the old doors to those of a project."""

from typing import Any

import pytest

from tests.fixtures.api_harness import PROJECT
from tests.unit.api.test_create import ask

OLD = "2.35"


@pytest.fixture
def group(api: Any) -> Any:
    """Make a group of the member's project; give its document."""

    def make(name: str = "web", description: str = "of the web") -> Any:
        body = {"security_group": {"name": name, "description": description}}
        return api("POST", "/os-security-groups", body, version=OLD).body["security_group"]

    return make


def groups_of(api: Any, uuid: str) -> list[str]:
    """Name the groups of a server; both places that show them agree."""
    listed = [each["name"] for each in api("GET", f"/servers/{uuid}/os-security-groups").body["security_groups"]]
    shown = api("GET", f"/servers/{uuid}").body["server"].get("security_groups", [])
    assert [each["name"] for each in shown] == listed
    return listed


def act(api: Any, uuid: str, action: str, name: str) -> Any:
    return api("POST", f"/servers/{uuid}/action", {f"{action}SecurityGroup": {"name": name}})


def test_a_server_has_the_default_group(api: Any) -> None:
    """It is the project's own, and one without a network has none."""
    assert groups_of(api, api.boot()) == groups_of(api, api.boot(security_groups=[{"name": "default"}])) == ["default"]
    assert groups_of(api, api.boot(networks="none")) == []


def test_a_server_asks_for_groups(api: Any, group: Any) -> None:
    """By name or by id, and the lists of servers show them."""
    group()
    shop = group("shop")
    uuid = api.boot(security_groups=[{"name": "web"}, {"name": shop["id"]}, {"name": "web"}])
    assert groups_of(api, uuid) == ["shop", "web"]
    (server,) = api("GET", "/servers/detail").body["servers"]
    assert [each["name"] for each in server["security_groups"]] == ["shop", "web"]


def test_a_server_asks_for_a_group_that_is_not_there(api: Any, group: Any) -> None:
    """It is refused, naming the group; and so is a name that two groups have."""
    answer = ask(api, security_groups=[{"name": "nonesuch"}])
    assert (answer.status, answer.message) == (400, f"Security group nonesuch not found for project {PROJECT}.")
    group(), group()
    assert ask(api, security_groups=[{"name": "web"}]).status == 409


def test_groups_are_added_and_removed(api: Any, group: Any) -> None:
    """Adding one again changes nothing; the last one can go, too."""
    group()
    uuid = api.boot()
    assert [act(api, uuid, "add", "web").status for _ in range(2)] == [202, 202]
    assert groups_of(api, uuid) == ["default", "web"]
    assert act(api, uuid, "remove", "default").status == 202
    assert groups_of(api, uuid) == ["web"]
    assert act(api, uuid, "remove", "web").status == 202
    assert groups_of(api, uuid) == []
    assert act(api, uuid, "add", "default").status == 202
    assert groups_of(api, uuid) == ["default"]


def test_a_group_that_a_server_has_not(api: Any, group: Any) -> None:
    """Removing it, or one that is not there, finds nothing; a server without a network gets none."""
    group()
    uuid, without = api.boot(), api.boot(networks="none")
    answer = act(api, uuid, "remove", "web")
    assert (answer.status, answer.message) == (404, f"Security group web not associated with the instance {uuid}")
    assert act(api, uuid, "add", "nonesuch").status == act(api, uuid, "remove", "nonesuch").status == 404
    assert act(api, without, "add", "web").status == 400
    assert act(api, without, "remove", "default").status == 404


def test_groups_of_a_project(api: Any, group: Any) -> None:
    """They are made, listed, changed and deleted, until 2.35."""
    made = group()
    assert made == {**made, "name": "web", "description": "of the web", "tenant_id": PROJECT, "rules": []}
    listed = api("GET", "/os-security-groups", version=OLD).body["security_groups"]
    assert [each["name"] for each in listed] == ["default", "web"]
    assert api("GET", "/os-security-groups?limit=1&offset=1", version=OLD).body["security_groups"] == [made]
    path = f"/os-security-groups/{made['id']}"
    assert api("GET", path, version=OLD).body["security_group"] == made
    body = {"security_group": {"name": "shop", "description": ""}}
    assert api("PUT", path, body, version=OLD).body["security_group"] == {**made, "name": "shop", "description": ""}
    assert api("DELETE", path, version=OLD).status == 202
    assert api("GET", path, version=OLD).status == 404
    assert api("GET", "/os-security-groups", version="2.36").status == 404


def test_all_projects(api: Any, group: Any) -> None:
    """Only an administrator sees the groups of others, and only when asking."""
    group()

    def seen(query: str, user: str) -> set[str]:
        listed = api("GET", f"/os-security-groups{query}", version=OLD, user=user).body["security_groups"]
        return {each["name"] for each in listed}

    assert seen("?all_tenants=1", "admin") == {"default", "web"}
    assert seen("", "admin") == seen("?all_tenants=1", "stranger") == {"default"}


def test_the_default_group_stays(api: Any) -> None:
    """What Neutron refuses as a conflict, Nova refuses in its own ways."""
    default = api("GET", "/os-security-groups", version=OLD).body["security_groups"][0]["id"]
    body = {"security_group": {"name": "default", "description": ""}}
    assert api("POST", "/os-security-groups", body, version=OLD).status == 403
    assert api("DELETE", f"/os-security-groups/{default}", version=OLD).status == 400
    body["security_group"]["name"] = "other"
    assert api("PUT", f"/os-security-groups/{default}", body, version=OLD).status == 400


@pytest.fixture
def rule(api: Any, group: Any) -> Any:
    """Add a rule to a new group; give the answer."""

    def make(parent: Any = None, **said: Any) -> Any:
        body = {"parent_group_id": (parent or group())["id"], **said}
        return api("POST", "/os-security-group-rules", {"security_group_rule": body}, version=OLD)

    return make


def test_rules(api: Any, group: Any, rule: Any) -> None:
    """A rule lets a range in, or the members of a group, by all ports where none are said."""
    web, shop = group(), group("shop")
    ssh = rule(web, ip_protocol="tcp", from_port="22", to_port=22, cidr="10.0.0.7/8").body["security_group_rule"]
    assert ssh == {
        "id": ssh["id"], "parent_group_id": web["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22,
        "group": {}, "ip_range": {"cidr": "10.0.0.7/8"},
    }  # fmt: skip
    from_shop = rule(web, group_id=shop["id"], ip_protocol="udp").body["security_group_rule"]
    assert from_shop["group"] == {"name": "shop", "tenant_id": PROJECT}
    assert (from_shop["from_port"], from_shop["to_port"], from_shop["ip_range"]) == (1, 65535, {})
    ping = rule(web, ip_protocol="icmp", from_port=-1, to_port=-1).body["security_group_rule"]
    assert (ping["from_port"], ping["to_port"], ping["ip_range"]) == (-1, -1, {"cidr": "0.0.0.0/0"})
    shown = api("GET", f"/os-security-groups/{web['id']}", version=OLD).body["security_group"]["rules"]
    assert shown == [ssh, from_shop, ping]
    assert api("DELETE", f"/os-security-group-rules/{ssh['id']}", version=OLD).status == 202
    assert api("DELETE", f"/os-security-group-rules/{ssh['id']}", version=OLD).status == 404
    assert rule(web, ip_protocol="icmp", from_port=-1, to_port=-1).message == (
        f"This rule already exists in group {web['id']}"
    )


@pytest.mark.parametrize(
    ("said", "status", "complaint"),
    [
        ({"ip_protocol": "tcp"}, 400, "Not enough parameters"),
        ({"ip_protocol": "tcp", "from_port": "a", "to_port": 1}, 400, "To and From ports must be integers"),
        ({"ip_protocol": "icmp", "from_port": "a", "to_port": 1}, 400, "Type and Code must be integers"),
        ({"ip_protocol": "gre", "from_port": 1, "to_port": 1}, 400, "Invalid IP protocol gre"),
        ({"ip_protocol": "tcp", "from_port": 2, "to_port": 1}, 400, "Former value cannot be greater"),
        ({"ip_protocol": "tcp", "from_port": 0, "to_port": 1}, 400, "between 1-65535"),
        ({"ip_protocol": "icmp", "from_port": 256, "to_port": 1}, 400, "type:code must be valid"),
        ({"ip_protocol": "tcp", "from_port": 1, "to_port": 1, "cidr": "x"}, 400, "x is not a valid IP network"),
        ({"group_id": "7f3d3a6e-0000-4000-8000-000000000000"}, 404, "does not exist"),
        ({"parent_group_id": "7f3d3a6e-0000-4000-8000-000000000000"}, 404, "does not exist"),
        ({"parent_group_id": "x"}, 400, "parent_group_id"),
    ],
    ids=str,
)
def test_a_wrong_rule(rule: Any, said: Any, status: int, complaint: str) -> None:
    """The refusal says what is wrong."""
    answer = rule(**said)
    assert (answer.status, complaint in answer.message) == (status, True), answer.message


def test_readers_change_nothing(api: Any, group: Any) -> None:
    """Each change is refused by Nova's own rule."""
    made, uuid = group(), api.boot()
    body = {"security_group": {"name": "x", "description": ""}}
    for method, path, said in (
        ("POST", "/os-security-groups", body),
        ("PUT", f"/os-security-groups/{made['id']}", body),
        ("DELETE", f"/os-security-groups/{made['id']}", None),
        ("POST", "/os-security-group-rules", {"security_group_rule": {"parent_group_id": made["id"]}}),
        ("DELETE", "/os-security-group-rules/x", None),
        ("POST", f"/servers/{uuid}/action", {"addSecurityGroup": {"name": "web"}}),
        ("POST", f"/servers/{uuid}/action", {"removeSecurityGroup": {"name": "web"}}),
    ):
        answer = api(method, path, said, version=OLD, user="reader")
        assert (answer.status, "os-security-groups:" in answer.message) == (403, True), path
