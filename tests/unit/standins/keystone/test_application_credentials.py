"""Application credentials over HTTP: made by a user, used by a program, and how they end."""

from datetime import UTC, datetime

import pytest

from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import Project, Role, User


@pytest.fixture
def where(find):
    """The collection of demo's credentials."""
    return f"/v3/users/{find(User, 'demo').id}/application_credentials"


@pytest.fixture
def make(http, where):
    """Make one as demo, with more in its body."""

    def post(by="demo", **more):
        return http("POST", where, {"application_credential": {"name": "a program", **more}}, by=by)

    return post


@pytest.fixture
def log_in(http):
    """Log in with a credential."""

    def post(scope=None, **proof):
        identity = {"methods": ["application_credential"], "application_credential": proof}
        return http(
            "POST", "/v3/auth/tokens", {"auth": {"identity": identity} | ({"scope": scope} if scope else {})}, by=None
        )

    return post


def of(response):
    return response.json["application_credential"]


def test_a_program_logs_in_by_the_id_or_by_the_name(make, log_in, find):
    """The token is the user's, for the project in which the credential was made."""
    made = make(description="for CI")
    credential = of(made)
    by_id = log_in(id=credential["id"], secret=credential["secret"])
    by_name = log_in(name="a program", user={"id": find(User, "demo").id}, secret=credential["secret"])
    assert (made.status_int, by_id.status_int, by_name.status_int) == (201, 201, 201)
    for token in (by_id.json["token"], by_name.json["token"]):
        assert (token["user"]["name"], token["project"]["name"], token["methods"]) == (
            "demo", "demo", ["application_credential"],
        )  # fmt: skip
        assert token["application_credential"] == {"id": credential["id"], "name": "a program", "restricted": True}


def test_the_secret_is_shown_once(make, http, where):
    """It is made up where none is given, and no later answer has it, nor its hash."""
    credential = of(make())
    secret = credential.pop("secret")
    assert len(secret) > 60
    assert http("GET", f"{where}/{credential['id']}", by="demo").json == {"application_credential": credential}
    assert http("GET", where, by="demo").json["application_credentials"] == [credential]
    assert http("GET", f"{where}?name=another", by="demo").json["application_credentials"] == []


def test_a_wrong_secret_or_none_of_that_name_is_refused_alike(make, log_in):
    """The answer does not tell which credentials exist."""
    credential = of(make())
    wrong, unknown = log_in(id=credential["id"], secret="x"), log_in(id="nowhere", secret="x")
    assert wrong.status_int == unknown.status_int == 401
    assert wrong.json == unknown.json


def test_it_gives_the_roles_that_were_asked_for(make, log_in, assign, find, http):
    """A role that the user's implies may be chosen; one that the user has not is refused."""
    assign("demo", "manager", "demo")
    credential = of(make(roles=[{"name": "reader"}]))
    token = log_in(id=credential["id"], secret=credential["secret"])
    assert [role["name"] for role in token.json["token"]["roles"]] == ["reader"]
    shown = http("GET", "/v3/auth/tokens", by=token.headers["X-Subject-Token"],
                 X_Subject_Token=token.headers["X-Subject-Token"])  # fmt: skip
    assert shown.json["token"]["roles"] == token.json["token"]["roles"]
    refused = make(name="another", roles=[{"id": find(Role, "admin").id}])
    assert (refused.status_int, "Could not find role assignment" in refused.text) == (400, True)


def test_it_ends_with_a_role_of_it_with_its_time_and_with_its_deletion(
    make, log_in, http, where, assign, unassign, clock
):
    """So does each token that was got with it; the user's other tokens go on."""
    soon = datetime.fromtimestamp(clock.now + 300, UTC).isoformat()
    assign("demo", "manager", "demo")
    by_role = of(make(name="by role", roles=[{"name": "manager"}]))
    by_time, by_hand = (
        of(make(name="by time", expires_at=soon, roles=[{"name": "member"}])),
        of(make(name="by hand", roles=[{"name": "member"}])),
    )

    def status(credential):
        return log_in(id=credential["id"], secret=credential["secret"]).status_int

    tokens = [log_in(id=it["id"], secret=it["secret"]).headers["X-Subject-Token"] for it in (by_role, by_time, by_hand)]

    def holds():
        return [http("GET", "/v3/auth/projects", by=it).status_int == 200 for it in tokens]

    assert holds() == [True, True, True]
    unassign("demo", "manager", "demo")
    assert (holds(), status(by_role)) == ([False, True, True], 401)
    clock.now += 301
    assert (holds(), status(by_time)) == ([False, False, True], 401)
    assert http("DELETE", f"{where}/{by_hand['id']}", by="demo").status_int == 204
    assert (holds(), status(by_hand)) == ([False, False, False], 401)


def test_a_restricted_one_makes_and_deletes_no_other(make, log_in, http, where):
    """An unrestricted one may."""
    tokens = {
        free: log_in(id=made["id"], secret=made["secret"]).headers["X-Subject-Token"]
        for free in (False, True)
        for made in [of(make(name=f"free: {free}", unrestricted=free))]
    }
    assert [make(by=tokens[free], name=f"by {free}").status_int for free in (False, True)] == [403, 201]
    (victim,) = [it for it in http("GET", where, by="demo").json["application_credentials"] if it["name"] == "by True"]
    path = f"{where}/{victim['id']}"
    assert [http("DELETE", path, by=tokens[free]).status_int for free in (False, True)] == [403, 204]


def test_it_gives_no_wider_token(make, log_in, http):
    """It asks for no scope, and its token gives no other token."""
    credential = of(make())
    assert log_in(id=credential["id"], secret=credential["secret"], scope={"system": {"all": True}}).status_int == 401
    token = log_in(id=credential["id"], secret=credential["secret"]).headers["X-Subject-Token"]
    again = {"auth": {"identity": {"methods": ["token"], "token": {"id": token}}}}
    assert http("POST", "/v3/auth/tokens", again, by=None).status_int == 401


def test_no_one_makes_one_for_another_user(make, http, where, find):
    """An administrator may see and delete it."""
    assert make(by="admin").status_int == 403
    credential = of(make())
    others = f"/v3/users/{find(User, 'admin').id}/application_credentials/{credential['id']}"
    assert http("GET", others).status_int == 404
    assert http("GET", f"{where}/{credential['id']}").status_int == 200
    assert http("DELETE", f"{where}/{credential['id']}").status_int == 204


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00"}, "expires_at"),
        ({"roles": [{}]}, "roles"),
        ({"unrestricted": "yes"}, "unrestricted"),
        ({"access_rules": [{"path": "/v2.1/servers", "method": "GET", "service": "compute"}]}, "access_rules"),
    ],
)
def test_what_is_wrong_is_named(make, more, named):
    """A body of the wrong form gets a 400 that names the field."""
    refused = make(**more)
    assert (refused.status_int, f"'{named}'" in refused.text) == (400, True)


def test_a_name_is_the_users_once(make):
    """Two programs of one user are told apart by their names."""
    assert [make().status_int, make().status_int] == [201, 409]


def test_it_goes_with_its_project(make, db, find, log_in):
    """A project that is deleted takes the credentials along that are for it."""
    credential = of(make())
    with db.write() as tx:
        identity.delete(tx, Project, find(Project, "demo").id)
    assert log_in(id=credential["id"], secret=credential["secret"]).status_int == 401
