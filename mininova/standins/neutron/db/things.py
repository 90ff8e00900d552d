"""Networks, subnets, routers and floating IPs: how their rows are made, read, changed and deleted, all alike."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import uuid4

import msgspec
from sqlalchemy import Connection, Table, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.rows import Rows
from mininova.standins.neutron.db.models import floating_ips, networks, routers, subnets


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """What a project makes."""

    id: str
    project_id: str
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    revision: int = 1
    created_at: datetime
    updated_at: datetime


class Network(Thing, frozen=True, kw_only=True):
    """A network.

    :param shared: whether every project may use it
    :param external: whether it leads out, and floating IPs are of it
    """

    admin_state_up: bool = True
    shared: bool = False
    external: bool = False
    mtu: int = 1450
    port_security_enabled: bool = True


class Subnet(Thing, frozen=True, kw_only=True):
    """A range of addresses in a network.

    :param allocation_pools: the first and the last address of each part that is lent
    """

    network_id: str
    ip_version: int
    cidr: str
    gateway_ip: str | None = None
    enable_dhcp: bool = True
    allocation_pools: tuple[tuple[str, str], ...] = ()
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[dict[str, str], ...] = ()
    ipv6_address_mode: str | None = None
    ipv6_ra_mode: str | None = None


class Router(Thing, frozen=True, kw_only=True):
    """What leads from network to network.

    :param external_network_id: the network that it leads out to
    """

    admin_state_up: bool = True
    external_network_id: str | None = None
    enable_snat: bool = True
    routes: tuple[dict[str, str], ...] = ()


class FloatingIP(Thing, frozen=True, kw_only=True):
    """An address of an external network that leads to an address of a port, or to none.

    :param router_id: by which router it leads there
    """

    floating_network_id: str
    floating_ip_address: str
    router_id: str | None = None


T = TypeVar("T", bound=Thing)


class Kind(Generic[T]):
    """The rows of one kind of thing.

    :param what: its name in a message
    """

    def __init__(self, struct: type[T], table: Table, what: str) -> None:
        self.struct, self.table, self.what = struct, table, what
        self._rows = Rows(struct, table, key="id")

    def search(self, tx: Connection, **among: Collection[str | None]) -> list[T]:
        """List them, the oldest first.

        :param among: column → the values that it may have
        """
        query = self._rows.select.order_by(self.table.c.created_at, self.table.c.id)
        for column, values in among.items():
            query = query.where(self.table.c[column].in_(list(values)))
        return self._rows.all(tx.execute(query))

    def get(self, tx: Connection, id: str, *, lock: bool = False) -> T:
        """Read one.

        :param lock: keep others from changing it until the end of the transaction
        :raises errors.NotFound: when there is none
        """
        query = self._rows.one.with_for_update() if lock else self._rows.one
        found = self._rows.first(tx.execute(query, {"which": id}))
        if found is None:
            raise self.missing(id)
        return found

    def missing(self, id: str) -> errors.NotFound:
        """Make the error of one that is not there, or not the caller's to see."""
        return errors.NotFound(f"{self.what} {id} could not be found.")

    def create(self, tx: Connection, said: Mapping[str, Any]) -> T:
        """Make one."""
        now = datetime.now(UTC)
        made = self.struct(**{"id": str(uuid4()), **said, "created_at": now, "updated_at": now})
        tx.execute(insert(self.table), self._rows.values(made))
        return made

    def update(self, tx: Connection, thing: T, said: Mapping[str, Any]) -> T:
        """Change what is said of one."""
        changed = {**said, "revision": thing.revision + 1, "updated_at": datetime.now(UTC)}
        tx.execute(update_of(self.table).where(self.table.c.id == thing.id), changed)
        return msgspec.structs.replace(thing, **changed)

    def delete(self, tx: Connection, thing: T) -> None:
        """Delete one."""
        tx.execute(delete_from(self.table).where(self.table.c.id == thing.id))


NETWORKS = Kind(Network, networks, "Network")
SUBNETS = Kind(Subnet, subnets, "Subnet")
ROUTERS = Kind(Router, routers, "Router")
FLOATING_IPS = Kind(FloatingIP, floating_ips, "Floating IP")

_projects_own = select(networks.c.id).limit(1)


def has_network(tx: Connection, project_id: str) -> bool:
    """Tell whether a project has a network of its own, or one that all share beside the flat one."""
    mine = (networks.c.project_id == project_id) | networks.c.shared
    return tx.execute(_projects_own.where(mine)).first() is not None
