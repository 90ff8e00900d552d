"""Server groups, and the servers that are made in one."""

from typing import Any
from uuid import uuid4

import pytest

from mininova.db import request_specs
from tests.fixtures.api_harness import IMAGE, PROJECT

SPREAD = {"policy": "anti-affinity", "rules": {"max_server_per_host": 2}}


def make(api: Any, version: str = "2.64", user: str = "member", **group: Any) -> Any:
    return api("POST", "/os-server-groups", {"server_group": {"name": "g", **group}}, version=version, user=user)


def made(api: Any, **how: Any) -> str:
    """Make a group, and give its id."""
    answer = make(api, **{"policy": "anti-affinity", **how})
    assert answer.status == 200, answer.body
    return answer.body["server_group"]["id"]


def listed(api: Any, query: str = "", user: str = "member") -> list[str]:
    groups = api("GET", f"/os-server-groups{query}", version="2.64", user=user).body["server_groups"]
    return [group["id"] for group in groups]


def show(api: Any, group: str, version: str = "2.64", user: str = "member") -> Any:
    return api("GET", f"/os-server-groups/{group}", version=version, user=user).body["server_group"]


def test_a_group_is_shown_as_it_was_made(api: Any) -> None:
    """The answer to its making is what GET shows."""
    group = make(api, **SPREAD).body["server_group"]
    assert group == show(api, group["id"])
    assert group == {
        "id": group["id"],
        "name": "g",
        "project_id": PROJECT,
        "user_id": "member",
        "members": [],
        **SPREAD,
    }


def test_how_it_looks_in_older_versions(api: Any) -> None:
    """Before 2.64 there is a list of policies, and no rules; before 2.13 nothing says whose it is."""
    group = made(api, **SPREAD)
    old = {"id": group, "name": "g", "members": [], "policies": ["anti-affinity"], "metadata": {}}
    assert show(api, group, "2.12") == old
    assert show(api, group, "2.13") == old | {"project_id": PROJECT, "user_id": "member"}


@pytest.mark.parametrize(
    ("version", "group", "status"),
    [
        ("2.1", {"policies": ["affinity"]}, 200),
        ("2.1", {"policies": ["soft-affinity"]}, 400),
        ("2.15", {"policies": ["soft-affinity"]}, 200),
        ("2.63", {"policies": ["affinity", "anti-affinity"]}, 400),
        ("2.63", {"policies": []}, 400),
        ("2.63", {"policy": "affinity"}, 400),
        ("2.64", {"policies": ["affinity"]}, 400),
        ("2.64", {"policy": "soft-anti-affinity"}, 200),
        ("2.64", {"policy": "apart"}, 400),
        ("2.64", {"policy": "anti-affinity", "rules": {}}, 200),
        ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": 0}}, 400),
        ("2.64", {"policy": "anti-affinity", "rules": {"max_server_per_host": "3"}}, 200),
        ("2.64", {"policy": "anti-affinity", "rules": {"most": 3}}, 400),
        ("2.64", {"policy": "affinity", "rules": {"max_server_per_host": 3}}, 400),
        ("2.64", {"policy": "affinity", "name": ""}, 400),
    ],
)
def test_what_a_group_may_be(api: Any, version: str, group: dict[str, Any], status: int) -> None:
    """A group has one policy; the soft ones came with 2.15, and rules, for anti-affinity alone, with 2.64."""
    assert make(api, version, **group).status == status


def test_rules_for_another_policy(api: Any) -> None:
    """The answer is Nova's."""
    answer = make(api, policy="affinity", rules={"max_server_per_host": 3})
    assert answer.message == "Only anti-affinity policy supports rules."


def test_lists(api: Any) -> None:
    """A project sees its own, page by page; an administrator may see all, and others ask for them in vain."""
    own, other = [made(api) for _ in range(3)], made(api, user="stranger")
    assert listed(api) == listed(api, "?all_projects=1") == listed(api, "?limit=0") == own
    assert listed(api, "?limit=1&offset=1") == own[1:2]
    assert listed(api, user="admin") == []
    assert listed(api, "?all_projects=1", user="admin") == [*own, other]


def test_who_may_do_what(api: Any) -> None:
    """A reader reads; what is another project's is forbidden, as in Nova; an administrator may do everything."""
    group, path = made(api), "/os-server-groups"
    assert make(api, user="reader", policy="affinity").status == 403
    assert api("DELETE", f"{path}/{group}", user="reader").status == 403
    assert listed(api, user="reader") == [group]
    assert show(api, group, user="reader")["id"] == group
    assert api("GET", f"{path}/{group}", user="stranger").status == 403
    assert api("DELETE", f"{path}/{group}", user="stranger").status == 403
    assert api("DELETE", f"{path}/{group}", user="admin").status == 204


def test_a_deleted_group_is_gone(api: Any) -> None:
    """Its servers stay, and are in no group."""
    group = made(api)
    uuid = api.boot(hints={"group": group})
    assert api("DELETE", f"/os-server-groups/{group}").status == 204
    for method in ("GET", "DELETE"):
        answer = api(method, f"/os-server-groups/{group}")
        assert (answer.status, answer.message) == (404, f"Instance group {group} could not be found.")
    assert api("GET", f"/servers/{uuid}", version="2.71").body["server"]["server_groups"] == []


@pytest.mark.parametrize("hint", [str, lambda group: [group]], ids=["one", "a list of one"])
def test_a_server_in_a_group(api: Any, hint: Any) -> None:
    """It is a member from the start and until it is deleted; a conductor gets the group among the hints."""
    group = made(api)
    uuid, beside = api.boot(hints={"group": hint(group)}), api.boot()
    assert show(api, group)["members"] == [uuid]
    assert api.conductor.builds[0][1].group == group
    with api.db.read() as tx:
        assert request_specs.get(tx, uuid).spec.group == group
    for server, groups in ((uuid, [group]), (beside, [])):
        assert api("GET", f"/servers/{server}", version="2.71").body["server"]["server_groups"] == groups
        renamed = api("PUT", f"/servers/{server}", {"server": {"name": "new"}}, version="2.71")
        assert renamed.body["server"]["server_groups"] == groups
    assert api("DELETE", f"/servers/{uuid}").status == 204
    assert show(api, group)["members"] == []


def test_rebuilt_in_its_group(api: Any) -> None:
    """The answer to a rebuild has the group."""
    group = made(api)
    uuid = api.active(hints={"group": group})
    answer = api("POST", f"/servers/{uuid}/action", {"rebuild": {"imageRef": IMAGE}}, version="2.71")
    assert answer.body["server"]["server_groups"] == [group]


@pytest.mark.parametrize("whose", ["nobody", "stranger", "two"])
def test_a_group_that_cannot_be_asked_for(api: Any, whose: str) -> None:
    """A hint for a group that does not exist, or is another project's, or for two, is refused; nothing is made."""
    group: Any = made(api, user="stranger") if whose == "stranger" else str(uuid4())
    hint = [made(api), made(api)] if whose == "two" else group
    server = {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto"}
    answer = api("POST", "/servers", {"server": server, "os:scheduler_hints": {"group": hint}}, version="2.37")
    named = ",".join(hint) if whose == "two" else group
    assert (answer.status, answer.message) == (400, f"Instance group {named} could not be found.")
    assert api.conductor.builds == []


def test_what_happens_to_a_group_is_told(api: Any) -> None:
    """When it is made, when a server is made in it, and when it is deleted."""
    group = made(api, **SPREAD)
    server = api.boot(hints={"group": group})
    assert api("DELETE", f"/os-server-groups/{group}", version="2.64").status == 204
    told = [(event, payload) for event, payload in api.notifier.told if event.startswith("servergroup.")]
    fields = {"name": "g", "project_id": PROJECT, "user_id": "member", "policy": "anti-affinity"}
    assert told == [
        ("servergroup.create", {"server_group_id": group, **fields, "_rules": {"max_server_per_host": "2"}}),
        ("servergroup.addmember", {"server_group_id": group, "instance_uuids": [server]}),
        ("servergroup.delete", {"server_group_id": group}),
    ]
