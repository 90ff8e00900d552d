"""The first things that an identity service needs: a domain, the roles, two projects, the first users, the catalog.

``mininova-manage bootstrap`` calls this, and may do so again: what is there already is left as it is.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db.session import Connection, Database
from mininova.standins.keystone import catalog, roles, tokens
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
from mininova.standins.keystone.passwords import hash_password

DEFAULT_DOMAIN = {"id": "default", "name": "Default"}
PROJECTS = ("admin", "demo", "service")

# user → the roles they get: in which project (None is the whole system), as what
USERS: Mapping[str, tuple[tuple[str | None, str], ...]] = {
    "admin": (("admin", roles.ADMIN), (None, roles.ADMIN)),
    "demo": (("demo", roles.MEMBER),),
    "nova": (("service", roles.SERVICE),),
}


def bootstrap(
    db: Database, conf: ConfigOpts, passwords: Mapping[str, str | None], there: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """Make what is missing: the key that signs tokens, the domain, roles and projects, users, and the catalog.

    :param passwords: user, of those in USERS → its password, which may be missing for a user who is there already
    :param there: what stand-ins before this one made, of which nothing is needed here
    :return: of each project and user what it is, its id, and whether it was made now
    :raises errors.ConfigError: when a user is to be made and has no password
    """
    hashes = _hashes(db, passwords, conf.identity.password_hash_memory)
    tokens.make_key(conf.identity.token_key_file)
    with db.write() as tx:
        _ensure(tx, Domain, DEFAULT_DOMAIN, description="The default domain")
        known_roles = {name: _ensure(tx, Role, {"name": name})[0].id for name in roles.ALL}
        projects = {name: _ensure(tx, Project, _in_default(name)) for name in PROJECTS}
        users = {name: _ensure(tx, User, _in_default(name), password_hash=hashes.get(name)) for name in passwords}
        for name, (user, _) in users.items():
            for project, role in USERS[name]:
                scope = Scope("project", projects[project][0].id) if project is not None else SYSTEM
                standing.assign(tx, user.id, known_roles[role], scope)
        _ensure_catalog(tx)
    return [
        *((f"project {name}", project.id, new) for name, (project, new) in projects.items()),
        *((f"user {name}", user.id, new) for name, (user, new) in users.items()),
    ]


def _hashes(db: Database, passwords: Mapping[str, str | None], memory_kib: int) -> dict[str, str]:
    """Hash the passwords of the users that are to be made."""
    with db.read() as tx:
        missing = [name for name in passwords if identity.find(tx, User, _in_default(name)) is None]
    for name in missing:
        if not passwords[name]:
            raise errors.ConfigError(
                problem=f"the user {name} is to be made and has no password: give it as --{name}-password, or better "
                f"in the environment as MININOVA_{name.upper()}_PASSWORD, which no other user of the machine sees"
            )
    return {name: hash_password(passwords[name] or "", memory_kib) for name in missing}


def _ensure_catalog(tx: Connection) -> None:
    _ensure(tx, Region, {"id": catalog.REGION})
    for type_, name, path in catalog.BUILT_IN:
        service, _ = _ensure(tx, CatalogService, {"type": type_}, name=name)
        for interface in catalog.INTERFACES:
            where = {"service_id": service.id, "interface": interface, "region_id": catalog.REGION}
            _ensure(tx, CatalogEndpoint, where, url=f"$(public_endpoint)s{path}")


def _in_default(name: str) -> dict[str, str]:
    return {"name": name, "domain_id": DEFAULT_DOMAIN["id"]}


def _ensure(tx: Connection, kind: type[Kept], columns: Mapping[str, str], **more: Any) -> tuple[Kept, bool]:
    """Give the one that has these columns, or make it, with more; tell whether it was made."""
    if (found := identity.find(tx, kind, columns)) is not None:
        return found, False
    return identity.create(tx, kind(**{"id": uuid.uuid4().hex, **columns, **more})), True
