"""Security groups and their rules.

A project has a group ``default`` from its first look at its groups on.  A new group lets everything out; the default
one also lets its own members in.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Select, bindparam, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.rows import Rows, insert_new
from mininova.db.session import Database
from mininova.standins.neutron.db.models import security_group_rules as rules_table
from mininova.standins.neutron.db.models import security_groups as table

DEFAULT = "default"
INGRESS, EGRESS = "ingress", "egress"
ETHERTYPES = {4: "IPv4", 6: "IPv6"}


class SecurityGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Some rules by which packets reach the ports of a project's servers.

    :param default_of: the project whose default group it is
    """

    id: str
    project_id: str
    name: str
    description: str = ""
    stateful: bool = True
    default_of: str | None = None
    tags: tuple[str, ...] = ()
    revision: int = 1
    created_at: datetime
    updated_at: datetime


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What may pass.

    :param protocol: by its name or its number; None means any, as with all that follows
    """

    id: str
    security_group_id: str
    direction: str
    ethertype: str
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None
    description: str = ""
    created_at: datetime


ROWS, RULES = Rows(SecurityGroup, table, key="id"), Rows(Rule, rules_table, key="id")
#: By what two rules of a group differ.
SAID = (
    "direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id",
)  # fmt: skip

_rules_of = RULES.select.where(rules_table.c.security_group_id.in_(bindparam("groups", expanding=True)))


def search(tx: Connection, project_id: str | None) -> list[SecurityGroup]:
    """List groups, the oldest first.

    :param project_id: whose; None means all projects'
    """
    query = ROWS.select if project_id is None else ROWS.select.where(table.c.project_id == project_id)
    return ROWS.all(tx.execute(query.order_by(table.c.created_at, table.c.id)))


def rules(tx: Connection, groups: Sequence[SecurityGroup]) -> dict[str, list[Rule]]:
    """Read the rules of each of some groups."""
    found: dict[str, list[Rule]] = {group.id: [] for group in groups}
    query = _rules_of.order_by(rules_table.c.created_at, rules_table.c.id)
    for rule in RULES.all(tx.execute(query, {"groups": list(found)})):
        found[rule.security_group_id].append(rule)
    return found


def names(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """Tell what some groups are called; those that are gone are left out."""
    return _pairs(tx, select(table.c.id, table.c.name).where(table.c.id.in_(list(ids))))


def get(tx: Connection, id: str, project_id: str | None) -> SecurityGroup:
    """Read one group.

    :param project_id: who asks; None may see all
    :raises errors.NotFound: when there is none, or it is another project's
    """
    group = ROWS.first(tx.execute(ROWS.one, {"which": id}))
    if group is None or project_id not in (None, group.project_id):
        raise errors.NotFound(f"Security group {id} does not exist")
    return group


def get_rule(tx: Connection, id: str, project_id: str | None) -> tuple[Rule, SecurityGroup]:
    """Read one rule, and its group.

    :raises errors.NotFound: when there is none, or it is another project's
    """
    rule = RULES.first(tx.execute(RULES.one, {"which": id}))
    try:
        return rule, get(tx, rule.security_group_id, project_id)  # type: ignore[return-value, union-attr]
    except (AttributeError, errors.NotFound):
        raise errors.NotFound(f"Security group rule {id} does not exist") from None


def create(tx: Connection, project_id: str, name: str, **said: Any) -> SecurityGroup | None:
    """Make a group with its first rules; None when another process has made the same default group meanwhile."""
    now = datetime.now(UTC)
    group = SecurityGroup(id=str(uuid4()), project_id=project_id, name=name, created_at=now, updated_at=now, **said)
    if not insert_new(tx, insert(table), ROWS.values(group)):
        return None
    for ethertype in ETHERTYPES.values():
        add_rule(tx, group, direction=EGRESS, ethertype=ethertype)
        if group.default_of is not None:
            add_rule(tx, group, direction=INGRESS, ethertype=ethertype, remote_group_id=group.id)
    return group


def update(tx: Connection, group: SecurityGroup, **columns: Any) -> SecurityGroup:
    """Change what is said of a group."""
    changed = {**columns, "revision": group.revision + 1, "updated_at": datetime.now(UTC)}
    tx.execute(update_of(table).where(table.c.id == group.id), changed)
    return msgspec.structs.replace(group, **changed)


def delete(tx: Connection, group: SecurityGroup) -> None:
    """Delete a group with its rules, and the rules of others that let it in."""
    tx.execute(delete_from(table).where(table.c.id == group.id))


def add_rule(tx: Connection, group: SecurityGroup, **said: Any) -> Rule:
    """Add a rule to a group.

    :raises errors.Conflict: when the group says just that already
    """
    rule = Rule(id=str(uuid4()), security_group_id=group.id, created_at=datetime.now(UTC), **said)
    for other in rules(tx, [group])[group.id]:
        if all(getattr(other, name) == getattr(rule, name) for name in SAID):
            raise errors.Conflict(f"Security group rule already exists. Rule id is {other.id}.")
    tx.execute(insert(rules_table), RULES.values(rule))
    return rule


def delete_rule(tx: Connection, rule: Rule) -> None:
    """Delete a rule."""
    tx.execute(delete_from(rules_table).where(rules_table.c.id == rule.id))


def _pairs(tx: Connection, query: Select[Any]) -> dict[str, str]:
    return {row[0]: row[1] for row in tx.execute(query)}


def defaults(db: Database, projects: Collection[str]) -> dict[str, str]:
    """Give the id of the default group of each of some projects, which are made where they are missing."""
    query = select(table.c.default_of, table.c.id).where(table.c.default_of.in_(list(projects)))
    with db.read() as tx:
        found = _pairs(tx, query)
    if missing := sorted(set(projects) - found.keys()):
        with db.write() as tx:
            for project_id in missing:
                create(tx, project_id, DEFAULT, description="Default security group", default_of=project_id)
            found = _pairs(tx, query)
    return found
