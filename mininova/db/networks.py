"""Ports, and the addresses lent with them: to an instance when it is built, and given back when it is gone.

A port is a row in ``ports``, which has its address; ``instances.addresses`` is written along with it.  A boot makes one
of the flat network, which the configuration describes; those that users make, or ask for by a network, are made by
ports.py.  The conductor calls this; it does not know what state an instance is in.  docs/adr/0026 tells why all
addresses come from here.

An instance can leave a host that is down, deleted or built elsewhere, and its guest may run there still, with the
address.  The row then stays: lent to none, it waits for that host to say that it has no such guest (docs/adr/0017), and
then for the next one, where a migration has left guests on several.  A port that a user made stays the user's.

A key keeps two ports from getting one address.  That alone would be slow: transactions that all look for the
highest address lent find the same one, and each but the first waits for the first to end, only to fail and look again.
So a process remembers the place that it tried last and goes on from there, and one that meets another process jumps
ahead by a random number.
"""

import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, false, func, select, true
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.models import instances, migrations
from mininova.db.models import ports as table
from mininova.db.rows import NewRow, insert_new
from mininova.objects import FixedIP
from mininova.objects.network import network_id, port_id, subnet_id

Network = IPv4Network | IPv6Network

FIRST = 2  # places 0 and 1 are the network's own and its gateway's; the last one is the broadcast
LAST = 2**48  # beyond which no place of an IPv6 network is lent
MOST_PLACES = 1000  # more than a port has addresses
MAX_JUMP_PLACES = 32
MOST_DEPARTED = 1000  # instances that a host is told of at a time; it hears of the others when it has cleared these

AUTO, NONE, CHOSEN = "auto", "none", "chosen"  # Instance.networks: the flat one, none, or what its ports say


class Range(NamedTuple):
    """What is lent of a subnet.

    :param pools: the first and the last place of each part of it
    :param first_mac: the number of the MAC address at place 0
    """

    network_id: str
    network: str
    subnet_id: str
    cidr: str
    pools: tuple[tuple[int, int], ...]
    first_mac: int = 0

    def place_of(self, address: str) -> int:
        """Give the place of an address, which must be in the subnet."""
        return int(ip_address(address)) - int(_network(self.cidr).network_address)


# The last place that this process tried in each pool of a database.
_tried: WeakKeyDictionary[Engine, dict[tuple[str, int], int]] = WeakKeyDictionary()
_trying = threading.Lock()

_taken = table.alias("taken")
_in_pool = (
    table.c.subnet_id == bindparam("subnet"),
    table.c.position.between(bindparam("first"), bindparam("last")),
)
_of_instance = table.c.instance_uuid == bindparam("which")
_of_boot = (_of_instance, table.c.is_users == false())

_insert = NewRow(table)
# The first host on which a migration may have left a guest with the address.
_left_on = (
    select(func.min(migrations.c.left_on))
    .where(migrations.c.instance_uuid == func.coalesce(table.c.instance_uuid, table.c.guest_uuid))
    .correlate(table)
    .scalar_subquery()
)
_delete = delete_from(table).where(*_of_boot, _left_on.is_(None))
_leave = update_of(table).where(_of_instance, table.c.is_users == true()).values(instance_uuid=None, tag=None)
# What waits leaves its key to the next port of its instance.
_waiting_place = -1 - (func.coalesce(table.c.position, 0) * MOST_PLACES + table.c.place)
_wait = (
    update_of(table).where(*_of_boot).values(place=_waiting_place, instance_uuid=None, guest_uuid=bindparam("guest"))
)
_wait_for, _wait_for_left = _wait.values(waits_for=bindparam("on_host")), _wait.values(waits_for=_left_on)
_waits = table.c.waits_for == bindparam("on_host")
_departed = select(table.c.guest_uuid).where(_waits).distinct().order_by(table.c.guest_uuid).limit(MOST_DEPARTED)
_cleared = table.c.guest_uuid.in_(bindparam("guests", expanding=True))
_wait_for_next = update_of(table).where(_waits, _left_on.is_not(None)).values(waits_for=_left_on)
_wait_no_more = delete_from(table).where(_waits)
_copy = update_of(instances).where(instances.c.uuid == bindparam("which"))
_one = select(table).where(table.c.id == bindparam("port"), table.c.place == bindparam("at"))
_of = select(table).where(_of_instance).order_by(table.c.plugged_at, table.c.created_at, table.c.id, table.c.place)
_has_mac = select(table.c.id).where(
    table.c.network_id == bindparam("network_id"), table.c.mac_address == bindparam("mac_address")
)
_lowest = select(func.min(table.c.position)).where(*_in_pool)
_highest = select(table.c.position).where(*_in_pool).order_by(table.c.position.desc()).limit(1)
_first_gap = (
    select(table.c.position + 1)
    .outerjoin(_taken, (_taken.c.subnet_id == table.c.subnet_id) & (_taken.c.position == table.c.position + 1))
    .where(*_in_pool, _taken.c.position.is_(None))
    .order_by(table.c.position)
    .limit(1)
)


def flat(label: str, cidr: str) -> Range:
    """Give what is lent of the flat network.

    :param label: its name
    :param cidr: its range, such as ``10.0.0.0/16``
    """
    end = min(_network(cidr).num_addresses - 2, LAST)
    return Range(network_id(label), label, subnet_id(label), cidr, ((FIRST, end),))


def allocate(tx: Connection, label: str, cidr: str, instance_uuid: str) -> FixedIP:
    """Lend an instance an address of the flat network: the one that it has already, if it has one.

    :raises errors.NoMoreAddresses: when all of them are lent
    """
    port = {"id": port_id(instance_uuid), "place": 0, "instance_uuid": instance_uuid, "created_at": datetime.now(UTC)}
    row, is_new = lend(tx, flat(label, cidr), port)
    ip = fixed_ip(row)
    if is_new:
        tx.execute(_copy, {"which": instance_uuid, "addresses": (ip,)})
    return ip


def lend(tx: Connection, range_: Range, port: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Write the row of a port with the next address; give the row, and tell whether it is new.

    :param port: what else is in the row
    :raises errors.NoMoreAddresses: when all of them are lent
    :raises errors.Conflict: when another port has the MAC address that it names
    """
    jump = 0
    while True:
        place, key = _next_position(tx, range_, jump)
        row = {**at(range_, place), **port}
        if insert_new(tx, _insert, row):
            return row, True
        there = tx.execute(_one, {"port": port["id"], "at": port["place"]}).mappings().first()
        if there is not None:
            _give_back(tx.engine, key, place)
            return dict(there), False
        require_free_mac(tx, range_.network_id, port.get("mac_address"))
        jump = random.randint(1, MAX_JUMP_PLACES)  # another process lent this address


def at(range_: Range, place: int) -> dict[str, Any]:
    """Give what the row of a port says of its place."""
    mac = f"fa163e{(place + range_.first_mac) & 0xFFFFFF:06x}"
    return {
        "network_id": range_.network_id,
        "network": range_.network,
        "subnet_id": range_.subnet_id,
        "position": place,
        "address": str(_network(range_.cidr)[place]),
        "mac_address": ":".join(mac[n : n + 2] for n in range(0, 12, 2)),
    }


def require_free_mac(tx: Connection, network_id: str, mac_address: str | None) -> None:
    """Refuse a MAC address that a port of the network has.

    :raises errors.Conflict: naming it
    """
    asked = {"network_id": network_id, "mac_address": mac_address}
    if mac_address is not None and tx.execute(_has_mac, asked).first() is not None:
        raise errors.Conflict(
            f"Unable to complete operation for network {network_id}. The mac address {mac_address} is in use."
        )


def show(tx: Connection, uuid: str) -> tuple[FixedIP, ...]:
    """Copy the addresses of an instance's ports to its row, and give them."""
    rows = tx.execute(_of, {"which": uuid}).mappings().all()
    macs = {row["id"]: row["mac_address"] for row in rows if row["mac_address"]}
    addresses = tuple(_addresses({**row, "mac_address": macs[row["id"]]} for row in rows))
    tx.execute(_copy, {"which": uuid, "addresses": addresses, "networks": CHOSEN, "updated_at": datetime.now(UTC)})
    return addresses


def _addresses(rows: Iterable[Mapping[str, Any]]) -> Iterable[FixedIP]:
    for row in rows:
        if row["address"] is not None:
            yield fixed_ip(row)
        if row["floating_address"] is not None:
            yield fixed_ip(row).replace(address=row["floating_address"], kind="floating")


def free(tx: Connection, uuid: str, *, guest_on: str | None = None) -> bool:
    """Take back what was lent to an instance, and say so in its row; tell whether there was anything.

    Doing it twice is doing it once.

    :param guest_on: the host that may still have its guest: until it says that it has not, the address is not lent
    """
    if not take_back(tx, uuid, guest_on=guest_on):
        return False
    tx.execute(_copy, {"which": uuid, "addresses": (), "updated_at": datetime.now(UTC)})
    return True


def take_back(tx: Connection, uuid: str, *, guest_on: str | None = None, users: bool = True) -> bool:
    """Do as ``free`` for an instance whose row has no address any more.

    :param users: whether it may have ports that users made, and keep
    """
    left = users and tx.execute(_leave, {"which": uuid}).rowcount > 0
    if guest_on is not None:
        return tx.execute(_wait_for, {"which": uuid, "guest": uuid, "on_host": guest_on}).rowcount > 0 or left
    deleted = tx.execute(_delete, {"which": uuid}).rowcount > 0
    return deleted or tx.execute(_wait_for_left, {"which": uuid, "guest": uuid}).rowcount > 0 or left


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


def fixed_ip(row: Mapping[str, Any]) -> FixedIP:
    """Give the address of a port's row."""
    return FixedIP(
        address=row["address"],
        network=row["network"],
        mac_address=row["mac_address"],
        version_number=6 if ":" in row["address"] else 4,
    )


def _next_position(tx: Connection, range_: Range, jump: int) -> tuple[int, tuple[str, int]]:
    """Give the place after the last one tried or, when a pool's end is reached, the lowest that is free in it; and by
    which key it is tried.

    :param jump: how far to go beyond the places of other processes, where one of them was met; 0 if none was
    """
    for first, last in range_.pools:
        key, pool = (range_.subnet_id, first), {"subnet": range_.subnet_id, "first": first, "last": last}
        after = first - 1
        if jump or key not in _tried.get(tx.engine, {}):
            after = (tx.execute(_highest, pool).scalar() or first - 1) + jump
        position = _try_after(tx.engine, key, after)
        if position > last:
            lowest = tx.execute(_lowest, pool).scalar()
            position = first if lowest != first else tx.execute(_first_gap, pool).scalar_one()
        if position <= last:
            return position, key
    raise errors.NoMoreAddresses(network=range_.network)


def _try_after(engine: Engine, key: tuple[str, int], place: int) -> int:
    """Take the next place that this process has not tried, after some place."""
    with _trying:
        tried = _tried.setdefault(engine, {})
        tried[key] = max(tried.get(key, key[1] - 1), place) + 1
        return tried[key]


def _give_back(engine: Engine, key: tuple[str, int], place: int) -> None:
    """Have a place tried again, if it was the last one: it was not needed."""
    with _trying:
        if _tried[engine][key] == place:
            _tried[engine][key] = place - 1


@lru_cache
def _network(cidr: str) -> Network:
    return ip_network(cidr)
