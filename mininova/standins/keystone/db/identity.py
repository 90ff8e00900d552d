"""Who and what there is: domains, projects, users, roles, and the catalog of services.

One set of functions keeps all of these kinds.  Who may do what is in mininova/standins/keystone/db/standing.py.
Nothing here knows what a password or a token is: the identity service does.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Table, and_, insert, or_, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of
from sqlalchemy.exc import IntegrityError

from mininova import errors
from mininova.db.pages import page
from mininova.db.rows import Rows, insert_new
from mininova.standins.keystone.db import models as tables


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Anything kept here."""

    id: str


class Domain(Thing, frozen=True, kw_only=True):
    """What names of projects and users are unique in."""

    name: str
    description: str | None = ""
    enabled: bool = True


class Project(Thing, frozen=True, kw_only=True):
    """What owns instances and images.

    :param extra: other fields that its makers gave it
    """

    name: str
    domain_id: str
    description: str | None = ""
    enabled: bool = True
    extra: dict[str, Any] = {}


class User(Thing, frozen=True, kw_only=True):
    """A person or a program that can log in.

    :param token_generation: counts what ends all of the user's tokens
    """

    name: str
    domain_id: str
    description: str | None = None
    enabled: bool = True
    default_project_id: str | None = None
    password_hash: str | None = None
    token_generation: int = 0
    extra: dict[str, Any] = {}


class Group(Thing, frozen=True, kw_only=True):
    """Users that are given roles together."""

    name: str
    domain_id: str
    description: str | None = ""


class ApplicationCredential(Thing, frozen=True, kw_only=True):
    """With which a program logs in as a user, in one project.

    :param role_ids: the roles that it gives, as long as the user has them
    :param expires_at: from when on it is good for nothing
    :param unrestricted: whether it may be used to make and delete such credentials
    """

    user_id: str
    project_id: str
    name: str
    description: str | None = None
    secret_hash: str
    role_ids: tuple[str, ...]
    expires_at: datetime | None = None
    unrestricted: bool = False


class Role(Thing, frozen=True, kw_only=True):
    """What a user may be in a project, in a domain or in the whole system."""

    name: str
    description: str | None = None


class Region(Thing, frozen=True, kw_only=True):
    """A part of the cloud."""

    description: str | None = ""
    parent_region_id: str | None = None


class CatalogService(Thing, frozen=True, kw_only=True):
    """A service that the catalog tells clients of."""

    type: str
    name: str | None = None
    description: str | None = None
    enabled: bool = True


class CatalogEndpoint(Thing, frozen=True, kw_only=True):
    """Where a service answers; the url may hold ``$(public_endpoint)s`` and ``$(project_id)s``."""

    service_id: str
    interface: str
    url: str
    region_id: str | None = None
    enabled: bool = True


Kept = TypeVar("Kept", bound=Thing)

TABLES: dict[type[Thing], Table] = {
    Domain: tables.domains,
    Project: tables.projects,
    User: tables.users,
    Group: tables.groups,
    ApplicationCredential: tables.application_credentials,
    Role: tables.roles,
    Region: tables.regions,
    CatalogService: tables.catalog_services,
    CatalogEndpoint: tables.catalog_endpoints,
}
ROWS: dict[type[Thing], Rows[Any]] = {kind: Rows(kind, table, key="id") for kind, table in TABLES.items()}
_CANNOT = "Conflict occurred attempting to"
NOUNS: dict[type[Thing], str] = {
    ApplicationCredential: "application credential",
    CatalogService: "service",
    CatalogEndpoint: "endpoint",
}

# ---- any kind


def create(tx: Connection, thing: Kept) -> Kept:
    """Keep something new.

    :raises errors.Conflict: when its id or its name is taken, or what it refers to is not there
    """
    kind = type(thing)
    if not insert_new(tx, insert(TABLES[kind]), ROWS[kind].values(thing)):
        raise errors.Conflict(f"{_CANNOT} store {noun(kind)}: its name is taken, or it refers to nothing.")
    return thing


def get(tx: Connection, kind: type[Kept], id: str) -> Kept:
    """Read one.

    :raises errors.NotFound: when there is none of this id
    """
    thing = find(tx, kind, {"id": id})
    if thing is None:
        raise errors.NotFound(f"Could not find {noun(kind)}: {id}.")
    return thing


def find(tx: Connection, kind: type[Kept], equal: Mapping[str, str], domain: Mapping[str, str] = {}) -> Kept | None:
    """Find the one that has these values in its columns; None when there is none.

    :param equal: column → the value it must have
    :param domain: the same of the domain that it is in
    """
    table = TABLES[kind]
    query = ROWS[kind].select.where(*(table.c[name] == value for name, value in equal.items()))
    if domain:
        domains = tables.domains.c
        query = query.join(tables.domains).where(*(domains[name] == value for name, value in domain.items()))
    found: Kept | None = ROWS[kind].first(tx.execute(query))
    return found


def search(
    tx: Connection,
    kind: type[Kept],
    equal: Mapping[str, Any] = {},
    *,
    ids: Collection[str] | None = None,
    limit: int | None = None,
    marker: str | None = None,
) -> list[Kept]:
    """List them, by name where they have one.

    :param equal: column → the value it must have
    :param ids: only these
    :param marker: the id of the last one of the page before
    :raises errors.InvalidInput: when the marker is not there
    """
    table = TABLES[kind]
    query = ROWS[kind].select.where(*(table.c[name] == value for name, value in equal.items()))
    if ids is not None:
        query = query.where(table.c.id.in_(ids))
    order = "name" if "name" in table.c else "id"
    query = page(tx, query, table.c.id, sort=[(order, "asc")], marker=marker, limit=limit)
    return ROWS[kind].all(tx.execute(query))


def update(tx: Connection, kind: type[Kept], id: str, **columns: Any) -> Kept:
    """Change some columns of one.

    :raises errors.NotFound: when there is none of this id
    :raises errors.Conflict: when its new name is taken, or what it refers to is not there
    """
    table = TABLES[kind]
    if columns:
        try:
            tx.execute(update_of(table).where(table.c.id == id).values(columns))
        except IntegrityError as reason:
            message = f"{_CANNOT} store {noun(kind)}: its name is taken, or it refers to nothing."
            raise errors.Conflict(message) from reason
    return get(tx, kind, id)


def delete(tx: Connection, kind: type[Kept], id: str) -> None:
    """Forget one, and with it every role that users had in it.

    :raises errors.NotFound: when there is none of this id
    :raises errors.Conflict: when something still refers to it
    """
    if kind in (Domain, Project):
        _unassign(tx, kind, id)
    table = TABLES[kind]
    try:
        found = tx.execute(delete_from(table).where(table.c.id == id)).rowcount
    except IntegrityError as reason:
        raise errors.Conflict(f"{_CANNOT} delete {noun(kind)}: something refers to it.") from reason
    if not found:
        raise errors.NotFound(f"Could not find {noun(kind)}: {id}.")


def noun(kind: type[Thing]) -> str:
    """Say what a thing of this kind is called."""
    return NOUNS.get(kind, kind.__name__.lower())


def _unassign(tx: Connection, kind: type[Thing], id: str) -> None:
    """Take away the roles in a project, or in a domain and in all of its projects."""
    inside = select(tables.projects.c.id).where(tables.projects.c.domain_id == id)
    for table in (tables.role_assignments, tables.group_role_assignments):
        own = and_(table.c.scope == noun(kind), table.c.scope_id == id)
        tx.execute(delete_from(table).where(or_(own, and_(table.c.scope == "project", table.c.scope_id.in_(inside)))))


# ---- users and groups


def groups_of(tx: Connection, user_id: str) -> list[str]:
    """Give the ids of the groups that a user is a member of."""
    members = tables.group_members
    return list(tx.execute(select(members.c.group_id).where(members.c.user_id == user_id)).scalars())


def members_of(tx: Connection, group_ids: Collection[str]) -> dict[str, list[User]]:
    """Give the members of each of some groups, by name."""
    members, rows = tables.group_members, ROWS[User]
    query = select(members.c.group_id, *rows.columns).join_from(members, tables.users)
    found: dict[str, list[User]] = {id: [] for id in group_ids}
    for group_id, *columns in tx.execute(query.where(members.c.group_id.in_(group_ids)).order_by(tables.users.c.name)):
        found[group_id] += rows.all([columns])
    return found


def join(tx: Connection, user_id: str, group_id: str) -> None:
    """Make a user a member of a group; doing it twice is doing it once.

    :raises errors.NotFound: when there is no such user or group
    """
    get(tx, User, user_id)
    get(tx, Group, group_id)
    insert_new(tx, insert(tables.group_members), {"user_id": user_id, "group_id": group_id})


def leave(tx: Connection, user_id: str, group_id: str) -> bool:
    """Take a user out of a group, and say whether they were in it."""
    members = tables.group_members
    which = and_(members.c.user_id == user_id, members.c.group_id == group_id)
    return tx.execute(delete_from(members).where(which)).rowcount == 1


def end_tokens(tx: Connection, user_id: str) -> None:
    """Make every token that a user has invalid."""
    users = tables.users
    tx.execute(update_of(users).where(users.c.id == user_id).values(token_generation=users.c.token_generation + 1))
