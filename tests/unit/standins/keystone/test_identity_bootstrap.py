import pytest

from mininova import conf, errors
from mininova.standins.keystone import passwords, tokens
from mininova.standins.keystone.bootstrap import bootstrap
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import CatalogEndpoint, Domain, Project, Role, User


@pytest.fixture
def empty(empty_database):
    return empty_database()


@pytest.fixture
def settings(tmp_path):
    return conf.for_tests("api", **{"identity.token_key_file": str(tmp_path / "token.key")})


def everything(db):
    with db.read() as tx:
        kept = [identity.search(tx, kind) for kind in (Domain, Project, Role, User, CatalogEndpoint)]
        return kept, standing.assignments(tx)


def test_first_things(empty, settings):
    """The bootstrap makes the domain, the roles, the projects and the users with their roles."""
    bootstrap(empty, settings, {"admin": "a", "demo": "d"}, {})
    (domains, projects, roles, users, _), assignments = everything(empty)
    assert [domain.id for domain in domains] == ["default"]
    assert [project.name for project in projects] == ["admin", "demo", "service"]
    assert [role.name for role in roles] == ["admin", "manager", "member", "reader", "service"]
    assert [user.name for user in users] == ["admin", "demo"]
    names = {project.id: project.name for project in projects}
    assert [(one.holder.name, one.role.name, one.scope.kind, names.get(one.scope.id)) for one in assignments] == [
        ("admin", "admin", "project", "admin"),
        ("admin", "admin", "system", None),
        ("demo", "member", "project", "demo"),
    ]
    assert tokens.read_key(settings.identity.token_key_file)


def test_again(empty, settings):
    """A second run changes nothing, not even a password."""
    bootstrap(empty, settings, {"admin": "a", "demo": "d"}, {})
    before = everything(empty)
    bootstrap(empty, settings, {"admin": "other", "demo": "d"}, {})
    assert everything(empty) == before


def test_users_can_come_later(empty, settings):
    """A second run can add users."""
    bootstrap(empty, settings, {"admin": "a"}, {})
    bootstrap(empty, settings, {"demo": "d"}, {})
    with empty.read() as tx:
        assert passwords.matches("d", identity.find(tx, User, {"name": "demo"}).password_hash)


def test_nothing_by_halves(empty, settings, monkeypatch):
    """A bootstrap that fails on the way leaves no rows."""
    monkeypatch.setattr(identity, "create", _fail_at(identity.create, CatalogEndpoint))
    with pytest.raises(errors.Conflict):
        bootstrap(empty, settings, {"admin": "a"}, {})
    assert everything(empty) == ([[], [], [], [], []], [])


def _fail_at(create, kind):
    def creating(tx, thing):
        if isinstance(thing, kind):
            raise errors.Conflict()
        return create(tx, thing)

    return creating
