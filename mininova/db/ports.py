"""The ports that users make, or ask a boot for by naming a network; and what is shown of any port.

Where an address comes from is decided in networks.py, for these as for a boot's own port of the flat network.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db import networks
from mininova.db.models import instances
from mininova.db.models import ports as table
from mininova.db.networks import Range
from mininova.db.rows import NewRow, insert_new


class Address(NamedTuple):
    """One address of a port.

    :param floating_address: the one that leads to it
    """

    subnet_id: str
    address: str
    floating_address: str | None = None


class Port(NamedTuple):
    """A port, and what is shown of its instance.

    :param is_users: whether a user made it, who keeps it when its instance is gone
    :param device_owner: what has it, and ``device_id`` which one, where that is no instance; likewise
    :param said: what its maker says of it, on which nothing depends here
    :param security_groups: the ids of those that its instance asked for; None is the project's default one
    """

    id: str
    network_id: str
    mac_address: str
    instance_uuid: str | None
    tag: str | None
    project_id: str
    is_users: bool
    device_owner: str | None
    device_id: str | None
    said: Mapping[str, Any]
    created_at: datetime
    host: str | None
    availability_zone: str | None
    security_groups: Sequence[str] | None
    addresses: tuple[Address, ...]

    @property
    def groups(self) -> Sequence[str] | None:
        """Name its security groups; None is the project's default one."""
        return _groups(self.said, self.is_users, self.security_groups)


def _groups(said: Mapping[str, Any], is_users: bool, asked: Sequence[str] | None) -> Sequence[str] | None:
    """Say which groups a port has: those that are said of it, or else, where no user made it, its instance's."""
    groups: Sequence[str] | None = said.get("security_groups", None if is_users else asked)
    return groups


_owner = func.coalesce(table.c.project_id, instances.c.project_id, "")
_columns = (
    table.c.id, table.c.network_id, table.c.mac_address, table.c.instance_uuid, table.c.tag, _owner, table.c.is_users,
    table.c.device_owner, table.c.device_id, table.c.said, table.c.created_at, instances.c.host,
    instances.c.availability_zone, instances.c.security_groups,
)  # fmt: skip
_addresses = (table.c.subnet_id, table.c.address, table.c.floating_address)
_search = (
    select(*_columns, *_addresses)
    .outerjoin_from(table, instances, instances.c.uuid == table.c.instance_uuid)
    .where(table.c.place >= 0)
    .order_by(table.c.created_at, table.c.id, table.c.place)
)
_insert = NewRow(table)
_this = table.c.id == bindparam("port")
_first = (_this, table.c.place == 0)
_places = select(table.c.place).where(_this)
_bind = update_of(table).where(_this, table.c.instance_uuid.is_(None), table.c.device_id.is_(None))
_own = table.alias()
_with_groups = (
    select(instances.c.uuid, instances.c.security_groups, table.c.is_users, table.c.said)
    .outerjoin_from(instances, table, and_(table.c.instance_uuid == instances.c.uuid, table.c.place == 0))
    .where(
        instances.c.uuid.in_(bindparam("uuids", expanding=True)),
        instances.c.security_groups.is_not(None)
        | exists().where(_own.c.instance_uuid == instances.c.uuid, _own.c.is_users | _own.c.said.is_not(None)),
    )
)
_leads = update_of(table).where(table.c.floating_address == bindparam("floats"))


def search(tx: Connection, project_id: str | None = None, **among: Collection[str]) -> list[Port]:
    """List ports, the oldest first.

    :param project_id: whose; None means all projects'
    :param among: column → the values that it may have
    """
    query = _search if project_id is None else _search.where(_is_of(project_id))
    for column, values in among.items():
        if column in _IN_EACH_ROW:
            query = query.where(table.c[column].in_(list(values)))
        else:
            query = query.where(table.c.id.in_(select(table.c.id).where(table.c[column].in_(list(values)))))
    return [_port(list(rows)) for _, rows in groupby(tx.execute(query), key=lambda row: row.id)]


_DETACHED_BY = "detached_by"
_IN_EACH_ROW = {"id", "instance_uuid", "network_id"}  # of a port, which may have several


def _is_of(project_id: str) -> Any:
    return or_(table.c.project_id == project_id, table.c.project_id.is_(None) & (instances.c.project_id == project_id))


def _port(rows: list[Any]) -> Port:
    count = len(_columns)
    own: list[Any] = [*rows[0][:count]]
    own[9] = own[9] or {}  # what is said
    addresses = tuple(Address(*row[count:]) for row in rows if row[count] is not None)
    return Port._make([*own, addresses])


def get(tx: Connection, id: str, project_id: str | None = None) -> Port:
    """Read one port.

    :param project_id: whose it must be; None means any project's
    :raises errors.PortNotFound: when there is none
    """
    for port in search(tx, project_id, id=[id]):
        return port
    raise errors.PortNotFound(port_id=id)


def create(
    tx: Connection, wanted: Sequence[tuple[Range, str | None]], *, network_id: str, network: str, **columns: Any
) -> None:
    """Make a port with an address of each of some subnets.

    :param wanted: each subnet, and the address in it; None means the next one
    :param network_id: of which the subnets are; ``network`` is its name
    :param columns: what else its row says: its id, and its MAC address if that was chosen
    :raises errors.AddressInUse: when another port has an address
    :raises errors.Conflict: when another port has the MAC address
    :raises errors.NoMoreAddresses: when all of a subnet are lent
    """
    row = {"place": 0, "created_at": datetime.now(UTC), **columns}
    if not wanted:
        networks.require_free_mac(tx, network_id, columns["mac_address"])
        insert_new(tx, _insert, {**row, "network_id": network_id, "network": network})
    for place, (range_, address) in enumerate(wanted):
        _take(tx, range_, address, row if place == 0 else _further(row, place))


def _further(row: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Give what the row of a further address says."""
    kept = ("id", "instance_uuid", "project_id", "is_users", "created_at", "plugged_at")
    return {name: row[name] for name in kept if name in row} | {"place": place, "mac_address": None}


def _take(tx: Connection, range_: Range, address: str | None, row: Mapping[str, Any]) -> None:
    if address is None:
        networks.lend(tx, range_, row)
        return
    taken = {**networks.at(range_, range_.place_of(address)), **row}
    if not insert_new(tx, _insert, taken):
        networks.require_free_mac(tx, range_.network_id, row.get("mac_address"))
        raise errors.AddressInUse(network_id=range_.network_id, address=address)


def security_groups(tx: Connection, uuids: Collection[str]) -> dict[str, set[str | None]]:
    """Name the security groups of some instances, which are those of their ports; before it has one, what it asked for.

    None is the project's default group; an instance that is missing has that one alone.
    """
    found: dict[str, set[str | None]] = {}
    for uuid, asked, is_users, said in tx.execute(_with_groups, {"uuids": list(uuids)}):
        groups = _groups(said or {}, bool(is_users), asked)
        found.setdefault(uuid, set()).update([None] if groups is None else groups)
    return found


def regroup(tx: Connection, instance_uuid: str, change_groups: Callable[[Sequence[str] | None], Sequence[str]]) -> None:
    """Change the security groups of those ports of an instance that have others than it asked for.

    :param change_groups: from those that a port has, of which None is the default one, to those that it is to have
    """
    for port in search(tx, instance_uuid=[instance_uuid]):
        if port.is_users or "security_groups" in port.said:
            revision = port.said.get("revision", 1) + 1
            groups = list(change_groups(port.groups))
            change(tx, port.id, said={**port.said, "security_groups": groups, "revision": revision})


def change(tx: Connection, id: str, **columns: Any) -> None:
    """Change what the row of a port says."""
    tx.execute(update_of(table).where(*_first), {"port": id, **columns})


def add_address(tx: Connection, port: Port, range_: Range, address: str | None) -> None:
    """Lend a port one more address.

    :param address: which; None means the next one
    """
    own = dict(tx.execute(select(table).where(*_first), {"port": port.id}).mappings().one())
    if port.addresses:
        places = tx.execute(_places, {"port": port.id}).scalars()
        _take(tx, range_, address, _further(own, max(places) + 1))
        return
    tx.execute(delete_from(table).where(*_first), {"port": port.id})  # whose row has room for the first one
    _take(tx, range_, address, {name: own[name] for name in own if name not in ("subnet_id", "position", "address")})


def remove_address(tx: Connection, port: Port, address: str) -> None:
    """Take an address from a port; another one takes its place, if it was in the port's row."""
    which = (_this, table.c.address == bindparam("gone"))
    place = tx.execute(select(table.c.place).where(*which), {"port": port.id, "gone": address}).scalar_one()
    if place:
        tx.execute(delete_from(table).where(*which), {"port": port.id, "gone": address})
        return
    empty: dict[str, Any] = {"subnet_id": None, "position": None, "address": None, "floating_address": None}
    further = select(table).where(_this, table.c.place > 0).order_by(table.c.place).limit(1)
    after = tx.execute(further, {"port": port.id}).mappings().first()
    if after is not None:
        tx.execute(delete_from(table).where(_this, table.c.place == after["place"]), {"port": port.id})
        empty = {name: after[name] for name in empty}
    change(tx, port.id, **empty)


def bind(tx: Connection, id: str, instance_uuid: str, tag: str | None = None) -> None:
    """Give a free port to an instance.

    :raises errors.PortInUse: when something has it
    """
    to = {"instance_uuid": instance_uuid, "plugged_at": datetime.now(UTC), "tag": tag}
    if tx.execute(_bind, {"port": id, **to}).rowcount == 0:
        raise errors.PortInUse(port_id=id)


def ask_to_detach(tx: Connection, port: Port, request_id: str | None) -> None:
    """Note which request wants a port detached from its instance; None wants it no more."""
    said = {name: value for name, value in port.said.items() if name != _DETACHED_BY}
    change(tx, port.id, said=said if request_id is None else {**said, _DETACHED_BY: request_id})


def detach_asked_by(port: Port) -> str | None:
    """Tell which request wants a port detached; None when none does."""
    asked_by: str | None = port.said.get(_DETACHED_BY)
    return asked_by


def leave(tx: Connection, port: Port) -> None:
    """Take a port from its instance: one that a user made is free again, another one is deleted."""
    if port.is_users:
        tx.execute(update_of(table).where(_this), {"port": port.id, "instance_uuid": None, "tag": None})
    else:
        delete(tx, port.id)


def delete(tx: Connection, id: str) -> None:
    """Delete a port; its addresses are lent again."""
    tx.execute(delete_from(table).where(_this), {"port": id})


def rename(tx: Connection, network_id: str, network: str) -> list[str]:
    """Have the ports of a network say its new name; give the instances that have some."""
    of_network = table.c.network_id == network_id
    tx.execute(update_of(table).where(of_network), {"network": network})
    query = select(table.c.instance_uuid).where(of_network, table.c.instance_uuid.is_not(None)).distinct()
    return list(tx.execute(query).scalars())


def float_to(tx: Connection, floating_address: str, port: Port | None, address: str | None = None) -> list[str]:
    """Have a floating address lead to an address of a port, and to no other; give the instances that this concerns.

    :param port: None has it lead nowhere
    :raises errors.Conflict: when another one leads to the address of the port by now, or it has that address no more
    """
    had = select(table.c.instance_uuid).where(table.c.floating_address == floating_address)
    concerned = {*tx.execute(had).scalars()}
    tx.execute(_leads, {"floats": floating_address, "floating_address": None})
    if port is not None:
        concerned.add(port.instance_uuid)
        there = (_this, table.c.address == bindparam("leads_to"), table.c.floating_address.is_(None))
        to = {"port": port.id, "leads_to": address, "floating_address": floating_address}
        if tx.execute(update_of(table).where(*there), to).rowcount == 0:
            raise errors.Conflict(
                f"Floating IP {floating_address} cannot lead to {address} of port {port.id}: another one does by now, "
                "or the port has that address no more."
            )
    return sorted(concerned - {None})


def used(tx: Connection, **among: Collection[str]) -> bool:
    """Tell whether there is a port with one of these values, or one that waits."""
    query = select(table.c.id).limit(1)
    for column, values in among.items():
        query = query.where(table.c[column].in_(list(values)))
    return tx.execute(query).first() is not None


def shown_again(tx: Connection, instance_uuids: Iterable[str]) -> None:
    """Copy the addresses of instances to their rows, whose ports were changed."""
    for uuid in instance_uuids:
        networks.show(tx, uuid)
