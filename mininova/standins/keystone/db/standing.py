"""What a user may do where: role assignments, and everything that decides whether a token is valid.

The identity service calls this for every request that carries a token, so ``standing`` is one query.  Which role
implies which is not known here, nor what a token looks like.
"""

from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
)

from mininova.db.rows import insert_new
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db import models as tables
from mininova.standins.keystone.db.identity import Domain, Project, Role, Thing, User

Part = TypeVar("Part", bound=Thing)


class Scope(NamedTuple):
    """What a token or a role is good for.

    :param kind: project, domain or system
    :param id: which one; of the system there is only ``all``
    """

    kind: str
    id: str


SYSTEM = Scope("system", "all")


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A role that a user has somewhere."""

    user: User
    role: Role
    scope: Scope


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A user's rights in a scope as they are at this moment: everything that decides whether a token is valid.

    :param domain: the scope's: the project's, or the domain itself
    :param roles: as they were assigned; what they imply is the identity service's business
    :param revoked: whether the token that was asked about was
    """

    user: User
    user_domain: Domain
    project: Project | None
    domain: Domain | None
    roles: tuple[Role, ...]
    revoked: bool


# ---- roles


def assign(tx: Connection, user_id: str, role_id: str, scope: Scope) -> None:
    """Give a user a role somewhere; giving it again changes nothing.

    :raises errors.NotFound: when there is no such user, role, project or domain
    """
    identity.get(tx, User, user_id)
    identity.get(tx, Role, role_id)
    require_scope(tx, scope)
    row = {"user_id": user_id, "role_id": role_id, "scope": scope.kind, "scope_id": scope.id}
    insert_new(tx, insert(tables.role_assignments), row)


def unassign(tx: Connection, user_id: str, role_id: str, scope: Scope) -> bool:
    """Take a role away; say whether the user had it."""
    return tx.execute(delete(tables.role_assignments).where(_row(user_id, role_id, scope))).rowcount == 1


def is_assigned(tx: Connection, user_id: str, role_id: str, scope: Scope) -> bool:
    """Tell whether a user was given a role somewhere."""
    query = select(tables.role_assignments.c.role_id).where(_row(user_id, role_id, scope))
    return tx.execute(query).first() is not None


def assignments(
    tx: Connection, *, user_id: str | None = None, role_id: str | None = None, scope: Scope | None = None
) -> list[Assignment]:
    """List who has which role where."""
    a, users, roles = tables.role_assignments, tables.users, tables.roles
    kind, scope_id = scope if scope is not None else (None, None)
    wanted = {a.c.user_id: user_id, a.c.role_id: role_id, a.c.scope: kind, a.c.scope_id: scope_id}
    query = (
        select(a.c.scope, a.c.scope_id, *_labelled(users), *_labelled(roles))
        .join(users)
        .join(roles)
        .where(*(column == value for column, value in wanted.items() if value is not None))
        .order_by(users.c.name, a.c.scope, a.c.scope_id, roles.c.name)
    )
    return [
        Assignment(user=_part(row, User), role=_part(row, Role), scope=Scope(row["scope"], row["scope_id"]))
        for row in tx.execute(query).mappings()
    ]


def scopes_of(tx: Connection, user_id: str, kind: str) -> list[str]:
    """Give the ids of the projects, or of the domains, that a user has a role in."""
    a = tables.role_assignments
    query = select(a.c.scope_id).where(a.c.user_id == user_id, a.c.scope == kind).distinct()
    return list(tx.execute(query).scalars())


def require_scope(tx: Connection, scope: Scope) -> None:
    """Make sure that a project or a domain is there.

    :raises errors.NotFound: when it is not
    """
    if scope != SYSTEM:
        kinds: dict[str, type[Thing]] = {"project": Project, "domain": Domain}
        identity.get(tx, kinds[scope.kind], scope.id)


def _row(user_id: str, role_id: str, scope: Scope) -> ColumnElement[bool]:
    a = tables.role_assignments
    return and_(a.c.user_id == user_id, a.c.role_id == role_id, a.c.scope == scope.kind, a.c.scope_id == scope.id)


# ---- tokens


def standing(tx: Connection, user_id: str, scope: Scope | None, audit_id: str = "") -> Standing | None:
    """Read, in one query, everything that decides whether a token is valid; None when the user is gone.

    :param audit_id: of the token whose revocation is to be looked for
    """
    kind, scope_id = scope if scope is not None else ("", "")
    values = {"user_id": user_id, "kind": kind, "scope_id": scope_id, "audit_id": audit_id}
    rows = tx.execute(_STANDING, values).mappings().all()
    if not rows:
        return None
    first = rows[0]
    return Standing(
        user=_part(first, User),
        user_domain=_part(first, Domain, "user_domain"),
        project=_part(first, Project) if first["projects_id"] is not None else None,
        domain=_part(first, Domain, "scope_domain") if first["scope_domain_id"] is not None else None,
        roles=tuple(_part(row, Role) for row in rows if row["roles_id"] is not None),
        revoked=bool(first["revoked"]),
    )


def revoke(tx: Connection, audit_id: str, expires_at: datetime, now: datetime) -> None:
    """Revoke the token of an audit id, and forget those that have expired; doing it twice is doing it once."""
    revoked = tables.revoked_tokens
    tx.execute(delete(revoked).where(revoked.c.expires_at < now))
    insert_new(tx, insert(revoked), {"audit_id": audit_id, "expires_at": expires_at})


def _standing_query() -> Select[Any]:
    users, projects, roles, a = tables.users, tables.projects, tables.roles, tables.role_assignments
    user_domain, scope_domain = tables.domains.alias("user_domain"), tables.domains.alias("scope_domain")
    kind, scope_id = bindparam("kind", type_=String), bindparam("scope_id", type_=String)
    audit_ids = tables.revoked_tokens.c.audit_id
    revoked = select(audit_ids).where(audit_ids == bindparam("audit_id")).exists()
    scope_domain_id = func.coalesce(projects.c.domain_id, case((kind == "domain", scope_id)))
    return (
        select(
            revoked.label("revoked"),
            *(column for part in (users, user_domain, projects, scope_domain, roles) for column in _labelled(part)),
        )
        .join_from(users, user_domain, user_domain.c.id == users.c.domain_id)
        .outerjoin(projects, and_(kind == "project", projects.c.id == scope_id))
        .outerjoin(scope_domain, scope_domain.c.id == scope_domain_id)
        .outerjoin(a, and_(a.c.user_id == users.c.id, a.c.scope == kind, a.c.scope_id == scope_id))
        .outerjoin(roles, roles.c.id == a.c.role_id)
        .where(users.c.id == bindparam("user_id"))
        .order_by(roles.c.name)
    )


# ---- several things in one row


def _labelled(part: Any) -> list[ColumnElement[Any]]:
    """Name each column of a table, or of an alias of one, so that it can be told from the others' in a row."""
    return [column.label(f"{part.name}_{column.name}") for column in part.c]


def _part(row: RowMapping, kind: type[Part], name: str | None = None) -> Part:
    """Take one thing out of a row of several; ``name`` is its alias, if it has one."""
    prefix = name or identity.TABLES[kind].name
    return kind(**{field: row[f"{prefix}_{field}"] for field in kind.__struct_fields__})


_STANDING = _standing_query()
