"""The addresses of the flat network: lent to an instance when it is built, and given back when it is gone.

A lent address is a row in ``fixed_ips``, keyed by its place in the network's range; ``instances.addresses`` is written
along with it.  The conductor calls this; it does not know what state an instance is in.

An instance can leave a host that is down, deleted or built elsewhere, and its guest may run there still, with the
address.  The row then stays: lent to none, it waits for that host to say that it has no such guest (docs/adr/0017), and
then for the next one, where a migration has left guests on several.

The key keeps two instances from getting one address.  That alone would be slow: transactions that all look for the
highest address lent find the same one, and each but the first waits for the first to end, only to fail and look again.
So a process remembers the place that it tried last and goes on from there, and one that meets another process jumps
ahead by a random number.
"""

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, false, func, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.models.compute import fixed_ips as table
from mininova.db.models.compute import instances, migrations
from mininova.db.rows import NewRow, insert_new
from mininova.objects import FixedIP

Network = IPv4Network | IPv6Network

FIRST = 2  # places 0 and 1 are the network's own and its gateway's; the last one is the broadcast
MAX_JUMP_PLACES = 32
MOST_DEPARTED = 1000  # instances that a host is told of at a time; it hears of the others when it has cleared these

# The last place that this process tried in each network of a database.
_tried: WeakKeyDictionary[Engine, dict[str, int]] = WeakKeyDictionary()
_trying = threading.Lock()

_taken = table.alias("taken")
_in_network = table.c.network == bindparam("label")
_of_instance = table.c.instance_uuid == bindparam("which")

_insert = NewRow(table)
# The first host on which a migration may have left a guest with the address.
_left_on = (
    select(func.min(migrations.c.left_on))
    .where(migrations.c.instance_uuid == func.coalesce(table.c.instance_uuid, table.c.guest_uuid))
    .correlate(table)
    .scalar_subquery()
)
_delete = delete_from(table).where(_of_instance, _left_on.is_(None))
_wait = update_of(table).where(_of_instance).values(instance_uuid=None, guest_uuid=bindparam("guest"))
_wait_for, _wait_for_left = _wait.values(waits_for=bindparam("on_host")), _wait.values(waits_for=_left_on)
_waits = table.c.waits_for == bindparam("on_host")
_departed = select(table.c.guest_uuid).where(_waits).distinct().order_by(table.c.guest_uuid).limit(MOST_DEPARTED)
_cleared = table.c.guest_uuid.in_(bindparam("guests", expanding=True))
_wait_for_next = update_of(table).where(_waits, _left_on.is_not(None)).values(waits_for=_left_on)
_wait_no_more = delete_from(table).where(_waits)
_copy = update_of(instances).where(instances.c.uuid == bindparam("which"))
_who_has = (
    select(
        instances.c.uuid, instances.c.project_id, instances.c.host, instances.c.availability_zone,
        instances.c.created_at, instances.c.security_groups, instances.c.addresses,
    )
    .where(instances.c.deleted == false())
    .order_by(instances.c.id)
)  # fmt: skip
_lent = select(table.c.position).where(_in_network, _of_instance)
_lowest = select(table.c.position).where(_in_network).order_by(table.c.position).limit(1)
_highest = select(table.c.position).where(_in_network).order_by(table.c.position.desc()).limit(1)
_first_gap = (
    select(table.c.position + 1)
    .outerjoin(_taken, (_taken.c.network == table.c.network) & (_taken.c.position == table.c.position + 1))
    .where(_in_network, _taken.c.position.is_(None))
    .order_by(table.c.position)
    .limit(1)
)


class Lent(NamedTuple):
    """An address that is lent, and what the port behind it is told of the instance."""

    instance_uuid: str
    project_id: str
    host: str | None
    availability_zone: str | None
    created_at: datetime
    security_groups: tuple[str, ...] | None  # their ids; None is the project's default one
    address: FixedIP


def lent(tx: Connection, project_id: str | None, instance_uuids: Sequence[str] = ()) -> list[Lent]:
    """List what is lent, in the order in which the instances were made.

    :param project_id: to whose instances; None means all projects'
    :param instance_uuids: only to these, if any are named
    """
    query = _who_has if project_id is None else _who_has.where(instances.c.project_id == project_id)
    if instance_uuids:
        query = query.where(instances.c.uuid.in_(instance_uuids))
    return [Lent(*row[:-1], address) for row in tx.execute(query) for address in row[-1]]


def allocate(tx: Connection, label: str, cidr: str, instance_uuid: str) -> FixedIP:
    """Lend an instance an address of a network: the one that it has already, if it has one.

    :param label: the network's name
    :param cidr: the network's range, such as ``10.0.0.0/16``
    :raises errors.NoMoreAddresses: when all of them are lent
    """
    network, jump = _network(cidr), 0
    while True:
        position = _next_position(tx, label, network, jump)
        ip = _fixed_ip(label, network, position)
        row = {"network": label, "position": position, "address": ip.address, "mac_address": ip.mac_address}
        if insert_new(tx, _insert, {**row, "instance_uuid": instance_uuid, "created_at": datetime.now(UTC)}):
            tx.execute(_copy, {"which": instance_uuid, "addresses": (ip,)})
            return ip
        lent = tx.execute(_lent, {"label": label, "which": instance_uuid}).scalar()
        if lent is not None:
            _give_back(tx.engine, label, position)
            return _fixed_ip(label, network, lent)
        jump = random.randint(1, MAX_JUMP_PLACES)  # another process lent this address


def free(tx: Connection, uuid: str, *, guest_on: str | None = None) -> bool:
    """Take back what was lent to an instance, and say so in its row; tell whether there was anything.

    Doing it twice is doing it once.

    :param guest_on: the host that may still have its guest: until it says that it has not, the address is not lent
    """
    if not take_back(tx, uuid, guest_on=guest_on):
        return False
    tx.execute(_copy, {"which": uuid, "addresses": (), "updated_at": datetime.now(UTC)})
    return True


def take_back(tx: Connection, uuid: str, *, guest_on: str | None = None) -> bool:
    """Do as ``free`` for an instance whose row has no address any more."""
    if guest_on is not None:
        return tx.execute(_wait_for, {"which": uuid, "guest": uuid, "on_host": guest_on}).rowcount > 0
    deleted = tx.execute(_delete, {"which": uuid}).rowcount > 0
    return deleted or tx.execute(_wait_for_left, {"which": uuid, "guest": uuid}).rowcount > 0


def departed(tx: Connection, host: str) -> Sequence[str]:
    """Name instances that left a host while it was down, and whose addresses wait for it."""
    return list(tx.execute(_departed, {"on_host": host}).scalars())


def cleared(tx: Connection, host: str, uuids: Sequence[str]) -> None:
    """Lend the addresses again that waited for a host, which has no guest of these instances any more.

    Say so to server_migrations first, which knows for which host an address waits then.
    """
    for statement in _wait_for_next, _wait_no_more:
        tx.execute(statement.where(_cleared), {"on_host": host, "guests": list(uuids)})


def forget(tx: Connection, host: str) -> None:
    """Lend all addresses again that waited for a host: an operator says that it is gone for good."""
    for statement in _wait_for_next, _wait_no_more:
        tx.execute(statement, {"on_host": host})


def _next_position(tx: Connection, label: str, network: Network, jump: int) -> int:
    """Give the place after the last one tried or, when the range's end is reached, the lowest that is free.

    :param jump: how far to go beyond the places of other processes, where one of them was met; 0 if none was
    """
    after = 0
    if jump or label not in _tried.get(tx.engine, {}):
        after = (tx.execute(_highest, {"label": label}).scalar() or 0) + jump
    position, end = _try_after(tx.engine, label, after), network.num_addresses - 1
    if position >= end:
        lowest = tx.execute(_lowest, {"label": label}).scalar()
        position = FIRST if lowest != FIRST else tx.execute(_first_gap, {"label": label}).scalar_one()
    if position >= end:
        raise errors.NoMoreAddresses(network=label)
    return position


def _try_after(engine: Engine, label: str, place: int) -> int:
    """Take the next place that this process has not tried, after some place."""
    with _trying:
        tried = _tried.setdefault(engine, {})
        tried[label] = max(tried.get(label, FIRST - 1), place) + 1
        return tried[label]


def _give_back(engine: Engine, label: str, place: int) -> None:
    """Have a place tried again, if it was the last one: it was not needed."""
    with _trying:
        if _tried[engine][label] == place:
            _tried[engine][label] = place - 1


def _fixed_ip(label: str, network: Network, position: int) -> FixedIP:
    mac = f"fa163e{position & 0xFFFFFF:06x}"
    return FixedIP(
        address=str(network[position]),
        network=label,
        mac_address=":".join(mac[n : n + 2] for n in range(0, 12, 2)),
        version_number=network.version,
    )


@lru_cache
def _network(cidr: str) -> Network:
    return ip_network(cidr)
