"""Roles assigned and removed over HTTP: mininova/standins/keystone/handlers/grants.py."""

import pytest

from mininova.standins.keystone.db.identity import Project, Role, User


@pytest.fixture
def grant(find):
    """Make the URL of a grant to the user demo."""

    def url(role, where=None):
        where = where or f"projects/{find(Project, 'demo').id}"
        return f"/v3/{where}/users/{find(User, 'demo').id}/roles/{find(Role, role).id if find(Role, role) else role}"

    return url


@pytest.mark.parametrize("where", [None, "domains/default", "system"])
def test_give_and_take(http, grant, where):
    """A role is assigned once, is shown, and is removed."""
    path = grant("manager", where)
    assert http("HEAD", path).status_int == 404
    assert http("PUT", path).status_int == 204
    assert http("PUT", path).status_int == 204
    assert http("HEAD", path).status_int == 204
    listed = http("GET", path.rpartition("/")[0]).json["roles"]
    assert "manager" in {role["name"] for role in listed}
    assert http("DELETE", path).status_int == 204
    assert http("DELETE", path).status_int == 404


def test_a_missing_role_or_project(http, grant):
    """An unknown role, or one in an unknown project, cannot be assigned."""
    assert http("PUT", grant("nosuch")).status_int == 404
    assert http("PUT", grant("member", "projects/nowhere")).status_int == 404
    assert http("GET", "/v3/projects/nowhere/users/x/roles").status_int == 404


def test_only_administrators_give(http, grant):
    """Only an administrator can assign a role."""
    assert http("PUT", grant("admin"), by="demo").status_int == 403
    assert http("DELETE", grant("member"), by="demo").status_int == 403


def test_taking_ends_tokens(http, grant, token):
    """Removing a role ends the tokens that have it."""
    before = token("demo").text
    http("DELETE", grant("member"))
    assert http("GET", "/v3/auth/catalog", by=before).status_int == 401


def test_list(http, find):
    """The list has users, roles and projects by id."""
    listed = http("GET", "/v3/role_assignments").json["role_assignments"]
    assert len(listed) == 3
    (demo,) = [one for one in listed if one["user"]["id"] == find(User, "demo").id]
    assert set(demo["role"]) == set(demo["user"]) == set(demo["scope"]["project"]) == {"id"}
    assert demo["links"]["assignment"].endswith(f"/users/{demo['user']['id']}/roles/{demo['role']['id']}")


def test_list_with_names(http, find):
    """With include_names the list has the names, too."""
    query = f"include_names=True&user.id={find(User, 'demo').id}"
    (one,) = http("GET", f"/v3/role_assignments?{query}").json["role_assignments"]
    assert one["role"]["name"] == "member"
    assert (one["user"]["name"], one["user"]["domain"]["name"]) == ("demo", "Default")
    assert (one["scope"]["project"]["name"], one["scope"]["project"]["domain"]["name"]) == ("demo", "Default")


def test_list_of_the_system(http):
    """Roles in the system can be listed apart."""
    (one,) = http("GET", "/v3/role_assignments?scope.system=all").json["role_assignments"]
    assert one["scope"] == {"system": {"all": True}}


def test_effective(http, find):
    """With effective the list has the implied roles, and can be filtered by them."""
    query = f"effective&include_names&scope.project.id={find(Project, 'demo').id}"
    names = [one["role"]["name"] for one in http("GET", f"/v3/role_assignments?{query}").json["role_assignments"]]
    assert names == ["member", "reader"]
    query += f"&role.id={find(Role, 'reader').id}"
    assert len(http("GET", f"/v3/role_assignments?{query}").json["role_assignments"]) == 1


def test_groups(http):
    """There are no groups, so none has a role."""
    assert http("GET", "/v3/role_assignments?group.id=x").json["role_assignments"] == []


def test_list_is_for_administrators(http):
    """A user may not list who has which role."""
    assert http("GET", "/v3/role_assignments", by="demo").status_int == 403


def test_projects_of_a_user(http, find):
    """Users may list their own projects, and an administrator those of any user."""
    path = f"/v3/users/{find(User, 'demo').id}/projects"
    for by in ("demo", "admin"):
        assert [project["name"] for project in http("GET", path, by=by).json["projects"]] == ["demo"]
    assert http("GET", f"/v3/users/{find(User, 'admin').id}/projects", by="demo").status_int == 403
