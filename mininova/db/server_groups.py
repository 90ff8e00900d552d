"""Server groups: which servers of a project are to stand on one host, and which on different ones.

A server is a member by its row in request_specs, which is written with the server and goes when the server does.  A
member stands where it has room claimed (db/claims.py), even before it is built.  The api makes, lists and deletes
groups, the scheduler reads them, and a claim asks ``admits``, so that no two requests break a policy together.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, bindparam, false, func, insert, select, true, update
from sqlalchemy import delete as delete_from

from mininova import errors
from mininova.db.models import allocations, instances, migrations, request_specs
from mininova.db.models import server_groups as table
from mininova.db.rows import Rows

AFFINITY, ANTI_AFFINITY = "affinity", "anti-affinity"
SOFT_AFFINITY, SOFT_ANTI_AFFINITY = "soft-affinity", "soft-anti-affinity"


class ServerGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of servers, and the policy by which they stand together or apart.

    :param policy: one of the four above; the soft ones say only which host is better
    :param rules: ``max_server_per_host`` for ``anti-affinity``; without it, it is 1
    """

    uuid: str
    name: str
    project_id: str
    user_id: str
    policy: str
    rules: dict[str, int] = {}

    def allows(self, host: str, members: Mapping[str, int]) -> bool:
        """Tell whether one more member may stand on a host.

        :param members: how many stand on each host where there are any
        """
        if self.policy == AFFINITY:
            return not members or host in members
        if self.policy == ANTI_AFFINITY:
            return members.get(host, 0) < self.rules.get("max_server_per_host", 1)
        return True


ROWS = Rows(ServerGroup, table)

_membership = request_specs.c.server_group_uuid
_locked = ROWS.one.with_for_update()
_members = (
    select(_membership, request_specs.c.instance_uuid)
    .where(_membership.in_(bindparam("uuids", expanding=True)))
    .order_by(request_specs.c.instance_uuid)
)
_standing = (
    select(allocations.c.instance_uuid, allocations.c.host)
    .join_from(request_specs, allocations, allocations.c.instance_uuid == request_specs.c.instance_uuid)
    .where(_membership == bindparam("which"))
)
_leaving = (
    select(migrations.c.instance_uuid, migrations.c.source_compute.label("host"))
    .join_from(request_specs, migrations, migrations.c.instance_uuid == request_specs.c.instance_uuid)
    .where(_membership == bindparam("which"), migrations.c.is_open == true())
)
_of_instance = (
    select(table.c.uuid)
    .join_from(request_specs, table, table.c.uuid == _membership)
    .where(request_specs.c.instance_uuid == bindparam("instance_uuid"))
)
_delete = delete_from(table).where(ROWS.which)
_leave = update(request_specs).where(_membership == bindparam("which")).values(server_group_uuid=None)


def create(tx: Connection, group: ServerGroup) -> None:
    """Insert a new group."""
    tx.execute(insert(table), {**ROWS.values(group), "created_at": datetime.now(UTC)})


def get(tx: Connection, uuid: str, *, project_id: str | None = None) -> ServerGroup:
    """Read one group.

    :param project_id: whose it must be; None means any project's
    :raises errors.ServerGroupNotFound: when there is none, or none of this project
    """
    group = find(tx, uuid)
    if group is None or project_id not in (None, group.project_id):
        raise errors.ServerGroupNotFound(group_uuid=uuid)
    return group


def find(tx: Connection, uuid: str) -> ServerGroup | None:
    """Read one group; None when there is none, or it was deleted."""
    return ROWS.first(tx.execute(ROWS.one, {"which": uuid}))


def search(tx: Connection, *, project_id: str | None, limit: int, offset: int = 0) -> list[ServerGroup]:
    """List groups in the order in which they were made.

    :param project_id: whose; None means all projects'
    """
    query = ROWS.select if project_id is None else ROWS.select.where(table.c.project_id == project_id)
    return ROWS.all(tx.execute(query.order_by(table.c.id).limit(limit).offset(offset)))


def delete(tx: Connection, uuid: str) -> None:
    """Delete a group; its members are in none any more.

    :raises errors.ServerGroupNotFound: when there is none
    """
    if tx.execute(_delete, {"which": uuid}).rowcount == 0:
        raise errors.ServerGroupNotFound(group_uuid=uuid)
    tx.execute(_leave, {"which": uuid})


def count(tx: Connection, project_id: str) -> dict[str, int]:
    """Count the groups of each user of a project."""
    each = select(table.c.user_id, func.count().label("made")).group_by(table.c.user_id)
    return {row.user_id: row.made for row in tx.execute(each.where(table.c.project_id == project_id))}


def count_members(tx: Connection, uuid: str, user_id: str) -> int:
    """Count the members of a group that are a user's."""
    query = (
        select(func.count())
        .select_from(request_specs.join(instances, instances.c.uuid == request_specs.c.instance_uuid))
        .where(_membership == uuid, instances.c.user_id == user_id, instances.c.deleted == false())
    )
    return tx.execute(query).scalar_one()


def members(tx: Connection, uuids: Sequence[str]) -> dict[str, list[str]]:
    """Name the members of each of some groups."""
    found: dict[str, list[str]] = {uuid: [] for uuid in uuids}
    for row in tx.execute(_members, {"uuids": list(uuids)}):
        found[row.server_group_uuid].append(row.instance_uuid)
    return found


def of_instance(tx: Connection, instance_uuid: str) -> str | None:
    """Name the group that an instance is a member of."""
    return tx.execute(_of_instance, {"instance_uuid": instance_uuid}).scalar()


def hosts_of_members(tx: Connection, uuid: str) -> dict[str, str]:
    """Tell on which host each member stands; one without room stands nowhere yet."""
    return {row.instance_uuid: row.host for row in tx.execute(_standing, {"which": uuid})}


def count_by_host(tx: Connection, group: ServerGroup, without: Collection[str] = ()) -> Counter[str]:
    """Count the members on each host where there are any.

    Where they are to be apart, one that has moved counts on the host that it came from, too, until that is confirmed:
    it may come back (nova: compute/manager.py, ``_validate_instance_group_policy``).

    :param without: members that do not count
    """
    standing = [*hosts_of_members(tx, group.uuid).items()]
    if group.policy == ANTI_AFFINITY:
        standing += [(row.instance_uuid, row.host) for row in tx.execute(_leaving, {"which": group.uuid})]
    return Counter(host for member, host in standing if member not in without)


def admits(tx: Connection, uuid: str, hosts: Mapping[str, str], *, moving: bool = False) -> bool:
    """Tell whether some members may all get room where they are to; no other claim of the group ends before this one.

    :param hosts: the members' uuids → the host of each
    :param moving: whether a member that has room elsewhere gives that up; else it keeps that, and is not asked about
    """
    group = ROWS.first(tx.execute(_locked, {"which": uuid}))
    if group is None:
        return True
    standing = hosts_of_members(tx, uuid)
    asked = {member: host for member, host in hosts.items() if moving or member not in standing}
    count = count_by_host(tx, group, without=asked)
    for host in asked.values():
        if not group.allows(host, count):
            return False
        count[host] += 1
    return True
