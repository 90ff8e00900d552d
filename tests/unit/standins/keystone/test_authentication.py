from functools import partial

import pytest
from argon2 import PasswordHasher, extract_parameters
from msgspec.structs import replace

from mininova import errors
from mininova.standins.keystone import passwords
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import Domain, Project, Role, User
from mininova.standins.keystone.db.standing import Scope

PROJECT = {"name": "demo", "domain": {"id": "default"}}


@pytest.mark.parametrize("domain", [{"id": "default"}, {"name": "Default"}])
def test_user_by_name(authenticator, password_login, domain):
    """The request can name a user's domain by its id or by its name."""
    token = authenticator.authenticate(password_login(domain=domain, project={"name": "demo", "domain": domain}))
    assert (token.user.name, token.project.name) == ("demo", "demo")
    assert token.claims.methods == ("password",)


def test_user_and_project_by_id(authenticator, find):
    """The request can name a user and a project by id alone."""
    user = {"id": find(User, "demo").id, "password": "opensesame"}
    scope = {"project": {"id": find(Project, "demo").id}}
    proof = {"methods": ["password"], "password": {"user": user}}
    assert authenticator.authenticate({"identity": proof, "scope": scope}).project.name == "demo"


@pytest.mark.parametrize(
    "auth",
    [
        {"name": "nobody"},
        {"password": "wrong"},
        {"password": ""},
        {"domain": {"name": "Elsewhere"}},
        {"project": {"name": "admin", "domain": {"id": "default"}}},
        {"project": {"id": "nowhere"}},
        {"project": {"name": "nowhere", "domain": {"id": "default"}}},
        {"system": {"all": True}},
    ],
)
def test_one_answer_to_all_that_is_wrong(authenticator, password_login, auth):
    """One answer for a wrong user, password, project or role, so that a client cannot find out which."""
    with pytest.raises(errors.Unauthorized, match=r"^The request you have made requires authentication\.$"):
        authenticator.authenticate(password_login(**auth))


class CountingHasher(PasswordHasher):
    """Hashes, and keeps what each hash cost: Argon2's parameters.

    :param costs: takes them
    """

    def __init__(self, costs, memory_kib):
        super().__init__(time_cost=2, memory_cost=memory_kib, parallelism=1)
        self.costs = costs

    def verify(self, kept, password):
        self.costs.append(extract_parameters(kept))
        return super().verify(kept, password)


@pytest.mark.parametrize(
    "auth",
    [
        {"password": "wrong"},
        {"name": "nobody"},
        {"name": "nobody", "password": "no user has this password"},
        {"domain": {"name": "Elsewhere"}},
        {"name": "without-a-password"},
        {"name": "disabled"},
    ],
    ids=str,
)
def test_each_refusal_costs_one_hash(authenticator, password_login, find, db, monkeypatch, auth):
    """Who does not exist costs as much as a wrong password, so the time tells no guesser which users there are."""
    demo = find(User, "demo")
    with db.write() as tx:
        identity.create(tx, replace(demo, id="1", name="without-a-password", password_hash=None))
        identity.create(tx, replace(demo, id="2", name="disabled", enabled=False))
    costs = []
    monkeypatch.setattr(passwords, "_hasher", partial(CountingHasher, costs))
    with pytest.raises(errors.Unauthorized):
        authenticator.authenticate(password_login(**auth))
    assert costs == [extract_parameters(demo.password_hash)]


def test_disabled_user(authenticator, password_login, change):
    """A disabled user cannot log in."""
    change(User, "demo", enabled=False)
    with pytest.raises(errors.Unauthorized):
        authenticator.authenticate(password_login())


def test_user_without_password(authenticator, password_login, change):
    """A user without a password cannot log in with one."""
    change(User, "demo", password_hash=None)
    with pytest.raises(errors.Unauthorized):
        authenticator.authenticate(password_login(password=""))


def test_unscoped_by_default(authenticator, password_login):
    """Without a scope and a default project the token is unscoped."""
    assert authenticator.authenticate(password_login()).claims.scope is None


def test_default_project(authenticator, password_login, change, find):
    """Without a scope the token is for the user's default project."""
    change(User, "demo", default_project_id=find(Project, "demo").id)
    assert authenticator.authenticate(password_login()).project.name == "demo"
    assert authenticator.authenticate({**password_login(), "scope": "unscoped"}).claims.scope is None


def test_default_project_that_is_closed(authenticator, password_login, change):
    """If the user has no role in the default project, or it is disabled, the token is unscoped."""
    change(User, "demo", default_project_id="nowhere")
    assert authenticator.authenticate(password_login()).claims.scope is None


def test_token_for_token(authenticator, token):
    """A login with a token gives one with another scope and the same expiry."""
    unscoped = token("demo", None)
    auth = {"identity": {"methods": ["token"], "token": {"id": unscoped.text}}, "scope": {"project": PROJECT}}
    scoped = authenticator.authenticate(auth)
    assert scoped.project.name == "demo"
    assert scoped.claims.methods == ("password", "token")
    assert scoped.claims.exp == unscoped.claims.exp


def test_two_proofs_of_two_users(authenticator, token, password_login):
    """A password and a token of different users are refused."""
    auth = password_login()
    auth["identity"] |= {"methods": ["password", "token"], "token": {"id": token("admin").text}}
    with pytest.raises(errors.Unauthorized):
        authenticator.authenticate(auth)


def test_domain_and_system_scope(authenticator, password_login, db, find):
    """An administrator gets tokens for the system, and for a domain after a role in it is assigned."""
    login = {"name": "admin", "password": "sesame"}
    assert authenticator.authenticate(password_login(**login, system={"all": True})).is_system
    with pytest.raises(errors.Unauthorized):
        authenticator.authenticate(dict(password_login(**login), scope={"domain": {"name": "Default"}}))
    with db.write() as tx:
        standing.assign(tx, find(User, "admin").id, find(Role, "admin").id, Scope("domain", "default"))
    token = authenticator.authenticate(dict(password_login(**login), scope={"domain": {"name": "Default"}}))
    assert token.domain == find(Domain, "Default")


@pytest.mark.parametrize("methods", [[], ["totp"], ["password", "application_credential"]])
def test_other_methods(authenticator, password_login, methods):
    """An unsupported method is refused, and the error says so."""
    auth = password_login()
    auth["identity"]["methods"] = methods
    with pytest.raises(errors.Unauthorized, match="unsupported method"):
        authenticator.authenticate(auth)


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({}, "identity"),
        ({"identity": {"methods": "password"}}, r"\$\.identity\.methods"),
        ({"identity": {"methods": ["password"]}}, r"identity\.password is missing"),
        ({"identity": {"methods": ["token"]}}, r"identity\.token is missing"),
        ({"identity": {"methods": ["password"], "password": {"user": {"password": "x"}}}}, r"user\.name is missing"),
        ({"identity": {"methods": ["password"], "password": {"user": {"name": "x"}}}}, r"user\.domain is missing"),
        (
            {"identity": {"methods": ["password"], "password": {"user": {"name": 5}}}},
            r"\$\.identity\.password\.user\.name",
        ),
        (
            {"identity": {"methods": ["password"], "password": {"user": {"name": "x", "domain": {}}}}},
            r"user\.domain names neither",
        ),
    ],
)
def test_malformed(authenticator, auth, said):
    """The error for a malformed request says what is wrong."""
    with pytest.raises(errors.InvalidInput, match=said):
        authenticator.authenticate(auth)


@pytest.mark.parametrize("scope", [{}, {"project": PROJECT, "system": {"all": True}}, {"OS-TRUST:trust": {"id": "1"}}])
def test_scope_of_another_form(authenticator, password_login, scope):
    """A scope must name exactly one project, domain or system."""
    with pytest.raises(errors.InvalidInput, match="scope"):
        authenticator.authenticate({**password_login(), "scope": scope})
