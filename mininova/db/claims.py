"""Claims: the room on a compute node that is promised to an instance.

A claim is a row in ``allocations`` and its share of the node's ``…_used`` columns, written in one transaction.  The
UPDATE that takes the room also checks that it is there, so two schedulers cannot give the same room away; and the
key of ``allocations`` keeps two schedulers from giving one instance room twice.  A member of a server group gets room
only where the group's policy allows it, and the claims of one group wait for each other.  The scheduler claims, the
conductor claims alternates and frees; compute nodes know nothing of it.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, Integer, bindparam, delete, insert, select, update

from mininova import errors
from mininova.db import generations, server_groups
from mininova.db.instances import WAITS_FOR_ROOM, waiting_for_room
from mininova.db.models import allocations, compute_nodes, instances
from mininova.db.rows import NewRow, Rows, insert_new
from mininova.objects import Flavor, RequestSpec


class Allocation(msgspec.Struct, frozen=True, kw_only=True):
    """What of a host is promised to an instance, which has one of these at most.

    :param memory_mb: MiB of memory
    :param disk_gb: GiB of disk
    """

    instance_uuid: str
    host: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    created_at: datetime


class NoRoom(Exception):
    """There is no room for some of the instances that were to get theirs together: let it end the transaction.

    :ivar hosts: which have too little
    """

    def __init__(self, hosts: Collection[str]) -> None:
        super().__init__(f"the room on {', '.join(hosts)} is gone")
        self.hosts = hosts


class GroupMoved(Exception):
    """The policy of a server group does not allow what was chosen: members have got room elsewhere meanwhile.

    Let it end the transaction.
    """

    def __init__(self) -> None:
        super().__init__("their server group has got members elsewhere")


ROWS = Rows(Allocation, allocations, key="instance_uuid")

_vcpus, _memory_mb, _disk_gb, _count = (
    bindparam(name, type_=Integer) for name in ("each_vcpus", "each_memory_mb", "each_disk_gb", "count")
)
_nodes = compute_nodes.c
_ROOM = (
    # each      of what there is    on top of what is promised   up to so many times what there is
    (_vcpus, _nodes.vcpus, _nodes.vcpus_used, _nodes.cpu_allocation_ratio),
    (_memory_mb, _nodes.memory_mb, _nodes.memory_mb_used, _nodes.ram_allocation_ratio),
    (_disk_gb, _nodes.local_gb, _nodes.local_gb_used, _nodes.disk_allocation_ratio),
)

_add = (
    update(compute_nodes)
    .where(_nodes.host == bindparam("on"))
    .values({used: used + each * _count for each, _, used, _ in _ROOM})
    .values(instances_used=_nodes.instances_used + _count, generation=generations.NEXT)
)
_add_if_it_fits = _add.where(
    *(each <= total for each, total, _, _ in _ROOM),  # at any ratio, nothing is bigger than the host itself
    *(used + each * _count <= total * ratio for each, total, used, ratio in _ROOM),
)
_insert = NewRow(allocations)
# The lock has an end of the build, and another copy of the request, wait for this one.  SQLite, which knows no such
# lock, lets one write at a time anyway.
_waiting = select(*(bindparam(f"its_{column.name}", type_=column.type) for column in ROWS.columns)).where(
    instances.c.uuid == bindparam("its_instance_uuid"), WAITS_FOR_ROOM
)
_insert_if_it_waits = _insert.from_select(ROWS.columns, _waiting.with_for_update())
_hosts = select(allocations.c.instance_uuid, allocations.c.host).where(
    allocations.c.instance_uuid.in_(bindparam("uuids", expanding=True))
)
_hand_over = update(allocations).where(ROWS.which).values(instance_uuid=bindparam("heir"))
_delete = delete(allocations).where(ROWS.which)
_delete_there = _delete.where(allocations.c.host == bindparam("on"))


def claim(tx: Connection, instance_uuid: str, host: str, flavor: Flavor, group: str | None = None) -> bool:
    """Promise an instance its room on a host, if there is enough; tell whether it has it now.

    Claiming what it has already changes nothing.  Claiming on another host gives up what it had.

    :param group: the server group that it is a member of, whose policy must allow it there
    """
    if group is not None and not server_groups.admits(tx, group, {instance_uuid: host}, moving=True):
        return False
    wanted = _allocation(instance_uuid, host, flavor)
    if not insert_new(tx, _insert, ROWS.values(wanted)):
        held = of_instance(tx, instance_uuid)
        if held is not None and held.host == host:
            return True
        free(tx, instance_uuid)
        return claim(tx, instance_uuid, host, flavor)
    if tx.execute(_add_if_it_fits, _room(wanted, 1)).rowcount == 0:
        tx.execute(_delete_there, {"which": instance_uuid, "on": host})
        return False
    return True


def claim_all(tx: Connection, hosts: Mapping[str, str], spec: RequestSpec, request_id: str) -> dict[str, str]:
    """Promise each of some instances its room on a host, or none of them; tell where they have room now.

    An instance that has room already keeps it, on any host but those that were tried: the request was sent twice, and
    the other copy was faster.
    An instance that does not wait for a host any more, since a delete won or since its owner has asked for something
    else by now, is promised nothing.

    The group is locked first, then rows in the order of their keys, the hosts' last and each once, so that two
    schedulers cannot wait for each other.

    :param hosts: uuid → the host that was chosen
    :param spec: their flavor; their server group, whose policy must allow them there; and the hosts that could not take
        them, where only a late copy of the request before can have claimed room
    :param request_id: of the request for whose operation they wait
    :raises NoRoom: when there is too little on some of the hosts; nothing of all this may be committed
    :raises GroupMoved: when the policy does not allow it, as the members stand now
    """
    if spec.group is not None and not server_groups.admits(tx, spec.group, hosts):
        raise GroupMoved
    wanted = [_allocation(uuid, hosts[uuid], spec.flavor) for uuid in sorted(hosts)]
    held = {each.instance_uuid: _write_down(tx, each, request_id, spec.retry.hosts) for each in wanted}
    ours = [each for each in wanted if held[each.instance_uuid] is each]
    count = Counter(each.host for each in ours)
    one_on = {each.host: each for each in ours}
    rooms = {host: _room(one_on[host], count[host]) for host in sorted(count)}
    full = [host for host, room in rooms.items() if tx.execute(_add_if_it_fits, room).rowcount == 0]
    if full:
        raise NoRoom(full)
    return {uuid: each.host for uuid, each in held.items() if each is not None}


def put(tx: Connection, instance_uuid: str, host: str, flavor: Flavor) -> bool:
    """Have the room of an instance be promised on the host where it is, if there is enough or not; False if it was."""
    held = of_instance(tx, instance_uuid)
    if held is not None and held.host == host:
        return False
    free(tx, instance_uuid)
    needed = _allocation(instance_uuid, host, flavor)
    tx.execute(insert(allocations), ROWS.values(needed))
    tx.execute(_add, _room(needed, 1))
    return True


def free(tx: Connection, instance_uuid: str, host: str | None = None) -> bool:
    """Give the room of an instance back; tell whether it had any.  Doing it twice is doing it once.

    :param host: free it only if it is there; None means wherever it is
    """
    held = ROWS.delete(tx, _delete if host is None else _delete_there, {"which": instance_uuid, "on": host})
    if held is not None:
        tx.execute(_add, _room(held, -1))
    return held is not None


def hand_over(tx: Connection, holder: str, heir: str) -> None:
    """Give what is promised to an instance to its migration, or back."""
    tx.execute(_hand_over, {"which": holder, "heir": heir})


def of_instance(tx: Connection, uuid: str) -> Allocation | None:
    """Read what is promised to an instance."""
    return ROWS.first(tx.execute(ROWS.one, {"which": uuid}))


def hosts_of(tx: Connection, uuids: Sequence[str]) -> dict[str, str]:
    """Tell on which host each of some instances has its room; many have none."""
    return {row.instance_uuid: row.host for row in tx.execute(_hosts, {"uuids": list(uuids)})}


def require(tx: Connection, uuid: str, host: str) -> None:
    """Refuse to send an instance to a host where it has no room any more, or was promised none.

    :raises errors.InstanceNotFound: when it has none
    """
    if hosts_of(tx, [uuid]).get(uuid) != host:
        raise errors.InstanceNotFound(instance_uuid=uuid)


def _allocation(instance_uuid: str, host: str, flavor: Flavor) -> Allocation:
    return Allocation(
        instance_uuid=instance_uuid,
        host=host,
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=flavor.disk_gb,
        created_at=datetime.now(UTC),
    )


def _write_down(tx: Connection, wanted: Allocation, request_id: str, tried: Collection[str]) -> Allocation | None:
    """Insert what an instance is to be promised, if it waits for a host; give that, or what it was promised before."""
    values = {f"its_{name}": value for name, value in ROWS.values(wanted).items()} | {"request_id": request_id}
    while not insert_new(tx, _insert_if_it_waits, values):
        held = of_instance(tx, wanted.instance_uuid)
        keeps = held is not None and held.host not in tried
        if keeps or not waiting_for_room(tx, wanted.instance_uuid, request_id):
            return held
        free(tx, wanted.instance_uuid)
    return wanted


def _room(allocation: Allocation, count: int) -> dict[str, object]:
    """Give the parameters that add the room of so many equal allocations, or take it off."""
    return {
        "on": allocation.host,
        "each_vcpus": allocation.vcpus,
        "each_memory_mb": allocation.memory_mb,
        "each_disk_gb": allocation.disk_gb,
        "count": count,
        **generations.now(),
    }
