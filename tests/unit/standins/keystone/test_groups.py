"""Groups over HTTP: their members have their roles."""

import pytest

from mininova.standins.keystone.db.identity import Project, Role, User


@pytest.fixture
def group(http):
    """A group in the default domain."""
    return http("POST", "/v3/groups", {"group": {"name": "operators", "description": "at night"}}).json["group"]


@pytest.fixture
def grant(find):
    """Make the URL of a grant to a group in the project admin."""

    def url(group, role):
        return f"/v3/projects/{find(Project, 'admin').id}/groups/{group['id']}/roles/{find(Role, role).id}"

    return url


def test_make_change_find_and_delete(http, group):
    """A group is like the other things that identity keeps."""
    path = f"/v3/groups/{group['id']}"
    assert (group["name"], group["domain_id"], group["description"]) == ("operators", "default", "at night")
    assert http("PATCH", path, {"group": {"name": "ops"}}).json["group"]["name"] == "ops"
    assert [it["id"] for it in http("GET", "/v3/groups?name=ops").json["groups"]] == [group["id"]]
    assert http("POST", "/v3/groups", {"group": {"name": "ops"}}).status_int == 409
    assert (http("DELETE", path).status_int, http("GET", path).status_int) == (204, 404)


def test_a_member_has_the_roles_of_the_group(http, group, grant, find, token):
    """From the moment they are in it, for as long as they are."""
    demo, member = find(User, "demo"), f"/v3/groups/{group['id']}/users/{find(User, 'demo').id}"
    admin_project = {"project": {"id": find(Project, "admin").id}}
    login = {"identity": {"methods": ["token"], "token": {"id": token("demo", None).text}}, "scope": admin_project}

    def log_in():
        return http("POST", "/v3/auth/tokens", {"auth": login}, by=None)

    assert http("PUT", grant(group, "reader")).status_int == 204
    assert (http("HEAD", member).status_int, log_in().status_int) == (404, 401)
    assert [http("PUT", member).status_int for _ in range(2)] == [204, 204]
    assert http("HEAD", member).status_int == 204
    logged_in = log_in()
    assert [role["name"] for role in logged_in.json["token"]["roles"]] == ["reader"]
    assert [it["name"] for it in http("GET", "/v3/auth/projects", by="demo").json["projects"]] == ["admin", "demo"]
    assert [it["id"] for it in http("GET", f"/v3/groups/{group['id']}/users").json["users"]] == [demo.id]
    assert [it["id"] for it in http("GET", f"/v3/users/{demo.id}/groups", by="demo").json["groups"]] == [group["id"]]

    assert [http("DELETE", member).status_int for _ in range(2)] == [204, 404]
    text = logged_in.headers["X-Subject-Token"]
    assert (log_in().status_int, http("GET", "/v3/auth/projects", by=text).status_int) == (401, 401)


def test_a_grant_to_a_group_is_given_shown_and_taken(http, group, grant):
    """As one to a user is."""
    path = grant(group, "member")
    assert http("HEAD", path).status_int == 404
    assert http("PUT", path).status_int == 204
    assert http("HEAD", path).status_int == 204
    assert [it["name"] for it in http("GET", path.rpartition("/")[0]).json["roles"]] == ["member"]
    assert [http("DELETE", path).status_int for _ in range(2)] == [204, 404]


def test_assignments_name_the_group_or_its_members(http, group, grant, find):
    """Those in effect are of users, with what the roles imply."""
    http("PUT", grant(group, "member"))
    http("PUT", f"/v3/groups/{group['id']}/users/{find(User, 'demo').id}")

    def listed(query):
        return http("GET", f"/v3/role_assignments?{query}").json["role_assignments"]

    (one,) = listed(f"group.id={group['id']}&include_names=true")
    assert (one["group"]["name"], one["role"]["name"], one["scope"]["project"]["name"]) == (
        "operators", "member", "admin",
    )  # fmt: skip
    assert one["links"]["assignment"].endswith(grant(group, "member"))
    where = f"scope.project.id={find(Project, 'admin').id}&user.id={find(User, 'demo').id}"
    assert listed(where) == []
    in_effect = listed(f"{where}&effective&include_names=true")
    assert sorted(it["role"]["name"] for it in in_effect) == ["member", "reader"]
    assert {it["user"]["name"] for it in in_effect} == {"demo"}


@pytest.mark.parametrize("gone", ["group", "user"])
def test_a_group_or_a_user_that_goes_leaves_nothing(http, group, grant, find, gone):
    """The memberships and the roles go along."""
    demo, admin_project = find(User, "demo").id, find(Project, "admin").id
    http("PUT", grant(group, "member"))
    http("PUT", f"/v3/groups/{group['id']}/users/{demo}")

    def in_effect():
        listed = http("GET", f"/v3/role_assignments?effective&scope.project.id={admin_project}").json
        return [it["role"]["id"] for it in listed["role_assignments"] if it["user"]["id"] == demo]

    assert len(in_effect()) == 2
    path = {"group": f"/v3/groups/{group['id']}", "user": f"/v3/users/{demo}"}[gone]
    assert http("DELETE", path).status_int == 204
    assert in_effect() == []


def test_only_administrators_keep_groups(http, group, find):
    """A user sees which ones they are in."""
    demo = find(User, "demo").id
    for method, path in (
        ("GET", "/v3/groups"),
        ("POST", "/v3/groups"),
        ("DELETE", f"/v3/groups/{group['id']}"),
        ("PUT", f"/v3/groups/{group['id']}/users/{demo}"),
        ("GET", f"/v3/users/{find(User, 'admin').id}/groups"),
    ):
        assert (
            http(method, path, {"group": {"name": "mine"}} if method == "POST" else None, by="demo").status_int == 403
        )
    assert http("PUT", f"/v3/groups/{group['id']}/users/nowhere").status_int == 404


@pytest.mark.parametrize("path", ["/OS-TRUST/trusts", "/limits", "/registered_limits", "/users/x/access_rules"])
def test_what_there_is_not_is_an_empty_list_and_refused_with_a_way_out(http, path):
    """Clients list these, and are told what to use in their place."""
    name = path.rpartition("/")[2]
    assert http("GET", f"/v3{path}", by="demo").json[name] == []
    refused = http("POST", f"/v3{path}", {}, by="demo")
    assert (refused.status_int, "This cloud" in refused.text) == (403, True)


def test_limits_are_flat(http):
    """A client asks how limits of projects are related."""
    assert http("GET", "/v3/limits/model", by="demo").json["model"]["name"] == "flat"
