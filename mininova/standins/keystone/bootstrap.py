"""The first things that an identity service needs: a domain, the roles, two projects, the first users, the catalog.

``mininova-manage bootstrap`` calls this, as often as one likes: what is there already is left as it is.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Connection, Database
from mininova.standins.keystone import catalog, passwords, roles, tokens
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import (
    CatalogEndpoint,
    CatalogService,
    Domain,
    Kept,
    Project,
    Region,
    Role,
    User,
)
from mininova.standins.keystone.db.standing import SYSTEM, Scope

DEFAULT_DOMAIN = {"id": "default", "name": "Default"}
PROJECTS = ("admin", "demo", "service")

# user → the roles they get: in which project (None is the whole system), as what
USERS: Mapping[str, tuple[tuple[str | None, str], ...]] = {
    "admin": (("admin", roles.ADMIN), (None, roles.ADMIN)),
    "demo": (("demo", roles.MEMBER),),
}


def bootstrap(db: Database, conf: ConfigOpts, users: Mapping[str, str]) -> None:
    """Make what is missing: the key that signs tokens, the domain, roles and projects, users, and the catalog.

    :param users: the names of users to make, of those in USERS → the passwords they are to have; the password of one
        who is there already stays as it is
    """
    tokens.make_key(conf.identity.token_key_file)
    hashes = {name: passwords.hash_password(password) for name, password in users.items()}
    with db.write() as tx:
        _ensure(tx, Domain, DEFAULT_DOMAIN, description="The default domain")
        known_roles = {name: _ensure(tx, Role, {"name": name}).id for name in roles.ALL}
        projects = {name: _ensure(tx, Project, _in_default(name)).id for name in PROJECTS}
        for name, password_hash in hashes.items():
            user = _ensure(tx, User, _in_default(name), password_hash=password_hash)
            for project, role in USERS[name]:
                scope = Scope("project", projects[project]) if project is not None else SYSTEM
                standing.assign(tx, user.id, known_roles[role], scope)
        _ensure_catalog(tx)


def _ensure_catalog(tx: Connection) -> None:
    _ensure(tx, Region, {"id": catalog.REGION})
    for type_, name, path in catalog.BUILT_IN:
        service = _ensure(tx, CatalogService, {"type": type_}, name=name)
        for interface in catalog.INTERFACES:
            where = {"service_id": service.id, "interface": interface, "region_id": catalog.REGION}
            _ensure(tx, CatalogEndpoint, where, url=f"$(public_endpoint)s{path}")


def _in_default(name: str) -> dict[str, str]:
    return {"name": name, "domain_id": DEFAULT_DOMAIN["id"]}


def _ensure(tx: Connection, kind: type[Kept], columns: Mapping[str, str], **more: Any) -> Kept:
    """Give the one that has these columns; make it, with more, if there is none."""
    found = identity.find(tx, kind, columns)
    return found or identity.create(tx, kind(**{"id": uuid.uuid4().hex, **columns, **more}))
