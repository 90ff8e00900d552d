from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import Domain, Project, Role, User
from mininova.standins.keystone.db.standing import SYSTEM, Scope

DEMO = Scope("project", "demo")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def people(tx):
    for thing in (
        Domain(id="default", name="Default"),
        Domain(id="other", name="Other"),
        Project(id="demo", name="demo", domain_id="default"),
        Project(id="far", name="far", domain_id="other"),
        User(id="ann", name="ann", domain_id="default"),
        User(id="bob", name="bob", domain_id="other"),
        Role(id="m", name="member"),
        Role(id="r", name="reader"),
    ):
        identity.create(tx, thing)


def test_assign(tx):
    """A role that is assigned twice is there once; a removed one is not."""
    for _ in range(2):
        standing.assign(tx, "ann", "m", DEMO)
    assert standing.is_assigned(tx, "ann", "m", DEMO)
    assert len(standing.assignments(tx)) == 1
    assert standing.unassign(tx, "ann", "m", DEMO)
    assert not standing.unassign(tx, "ann", "m", DEMO)
    assert not standing.is_assigned(tx, "ann", "m", DEMO)


@pytest.mark.parametrize(
    ("user", "role", "scope"),
    [("eve", "m", DEMO), ("ann", "x", DEMO), ("ann", "m", Scope("project", "x")), ("ann", "m", Scope("domain", "x"))],
)
def test_assign_what_is_not_there(tx, user, role, scope):
    """The user, the role, the project and the domain must exist."""
    with pytest.raises(errors.NotFound):
        standing.assign(tx, user, role, scope)


def test_assignments(tx):
    """The list of assignments can be filtered by user, role and project or domain."""
    for user, role, scope in (("ann", "m", DEMO), ("ann", "r", SYSTEM), ("bob", "r", DEMO)):
        standing.assign(tx, user, role, scope)
    found = lambda **by: [(one.holder.id, one.role.id) for one in standing.assignments(tx, **by)]  # noqa: E731
    assert found() == [("ann", "m"), ("ann", "r"), ("bob", "r")]
    assert found(id="ann") == [("ann", "m"), ("ann", "r")]
    assert found(role_id="r") == [("ann", "r"), ("bob", "r")]
    assert found(scope=DEMO) == [("ann", "m"), ("bob", "r")]
    assert found(scope=DEMO, id="bob") == [("bob", "r")]


def test_scopes_of(tx):
    """The projects of a user's roles are listed once each."""
    for role, scope in (("m", DEMO), ("r", DEMO), ("m", SYSTEM), ("m", Scope("domain", "other"))):
        standing.assign(tx, "ann", role, scope)
    assert standing.scopes_of(tx, "ann", "project") == ["demo"]
    assert standing.scopes_of(tx, "ann", "domain") == ["other"]


@pytest.mark.parametrize(
    ("kind", "id", "left"),
    [(Project, "far", 2), (Domain, "other", 1), (User, "ann", 0), (Role, "m", 0)],
    ids=["project", "domain", "user", "role"],
)
def test_roles_go_with_what_they_are_of(tx, kind, id, left):
    """Deleting a user, a role, a project or a domain deletes its assignments."""
    for scope in (Scope("project", "far"), Scope("domain", "other"), DEMO):
        standing.assign(tx, "ann", "m", scope)
    identity.delete(tx, kind, id)
    assert len(standing.assignments(tx)) == left


def test_standing_in_a_project(tx):
    """The answer has the user and the project, the domains of both, and the roles in that project."""
    standing.assign(tx, "bob", "r", DEMO)
    standing.assign(tx, "bob", "m", DEMO)
    standing.assign(tx, "bob", "m", Scope("project", "far"))
    now = standing.standing(tx, "bob", DEMO)
    assert (now.user.name, now.user_domain.id) == ("bob", "other")
    assert (now.project.id, now.domain.id) == ("demo", "default")
    assert [role.name for role in now.roles] == ["member", "reader"]
    assert not now.revoked


def test_standing_in_a_domain(tx):
    """In a domain there is no project."""
    standing.assign(tx, "bob", "m", Scope("domain", "default"))
    now = standing.standing(tx, "bob", Scope("domain", "default"))
    assert (now.project, now.domain.id, len(now.roles)) == (None, "default", 1)


@pytest.mark.parametrize("scope", [None, SYSTEM, Scope("project", "gone"), Scope("domain", "gone")])
def test_standing_nowhere(tx, scope):
    """Without a scope, in the system and in an unknown project, the answer has neither project nor domain."""
    now = standing.standing(tx, "ann", scope)
    assert (now.project, now.domain, now.roles) == (None, None, ())


def test_standing_of_an_unknown_user(tx):
    """An unknown user has no standing."""
    assert standing.standing(tx, "eve", DEMO) is None


def test_revoked(tx):
    """A revoked audit id is found; revoking twice is harmless, and expired ones are deleted."""
    for _ in range(2):
        standing.revoke(tx, "a", NOW + timedelta(hours=1), NOW)
    assert standing.standing(tx, "ann", None, "a").revoked
    assert not standing.standing(tx, "ann", None, "b").revoked
    standing.revoke(tx, "b", NOW + timedelta(hours=3), NOW + timedelta(hours=2))
    assert not standing.standing(tx, "ann", None, "a").revoked
