"""A new identity service for every test, bootstrapped, with a clock that the test moves."""

import shutil
import time

import pytest
from sqlalchemy import insert, make_url, select

from mininova import conf
from mininova.db.session import Database
from mininova.standins.keystone import tokens
from mininova.standins.keystone.app import IdentityApplication
from mininova.standins.keystone.authentication import Authenticator
from mininova.standins.keystone.authority import Authority
from mininova.standins.keystone.bootstrap import bootstrap
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import Project, Role, User
from mininova.standins.keystone.db.models import metadata
from mininova.standins.keystone.db.standing import Scope
from mininova.standins.keystone.passwords import Passwords
from mininova.standins.keystone.service import Service
from mininova.wsgi import Request
from tests.fixtures.private_databases import SQLITE

PASSWORDS = {"admin": "sesame", "demo": "opensesame"}
KEY = b"k" * 64


class Clock:
    """Seconds since 1970, moved by the test."""

    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@pytest.fixture(scope="session")
def bootstrapped(migrated, tmp_path_factory):
    """The rows of every table after bootstrap: hashing the passwords for each test would take too long."""
    folder = tmp_path_factory.mktemp("identity")
    database = Database(f"sqlite:///{shutil.copy(make_url(migrated(SQLITE)).database, folder / 'mininova.sqlite')}")
    bootstrap(database, conf.for_tests("api", **{"identity.token_key_file": str(folder / "key")}), PASSWORDS, {})
    with database.read() as tx:
        rows = {table: [dict(row) for row in tx.execute(select(table)).mappings()] for table in metadata.sorted_tables}
    database.close()
    return rows


@pytest.fixture
def db(empty_database, bootstrapped):
    database = empty_database()
    with database.write() as tx:
        for table, rows in bootstrapped.items():
            if rows:
                tx.execute(insert(table), rows)
    return database


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def authority(db, clock):
    return Authority(db, tokens.Signer(KEY), 3600, clock)


@pytest.fixture
def passwords():
    return Passwords()


@pytest.fixture
def authenticator(db, authority, passwords):
    return Authenticator(db, authority, passwords)


@pytest.fixture
def find(db):
    """Find a user, a project or a role by name."""

    def one(kind, name):
        with db.read() as tx:
            return identity.find(tx, kind, {"name": name})

    return one


@pytest.fixture
def token(authority, find):
    """Issue a token to a user of PASSWORDS, for the project of the same name, without asking for the password."""

    def issue(name, scope=...):
        scope = Scope("project", find(Project, name).id) if scope is ... else scope
        return authority.issue(find(User, name), scope, methods=("password",))

    return issue


@pytest.fixture
def assign(db, find):
    """Give a user a role in a project, all by name."""

    def give(user, role, project):
        with db.write() as tx:
            standing.assign(tx, find(User, user).id, find(Role, role).id, Scope("project", find(Project, project).id))

    return give


@pytest.fixture
def unassign(db, find):
    """Remove a user's role in a project, all by name."""

    def take(user, role, project):
        with db.write() as tx:
            standing.unassign(tx, find(User, user).id, find(Role, role).id, Scope("project", find(Project, project).id))

    return take


@pytest.fixture
def change(db, find):
    """Change columns of a user or a project by name."""

    def update(kind, name, **columns):
        with db.write() as tx:
            return identity.update(tx, kind, find(kind, name).id, **columns)

    return update


@pytest.fixture
def app(db, authority, authenticator, passwords):
    return IdentityApplication(Service(db, authority, authenticator, passwords))


@pytest.fixture
def http(app, token):
    """Send a request as a user, with a token, or with neither; give the response."""

    def send(method, path, body=None, *, by="admin", **headers):
        request = Request.blank(path, method=method, base_url="http://cloud.example.org/identity")
        request.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        if by is not None:
            request.headers["X-Auth-Token"] = token(by).text if by in PASSWORDS else by
        if body is not None:
            request.json = body
        return request.get_response(app)

    return send


@pytest.fixture
def password_login():
    """Make the ``auth`` part of a login with a password."""

    def body(name="demo", password="opensesame", domain=None, **scope):
        user = {"name": name, "domain": domain or {"id": "default"}, "password": password}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
        return {**auth, "scope": scope} if scope else auth

    return body
