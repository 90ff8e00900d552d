"""What a user may do where: role assignments, and everything that decides whether a token is valid.

The identity service calls this for every request that carries a token, so ``standing`` is one query.  Which role
implies which is not known here, nor what a token looks like.
"""

from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    Table,
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
from mininova.standins.keystone.db.identity import Domain, Group, Project, Role, Thing, User

Part = TypeVar("Part", bound=Thing)


class Scope(NamedTuple):
    """What a token or a role is good for.

    :param kind: project, domain or system
    :param id: which one; of the system there is only ``all``
    """

    kind: str
    id: str


SYSTEM = Scope("system", "all")


Holder = User | Group

#: Where the roles are that users have, and groups; each table has its holder in its first column.
ASSIGNED: dict[type[Holder], Table] = {User: tables.role_assignments, Group: tables.group_role_assignments}


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A role that a user or a group has somewhere."""

    holder: Holder
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


def assign(tx: Connection, id: str, role_id: str, scope: Scope, *, to: type[Holder] = User) -> None:
    """Give a user or a group a role somewhere; giving it again changes nothing.

    :param to: what has this id
    :raises errors.NotFound: when there is no such user or group, role, project or domain
    """
    identity.get(tx, to, id)
    identity.get(tx, Role, role_id)
    require_scope(tx, scope)
    table = ASSIGNED[to]
    row = {_holder(table).name: id, "role_id": role_id, "scope": scope.kind, "scope_id": scope.id}
    insert_new(tx, insert(table), row)


def unassign(tx: Connection, id: str, role_id: str, scope: Scope, *, of: type[Holder] = User) -> bool:
    """Take a role away from a user or a group; say whether it was theirs."""
    return tx.execute(delete(ASSIGNED[of]).where(_row(ASSIGNED[of], id, role_id, scope))).rowcount == 1


def is_assigned(tx: Connection, id: str, role_id: str, scope: Scope, *, to: type[Holder] = User) -> bool:
    """Tell whether a user or a group was given a role somewhere."""
    query = select(ASSIGNED[to].c.role_id).where(_row(ASSIGNED[to], id, role_id, scope))
    return tx.execute(query).first() is not None


def assignments(
    tx: Connection,
    *,
    to: type[Holder] = User,
    id: str | None = None,
    role_id: str | None = None,
    scope: Scope | None = None,
) -> list[Assignment]:
    """List which users, or which groups, have which role where."""
    a, holders, roles = ASSIGNED[to], identity.TABLES[to], tables.roles
    kind, scope_id = scope if scope is not None else (None, None)
    wanted = {_holder(a): id, a.c.role_id: role_id, a.c.scope: kind, a.c.scope_id: scope_id}
    query = (
        select(a.c.scope, a.c.scope_id, *_labelled(holders), *_labelled(roles))
        .join(holders)
        .join(roles)
        .where(*(column == value for column, value in wanted.items() if value is not None))
        .order_by(holders.c.name, a.c.scope, a.c.scope_id, roles.c.name)
    )
    return [
        Assignment(holder=_part(row, to), role=_part(row, Role), scope=Scope(row["scope"], row["scope_id"]))
        for row in tx.execute(query).mappings()
    ]


def scopes_of(tx: Connection, user_id: str, kind: str) -> list[str]:
    """Give the ids of the projects, or of the domains, that a user has a role in, or a group of theirs has."""
    found = set[str]()
    for to, holders in ((User, [user_id]), (Group, identity.groups_of(tx, user_id))):
        a = ASSIGNED[to]
        found |= set(tx.execute(select(a.c.scope_id).where(_holder(a).in_(holders), a.c.scope == kind)).scalars())
    return sorted(found)


def require_scope(tx: Connection, scope: Scope) -> None:
    """Make sure that a project or a domain is there.

    :raises errors.NotFound: when it is not
    """
    if scope != SYSTEM:
        kinds: dict[str, type[Thing]] = {"project": Project, "domain": Domain}
        identity.get(tx, kinds[scope.kind], scope.id)


def _holder(table: Table) -> Column[Any]:
    return next(iter(table.c))


def _row(a: Table, id: str, role_id: str, scope: Scope) -> ColumnElement[bool]:
    return and_(_holder(a) == id, a.c.role_id == role_id, a.c.scope == scope.kind, a.c.scope_id == scope.id)


# ---- tokens


def standing(tx: Connection, user_id: str, scope: Scope | None, audit_id: str = "") -> Standing | None:
    """Read everything that decides whether a token is valid; None when the user is gone.

    It is one query, and one more for a member of groups.

    :param audit_id: of the token whose revocation is to be looked for
    """
    kind, scope_id = scope if scope is not None else ("", "")
    values = {"user_id": user_id, "kind": kind, "scope_id": scope_id, "audit_id": audit_id}
    rows = tx.execute(_STANDING, values).mappings().all()
    if not rows:
        return None
    first = rows[0]
    granted = {row["roles_id"]: _part(row, Role) for row in rows if row["roles_id"] is not None}
    if first["is_member"]:
        granted |= {row["roles_id"]: _part(row, Role) for row in tx.execute(_OF_GROUPS, values).mappings()}
    return Standing(
        user=_part(first, User),
        user_domain=_part(first, Domain, "user_domain"),
        project=_part(first, Project) if first["projects_id"] is not None else None,
        domain=_part(first, Domain, "scope_domain") if first["scope_domain_id"] is not None else None,
        roles=tuple(sorted(granted.values(), key=lambda role: role.name)),
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
    kind, scope_id, member = bindparam("kind", type_=String), bindparam("scope_id", type_=String), tables.group_members
    audit_ids = tables.revoked_tokens.c.audit_id
    revoked = select(audit_ids).where(audit_ids == bindparam("audit_id")).exists()
    scope_domain_id = func.coalesce(projects.c.domain_id, case((kind == "domain", scope_id)))
    return (
        select(
            revoked.label("revoked"),
            select(member.c.group_id).where(member.c.user_id == bindparam("user_id")).exists().label("is_member"),
            *(column for part in (users, user_domain, projects, scope_domain, roles) for column in _labelled(part)),
        )
        .join_from(users, user_domain, user_domain.c.id == users.c.domain_id)
        .outerjoin(projects, and_(kind == "project", projects.c.id == scope_id))
        .outerjoin(scope_domain, scope_domain.c.id == scope_domain_id)
        .outerjoin(a, and_(a.c.user_id == users.c.id, a.c.scope == kind, a.c.scope_id == scope_id))
        .outerjoin(roles, roles.c.id == a.c.role_id)
        .where(users.c.id == bindparam("user_id"))
    )


def _roles_of_groups() -> Select[Any]:
    """Write the query for the roles that a user has as a member of groups."""
    a, members, roles = tables.group_role_assignments, tables.group_members, tables.roles
    return (
        select(*_labelled(roles))
        .join(a, a.c.role_id == roles.c.id)
        .join(members, members.c.group_id == a.c.group_id)
        .where(members.c.user_id == bindparam("user_id"))
        .where(a.c.scope == bindparam("kind"), a.c.scope_id == bindparam("scope_id"))
    )


# ---- several things in one row


def _labelled(part: Any) -> list[ColumnElement[Any]]:
    """Name each column of a table, or of an alias of one, so that it can be told from the others' in a row."""
    return [column.label(f"{part.name}_{column.name}") for column in part.c]


def _part(row: RowMapping, kind: type[Part], name: str | None = None) -> Part:
    """Take one thing out of a row of several; ``name`` is its alias, if it has one."""
    prefix = name or identity.TABLES[kind].name
    return kind(**{field: row[f"{prefix}_{field}"] for field in kind.__struct_fields__})


_STANDING, _OF_GROUPS = _standing_query(), _roles_of_groups()
