"""Domains, projects, users, roles, regions, services and endpoints, over HTTP: handlers/resources.py and kinds.py."""

import pytest

from mininova.standins.keystone import passwords
from mininova.standins.keystone.db.identity import Domain, Project, User
from mininova.standins.keystone.db.standing import SYSTEM

COLLECTIONS = ("domains", "projects", "users", "roles", "regions", "services", "endpoints")
NEW = {
    "domain": {"name": "d1"},
    "project": {"name": "p1", "description": "first", "domain_id": "default"},
    "user": {"name": "u1", "password": "x", "domain_id": "default", "email": "u1@example.org"},
    "role": {"name": "r1"},
    "region": {"id": "RegionTwo"},
    "service": {"type": "network", "name": "neutron"},
}


@pytest.mark.parametrize("member", NEW)
def test_each_kind_is_made_and_deleted(http, member):
    """Each kind of resource can be made, shown, listed, changed and deleted."""
    made = http("POST", f"/v3/{member}s", {member: NEW[member]})
    assert made.status_int == 201
    thing = made.json[member]
    shown = {name: value for name, value in NEW[member].items() if name != "password"}
    assert thing.items() >= shown.items()
    path = f"/v3/{member}s/{thing['id']}"
    assert thing["links"]["self"] == f"http://cloud.example.org/identity{path}"
    assert http("GET", path).json == made.json
    assert thing in http("GET", f"/v3/{member}s").json[f"{member}s"]
    changed = http("PATCH", path, {member: {"description": "other"}})
    assert changed.json[member] == {**thing, "description": "other"}
    if member == "domain":
        http("PATCH", path, {member: {"enabled": False}})
    assert http("DELETE", path).status_int == 204
    assert http("GET", path).status_int == 404
    assert http("DELETE", path).status_int == 404


def test_endpoints(http):
    """An endpoint belongs to a service, and is deleted with it."""
    service = http("POST", "/v3/services", {"service": NEW["service"]}).json["service"]
    endpoint = {"service_id": service["id"], "interface": "public", "url": "http://n:9696", "region_id": "RegionOne"}
    made = http("POST", "/v3/endpoints", {"endpoint": endpoint}).json["endpoint"]
    assert (made["region"], made["enabled"]) == ("RegionOne", True)
    listed = http("GET", f"/v3/endpoints?service_id={service['id']}&interface=public").json["endpoints"]
    assert listed == [made]
    http("DELETE", f"/v3/services/{service['id']}")
    assert http("GET", f"/v3/endpoints/{made['id']}").status_int == 404


def test_endpoints_that_are_built_in(http):
    """The URL of a built-in service is shown as clients reach it."""
    urls = {endpoint["url"] for endpoint in http("GET", "/v3/endpoints").json["endpoints"]}
    assert "http://cloud.example.org/compute/v2.1" in urls


@pytest.mark.parametrize("collection", [name for name in COLLECTIONS if name != "regions"])
def test_lists_are_for_administrators(http, token, collection):
    """A user may not list resources; an administrator and a reader of the system may."""
    assert http("GET", f"/v3/{collection}", by="demo").status_int == 403
    assert http("GET", f"/v3/{collection}", by=token("admin", SYSTEM).text).status_int == 200


def test_regions_are_for_everyone(http):
    """Any user with a token may list the regions."""
    assert [region["id"] for region in http("GET", "/v3/regions", by="demo").json["regions"]] == ["RegionOne"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v3/users"), ("PATCH", "/v3/users/1"), ("DELETE", "/v3/users/1"), ("POST", "/v3/roles")],
)
def test_changes_are_for_administrators(http, method, path):
    """A user may change nothing, and does not learn what exists."""
    refusal = http(method, path, {"user": {"name": "x"}}, by="demo")
    assert refusal.status_int == 403
    assert refusal.json["error"]["message"].startswith(
        "You are not authorized to perform the requested action: identity:"
    )


def test_users_own_resources(http, find):
    """Users may see themselves, the project of their token and its domain, and no others."""
    assert http("GET", f"/v3/users/{find(User, 'demo').id}", by="demo").json["user"]["name"] == "demo"
    assert http("GET", f"/v3/projects/{find(Project, 'demo').id}", by="demo").status_int == 200
    assert http("GET", "/v3/domains/default", by="demo").status_int == 200
    assert http("GET", f"/v3/users/{find(User, 'admin').id}", by="demo").status_int == 403
    assert http("GET", f"/v3/projects/{find(Project, 'admin').id}", by="demo").status_int == 403


def test_no_token(http):
    """Without a token the answer is 401."""
    assert http("GET", "/v3/users", by=None).status_int == 401


def test_nothing_secret_is_shown(http):
    """No answer has a password or its hash in it."""
    made = http("POST", "/v3/users", {"user": NEW["user"]})
    answers = made.text + http("GET", "/v3/users").text + http("GET", f"/v3/users/{made.json['user']['id']}").text
    assert not [secret for secret in ("argon2", "hash", "token", '"password"') if secret in answers]


def test_nothing_secret_can_be_set(http, find):
    """A client cannot set the columns that the service sets."""
    user = {**NEW["user"], "password_hash": "x", "token_generation": 9, "id": "mine", "extra": {"a": 1}}
    made = http("POST", "/v3/users", {"user": user}).json["user"]
    kept = find(User, "u1")
    assert made["id"] != "mine"
    assert kept.token_generation == 0
    assert passwords.matches("x", kept.password_hash)
    assert kept.extra == {"email": "u1@example.org"}


@pytest.mark.parametrize(
    ("member", "body", "said"),
    [
        ("user", {}, "'name' is a required property"),
        ("user", {"name": ""}, "for field 'name'"),
        ("user", {"name": " "}, "for field 'name'"),
        ("user", {"name": "x" * 256}, "for field 'name'"),
        ("user", {"name": "x", "enabled": "yes"}, "for field 'enabled'"),
        ("user", {"name": "x", "password": 5}, "for field 'password'"),
        ("project", {"name": "x" * 65}, "for field 'name'"),
        ("project", {"name": "x", "is_domain": True}, "for field 'is_domain'"),
        ("project", {"name": "x", "parent_id": "y"}, "for field 'parent_id'"),
        ("service", {"name": "x"}, "'type' is a required property"),
        ("endpoint", {"service_id": "x", "interface": "secret", "url": "http://x"}, "for field 'interface'"),
        ("endpoint", {"service_id": "x", "interface": "public", "url": "javascript:alert(1)"}, "for field 'url'"),
        ("role", {"name": "member,admin"}, "for field 'name'"),
        ("region", {"id": "a/b"}, "for field 'id'"),
    ],
)
def test_wrong_fields_are_named(http, member, body, said):
    """The error for a wrong body names the field."""
    refusal = http("POST", f"/v3/{member}s", {member: body})
    assert refusal.status_int == 400
    assert said in refusal.json["error"]["message"]


def test_taken_names(http):
    """A taken name is a conflict, for a new resource and for a changed one; in another domain it is free."""
    assert http("POST", "/v3/projects", {"project": {"name": "demo"}}).status_int == 409
    made = http("POST", "/v3/projects", {"project": {"name": "p1"}}).json["project"]
    assert http("PATCH", f"/v3/projects/{made['id']}", {"project": {"name": "demo"}}).status_int == 409
    domain = http("POST", "/v3/domains", {"domain": {"name": "d1"}}).json["domain"]
    there = http("POST", "/v3/projects", {"project": {"name": "demo", "domain_id": domain["id"]}})
    assert there.json["project"]["domain_id"] == domain["id"]


def test_filters(http):
    """Lists are filtered by name, domain and whether a resource is enabled."""
    http("POST", "/v3/projects", {"project": {"name": "closed", "enabled": False}})

    def names(query):
        return [one["name"] for one in http("GET", f"/v3/projects?{query}").json["projects"]]

    assert names("") == ["admin", "closed", "demo", "service"]
    assert names("name=demo") == ["demo"]
    assert names("enabled=false") == ["closed"]
    assert names("domain_id=elsewhere") == []


def test_pages(http):
    """A list comes in pages, each with a link to the next."""
    first = http("GET", "/v3/projects?limit=2").json
    assert [one["name"] for one in first["projects"]] == ["admin", "demo"]
    second = http("GET", first["links"]["next"].partition("/identity")[2]).json
    assert [one["name"] for one in second["projects"]] == ["service"]
    assert second["links"]["next"] is None
    assert http("GET", "/v3/projects?limit=0").status_int == 400
    assert http("GET", "/v3/projects?marker=nowhere").status_int == 400


def test_new_password_ends_tokens(http, token, find, authenticator, password_login):
    """When an administrator sets a new password, the old one and its tokens are invalid."""
    before = token("demo").text
    path = f"/v3/users/{find(User, 'demo').id}"
    assert http("PATCH", path, {"user": {"password": "new"}}).status_int == 200
    assert http("GET", "/v3/auth/catalog", by=before).status_int == 401
    assert authenticator.authenticate(password_login(password="new")).user.name == "demo"


def test_disabled_for_good(http, token, find):
    """A token that ended when its user was disabled stays invalid when the user is enabled."""
    before, path = token("demo").text, f"/v3/users/{find(User, 'demo').id}"
    http("PATCH", path, {"user": {"enabled": False}})
    http("PATCH", path, {"user": {"enabled": True}})
    assert http("GET", "/v3/auth/catalog", by=before).status_int == 401


def test_other_changes_leave_tokens_alone(http, token, find):
    """Changing a description ends no token."""
    before = token("demo").text
    http("PATCH", f"/v3/users/{find(User, 'demo').id}", {"user": {"description": "x", "email": "d@example.org"}})
    assert http("GET", "/v3/auth/catalog", by=before).status_int == 200


def test_own_password(http, token, find):
    """Users change their own password by giving the old one, even without a token."""
    before, path = token("demo").text, f"/v3/users/{find(User, 'demo').id}/password"
    wrong = {"user": {"original_password": "guess", "password": "new"}}
    assert http("POST", path, wrong, by=None).status_int == 401
    right = {"user": {"original_password": "opensesame", "password": "new"}}
    assert http("POST", path, right, by=None).status_int == 204
    assert http("GET", "/v3/auth/catalog", by=before).status_int == 401
    assert http("POST", "/v3/users/nobody/password", right, by=None).status_int == 401


def test_own_password_of_the_disabled(http, change, find):
    """A disabled user cannot change the password either."""
    path = f"/v3/users/{change(User, 'demo', enabled=False).id}/password"
    body = {"user": {"original_password": "opensesame", "password": "new"}}
    assert http("POST", path, body, by=None).status_int == 401


def test_domain_must_be_disabled_first(http, find):
    """A domain must be disabled before it is deleted, and all that is in it is deleted with it."""
    domain = http("POST", "/v3/domains", {"domain": {"name": "d1"}}).json["domain"]
    http("POST", "/v3/users", {"user": {"name": "u1", "domain_id": domain["id"]}})
    assert http("DELETE", f"/v3/domains/{domain['id']}").status_int == 403
    http("PATCH", f"/v3/domains/{domain['id']}", {"domain": {"enabled": False}})
    assert http("DELETE", f"/v3/domains/{domain['id']}").status_int == 204
    assert find(Domain, "d1") is None
    assert find(User, "u1") is None


def test_stays_in_its_domain(http, find):
    """A project cannot move to another domain; an update with its own domain is no change."""
    path = f"/v3/projects/{find(Project, 'demo').id}"
    assert http("PATCH", path, {"project": {"domain_id": "default"}}).status_int == 200
    assert http("PATCH", path, {"project": {"domain_id": "other"}}).status_int == 400


def test_properties_stay(http, find):
    """Other properties of a project are stored, and can be added to."""
    path = f"/v3/projects/{find(Project, 'demo').id}"
    http("PATCH", path, {"project": {"team": "blue"}})
    project = http("PATCH", path, {"project": {"tags": ["x"]}}).json["project"]
    assert (project["team"], project["tags"]) == ("blue", ["x"])
