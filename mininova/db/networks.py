"""The addresses of the flat network: lent to an instance when it is built, and given back when it is gone.

A lent address is a row in ``fixed_ips``, keyed by its place in the network's range; ``instances.addresses`` is written
along with it.  The conductor calls this; it does not know what state an instance is in.
"""

from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.models.compute import fixed_ips as table
from mininova.db.models.compute import instances
from mininova.db.rows import insert_new
from mininova.objects import FixedIP

Network = IPv4Network | IPv6Network

FIRST = 2  # places 0 and 1 are the network's own and its gateway's; the last one is the broadcast

_taken = table.alias("taken")
_in_network = table.c.network == bindparam("label")
_of_instance = table.c.instance_uuid == bindparam("which")

_insert = insert(table)
_delete = delete_from(table).where(_of_instance)
_copy = update_of(instances).where(instances.c.uuid == bindparam("which"))
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


def allocate(tx: Connection, label: str, cidr: str, instance_uuid: str) -> FixedIP:
    """Lend an instance an address of a network: the one that it has already, if it has one.

    :param label: the network's name
    :param cidr: the network's range, such as ``10.0.0.0/16``
    :raises errors.NoMoreAddresses: when all of them are lent
    """
    network = _network(cidr)
    where = {"label": label, "which": instance_uuid}
    while (lent := tx.execute(_lent, where).scalar()) is None:
        position = _free_position(tx, label, network)
        ip = _fixed_ip(label, network, position)
        row = {"network": label, "position": position, "address": ip.address, "mac_address": ip.mac_address}
        if insert_new(tx, _insert, {**row, "instance_uuid": instance_uuid, "created_at": datetime.now(UTC)}):
            tx.execute(_copy, {"which": instance_uuid, "addresses": (ip,)})
            return ip
        # Meanwhile another conductor lent this address, or lent this instance another one: look again.
    return _fixed_ip(label, network, lent)


def free(tx: Connection, uuid: str) -> bool:
    """Take back what was lent to an instance; tell whether there was anything.  Doing it twice is doing it once."""
    if tx.execute(_delete, {"which": uuid}).rowcount == 0:
        return False
    tx.execute(_copy, {"which": uuid, "addresses": ()})
    return True


def _free_position(tx: Connection, label: str, network: Network) -> int:
    """Give the place after the highest one lent or, when the range's end is reached, the lowest that is free."""
    end = network.num_addresses - 1
    highest = tx.execute(_highest, {"label": label}).scalar()
    position = FIRST if highest is None else highest + 1
    if highest is not None and position >= end:
        lowest = tx.execute(_lowest, {"label": label}).scalar_one()
        position = FIRST if lowest > FIRST else tx.execute(_first_gap, {"label": label}).scalar_one()
    if position >= end:
        raise errors.NoMoreAddresses(network=label)
    return position


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
