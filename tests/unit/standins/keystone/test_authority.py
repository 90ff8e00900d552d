import pytest

from mininova import errors
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import Domain, Project, User
from mininova.standins.keystone.db.standing import SYSTEM, Scope


def refused(authority, token):
    with pytest.raises(errors.Unauthorized):
        authority.check(token.text)
    return True


def test_a_token_gives_its_user_and_project(authority, token):
    """A valid token gives its user, the project, and the roles there with those that they imply."""
    checked = authority.check(token("demo").text)
    assert (checked.user.name, checked.user_domain.name) == ("demo", "Default")
    assert (checked.project.name, checked.project_domain.id, checked.domain) == ("demo", "default", None)
    assert checked.role_names == ("member", "reader")
    assert not checked.is_admin


def test_system_scope(authority, token):
    """A token for the system has no project and no domain."""
    checked = authority.check(token("admin", SYSTEM).text)
    assert checked.is_system
    assert checked.is_admin
    assert (checked.project, checked.domain) == (None, None)


def test_unscoped(authority, token):
    """An unscoped token has a user and no role."""
    checked = authority.check(token("demo", None).text)
    assert checked.user.name == "demo"
    assert checked.role_names == ()


def test_no_role_no_token(authority, find):
    """A user gets no token for a project without a role there, nor for an unknown one."""
    for scope in (Scope("project", find(Project, "admin").id), Scope("project", "nowhere"), SYSTEM):
        with pytest.raises(errors.Unauthorized):
            authority.issue(find(User, "demo"), scope, methods=("password",))


def test_expired(authority, token, clock):
    """An expired token is refused."""
    clock.now -= 3601
    assert refused(authority, token("demo"))


def test_got_with_a_token_expires_with_it(authority, token, clock):
    """A token from a login with another one expires with it, and names it."""
    clock.now -= 1000
    parent = token("demo")
    clock.now += 1000
    child = authority.issue(parent.user, parent.claims.scope, methods=("token",), parent=parent)
    assert child.claims.exp == parent.claims.exp
    assert child.claims.audit_ids == [child.claims.jti, parent.claims.jti]


def test_revoked(authority, token):
    """A revoked token is refused, and another one of the user is not; revoking again changes nothing."""
    revoked, other = token("demo"), token("demo")
    authority.revoke(revoked)
    authority.revoke(revoked)
    assert refused(authority, revoked)
    assert authority.check(other.text).user.name == "demo"


def test_old_revocations_are_forgotten(authority, token, clock, db):
    """Revocations of expired tokens are deleted."""
    authority.revoke(token("demo"))
    clock.now += 4000
    authority.revoke(token("demo"))
    with db.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM revoked_tokens").scalar() == 1


def test_disabled_user(authority, token, change):
    """A disabled user's tokens are refused."""
    before = token("demo")
    change(User, "demo", enabled=False)
    assert refused(authority, before)
    with pytest.raises(errors.Unauthorized):
        token("demo")


def test_deleted_user(authority, token, db, find):
    """A deleted user's tokens are refused."""
    before = token("demo")
    with db.write() as tx:
        identity.delete(tx, User, find(User, "demo").id)
    assert refused(authority, before)


def test_disabled_project(authority, token, change):
    """A token for a disabled project is refused; an unscoped one of the user is valid."""
    before, unscoped = token("demo"), token("demo", None)
    change(Project, "demo", enabled=False)
    assert refused(authority, before)
    assert authority.check(unscoped.text)


def test_deleted_project(authority, token, db, find):
    """A token for a deleted project is refused."""
    before = token("demo")
    with db.write() as tx:
        identity.delete(tx, Project, find(Project, "demo").id)
    assert refused(authority, before)


def test_disabled_domain(authority, token, change):
    """The tokens of a disabled domain's users are refused."""
    before = token("demo", None)
    change(Domain, "Default", enabled=False)
    assert refused(authority, before)


def test_removed_role(authority, token, assign, unassign):
    """A token with a role that was removed since is refused, even if another role is left."""
    assign("demo", "manager", "demo")
    before = token("demo")
    unassign("demo", "manager", "demo")
    assert refused(authority, before)
    assert authority.check(token("demo").text).role_names == ("member", "reader")


def test_added_role(authority, token, assign):
    """A role that is assigned later counts at once, for existing tokens."""
    before = token("demo")
    assign("demo", "manager", "demo")
    assert "manager" in authority.check(before.text).role_names


def test_ended_tokens(authority, token, db, find):
    """Ending a user's tokens ends each of them, and no new one."""
    before = [token("demo"), token("demo", None)]
    with db.write() as tx:
        identity.end_tokens(tx, find(User, "demo").id)
    assert all(refused(authority, one) for one in before)
    assert authority.check(token("demo").text)


def test_password_changed_since(authority, db, find):
    """A login whose password was changed before its token was issued is refused."""
    proven = find(User, "demo")
    with db.write() as tx:
        identity.end_tokens(tx, proven.id)
    with pytest.raises(errors.Unauthorized):
        authority.issue(proven, None, methods=("password",))


def test_nothing_secret_in_a_log(token):
    """The text of a token object shows neither the token nor the password's hash."""
    printed = repr(token("demo"))
    assert token("demo").text.split(".")[0] not in printed
    assert "argon2" not in printed
