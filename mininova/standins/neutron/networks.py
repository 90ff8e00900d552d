"""What may be done with networks and subnets; the flat network and its subnet are there, and none changes them."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise
from typing import Any
from uuid import UUID

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.context import RequestContext
from mininova.db import networks, ports
from mininova.db.networks import Range
from mininova.db.session import Connection, Database
from mininova.standins.neutron import documents, flat, network_schemas, policy, quotas
from mininova.standins.neutron.db.things import NETWORKS, ROUTERS, SUBNETS, Network, Subnet
from mininova.standins.neutron.documents import Json, Retag

IP = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# What only an administrator says of a network.
ADMINS = {"shared": "create_network:shared", "external": "create_network:router:external"}
OF_ROUTERS = "network:router"  # how the owner of a port begins which a network's owner cannot delete


class Networks:
    """Reads and changes networks, as far as the caller may."""

    def __init__(self, db: Database, conf: ConfigOpts) -> None:
        self._db, self._conf = db, conf

    def search(self, ctxt: RequestContext, filters: Any = None) -> list[Json]:
        """List the networks that a caller sees: the flat one first."""
        with self._db.read() as tx:
            found = self.seen(tx, ctxt)
            subnets = SUBNETS.search(tx, network_id=[each.id for each in found])
        return [self._shown(each, subnets) for each in found]

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one network."""
        with self._db.read() as tx:
            found = self.find(tx, ctxt, id)
            return self._shown(found, SUBNETS.search(tx, network_id=[id]))

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make a network."""
        said = self._said(ctxt, body, network_schemas.NEW_NETWORK, "create_network")
        said["project_id"] = policy.owner(ctxt, body, "create_network")
        with self._db.write() as tx:
            quotas.require_room(tx, said["project_id"], "network")
            return self._shown(NETWORKS.create(tx, said), [])

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change what is said of a network; its name goes to the servers that have ports in it."""
        said = self._said(ctxt, body, network_schemas.CHANGED_NETWORK, "update_network")
        with self._db.write() as tx:
            network = self.own(tx, ctxt, id, "update_network")
            changed = NETWORKS.update(tx, network, **said)
            if changed.name != network.name:
                ports.shown_again(tx, ports.rename(tx, id, changed.name))
            return self._shown(changed, SUBNETS.search(tx, network_id=[id]))

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete a network with its subnets.

        :raises errors.Conflict: when a port is in it
        """
        with self._db.write() as tx:
            network = self.own(tx, ctxt, id, "delete_network")
            if ports.used(tx, network_id=[id]) or ROUTERS.search(tx, external_network_id=[id]):
                raise errors.Conflict(
                    f"Unable to complete operation on network {id}. There are one or more ports still in use on the "
                    "network."
                )
            for subnet in SUBNETS.search(tx, network_id=[id]):
                SUBNETS.delete(tx, subnet)
            NETWORKS.delete(tx, network)

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of a network."""
        with self._db.write() as tx:
            network = self.own(tx, ctxt, id, "update_network")
            NETWORKS.update(tx, network, tags=tuple(change(network.tags)))

    # ---- for ports and subnets

    def seen(self, tx: Connection, ctxt: RequestContext) -> list[Network]:
        """List the networks that a caller sees: the project's, those that are shared, and those that lead out."""
        viewer = policy.viewer(ctxt)
        there = [flat.network(self._conf), *NETWORKS.search(tx)]
        return [each for each in there if viewer in (None, each.project_id) or each.shared or each.external]

    def find(self, tx: Connection, ctxt: RequestContext | None, id: str, *, lock: bool = False) -> Network:
        """Find a network.

        :param ctxt: of the caller, who must see it; None sees all
        :raises errors.NotFound: when there is none
        """
        if id == (it := flat.network(self._conf)).id:
            return it
        found = NETWORKS.get(tx, id, lock=lock)
        viewer = None if ctxt is None else policy.viewer(ctxt)
        if viewer not in (None, found.project_id) and not found.shared and not found.external:
            raise NETWORKS.missing(id)
        return found

    def is_flat(self, id: str) -> bool:
        """Tell the flat network from others."""
        return id == flat.network(self._conf).id

    def own(self, tx: Connection, ctxt: RequestContext, id: str, action: str) -> Network:
        """Find a network that a caller may change, and keep others from doing so."""
        policy.require_member(ctxt, action)
        found = self.find(tx, ctxt, id, lock=True)
        if self.is_flat(id):
            raise policy.disallowed(action, ": the configuration of this cloud makes it")
        policy.require_owner(ctxt, found.project_id, action)
        return found

    def subnets_of(self, tx: Connection, network_id: str) -> list[Subnet]:
        """List the subnets of a network."""
        own = flat.subnet(self._conf)
        return [own] if network_id == own.network_id else SUBNETS.search(tx, network_id=[network_id])

    def _shown(self, network: Network, subnets: Sequence[Subnet]) -> Json:
        own = [flat.subnet(self._conf), *subnets]
        return documents.network(network, [each.id for each in own if each.network_id == network.id])

    @staticmethod
    def _said(ctxt: RequestContext, body: Json, schema: Any, action: str) -> Json:
        policy.require_member(ctxt, action)
        said = network_schemas.columns(body, schema)
        for name, rule in ADMINS.items():
            if said.get(name) and not ctxt.is_admin:
                raise policy.disallowed(rule.replace("create_network", action))
        return said


class Subnets:
    """Reads and changes subnets, as far as the caller may."""

    def __init__(self, db: Database, conf: ConfigOpts, of: Networks) -> None:
        self._db, self._conf, self._networks = db, conf, of

    def search(self, ctxt: RequestContext, filters: Any = None) -> list[Json]:
        """List the subnets of the networks that a caller sees."""
        with self._db.read() as tx:
            seen = [each.id for each in self._networks.seen(tx, ctxt)]
            found = [flat.subnet(self._conf), *SUBNETS.search(tx, network_id=seen)]
        return [documents.subnet(each) for each in found]

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one subnet."""
        with self._db.read() as tx:
            return documents.subnet(self.find(tx, ctxt, id))

    def find(self, tx: Connection, ctxt: RequestContext | None, id: str, *, lock: bool = False) -> Subnet:
        """Find a subnet of a network that a caller sees.

        :raises errors.NotFound: when there is none
        """
        if id == (it := flat.subnet(self._conf)).id:
            return it
        subnet = SUBNETS.get(tx, id, lock=lock)
        try:
            self._networks.find(tx, ctxt, subnet.network_id)
        except errors.NotFound:
            raise SUBNETS.missing(id) from None
        return subnet

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make a subnet in a network.

        :raises errors.InvalidInput: when its parts contradict each other, or another subnet of the network
        """
        said = network_schemas.columns(body, network_schemas.NEW_SUBNET)
        with self._db.write() as tx:
            network = self._networks.own(tx, ctxt, said["network_id"], "create_subnet")
            range_ = _range(said["cidr"], said["ip_version"])
            for other in SUBNETS.search(tx, network_id=[network.id]):
                if ip_network(other.cidr).overlaps(range_):
                    raise errors.InvalidInput(
                        f"Invalid input for operation: Requested subnet with cidr: {range_} for network: {network.id} "
                        f"overlaps with another subnet."
                    )
            said |= {"cidr": str(range_), "project_id": network.project_id or policy.owner(ctxt, body, "create_subnet")}
            said["gateway_ip"] = _gateway(range_, said["gateway_ip"]) if "gateway_ip" in said else str(range_[1])
            said["allocation_pools"] = _pools(range_, said["gateway_ip"], said.get("allocation_pools"))
            quotas.require_room(tx, said["project_id"], "subnet")
            return documents.subnet(SUBNETS.create(tx, said))

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change what is said of a subnet."""
        said = network_schemas.columns(body, network_schemas.CHANGED_SUBNET)
        with self._db.write() as tx:
            subnet = self._own(tx, ctxt, id, "update_subnet")
            range_ = ip_network(subnet.cidr)
            gateway = said["gateway_ip"] = _gateway(range_, said.get("gateway_ip", subnet.gateway_ip))
            pools = said.get("allocation_pools", [{"start": a, "end": b} for a, b in subnet.allocation_pools])
            said["allocation_pools"] = _pools(range_, gateway, pools)
            return documents.subnet(SUBNETS.update(tx, subnet, **said))

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete a subnet.

        :raises errors.Conflict: when a port has an address of it
        """
        with self._db.write() as tx:
            subnet = self._own(tx, ctxt, id, "delete_subnet")
            if ports.used(tx, subnet_id=[id]):
                raise errors.Conflict(
                    f"Unable to complete operation on subnet {id}: One or more ports have an IP allocation from this "
                    "subnet."
                )
            SUBNETS.delete(tx, subnet)

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of a subnet."""
        with self._db.write() as tx:
            subnet = self._own(tx, ctxt, id, "update_subnet")
            SUBNETS.update(tx, subnet, tags=tuple(change(subnet.tags)))

    def _own(self, tx: Connection, ctxt: RequestContext, id: str, action: str) -> Subnet:
        policy.require_member(ctxt, action)
        subnet = self.find(tx, ctxt, id, lock=True)
        self._networks.own(tx, ctxt, subnet.network_id, action)
        return subnet


def range_of(network: Network, subnet: Subnet) -> Range:
    """Give what is lent of a subnet."""
    if subnet.created_at == flat.EPOCH:
        return networks.flat(network.name, subnet.cidr)
    base = int(ip_network(subnet.cidr).network_address)
    pools = ((int(ip_address(first)) - base, int(ip_address(last)) - base) for first, last in subnet.allocation_pools)
    lent = tuple((first, min(last, networks.LAST)) for first, last in pools if first <= networks.LAST)
    return Range(network.id, network.name, subnet.id, subnet.cidr, lent, UUID(subnet.id).int & 0xFFFFFF)


# ---- the parts of a subnet


def _range(cidr: str, version: int) -> IPNetwork:
    try:
        range_ = ip_network(cidr, strict=False)
    except ValueError:
        raise errors.InvalidInput(f"Invalid input for cidr. Reason: '{cidr}' is not a valid IP subnet.") from None
    if range_.version != version:
        raise errors.InvalidInput(f"Invalid input for operation: the cidr {cidr} is not of IP version {version}.")
    if range_.num_addresses < 4:
        raise errors.InvalidInput(f"Invalid input for operation: the cidr {cidr} has no address to lend.")
    return range_


def _gateway(range_: IPNetwork, text: str | None) -> str | None:
    if text is None:
        return None
    if (address := _address(text, "gateway_ip")) not in range_ or address == range_.network_address:
        raise errors.InvalidInput(f"Invalid input for operation: Gateway is not valid on subnet: {text}.")
    return str(address)


def _pools(range_: IPNetwork, gateway: str | None, said: Sequence[Json] | None) -> tuple[tuple[str, str], ...]:
    """Check the pools; where none are said, all is lent but the gateway's address, the first and the last."""
    if said is None:
        return tuple((str(first), str(last)) for first, last in _all_but(range_, gateway))
    pools = sorted((_address(each["start"], "start"), _address(each["end"], "end")) for each in said)
    for first, last in pools:
        if first > last or first not in range_ or last not in range_:  # type: ignore[operator]
            raise errors.InvalidInput(f"The allocation pool {first}-{last} spans beyond the subnet cidr {range_}.")
        if gateway is not None and first <= ip_address(gateway) <= last:  # type: ignore[operator]
            raise errors.Conflict(f"Gateway ip {gateway} conflicts with allocation pool {first}-{last}.")
    for (_, last), (first, _) in pairwise(pools):
        if first <= last:  # type: ignore[operator]
            raise errors.Conflict(f"Found overlapping allocation pools for subnet {range_}.")
    return tuple((str(first), str(last)) for first, last in pools)


def _all_but(range_: IPNetwork, gateway: str | None) -> Iterable[tuple[IP, IP]]:
    first, last = range_[1], range_[-2]
    taken = ip_address(gateway) if gateway else None
    if taken is None or not first <= taken <= last:  # type: ignore[operator]
        return [(first, last)]
    before, after = (first, taken - 1), (taken + 1, last)
    return [(low, high) for low, high in (before, after) if low <= high]  # type: ignore[operator]


def _address(text: str, what: str) -> IP:
    try:
        return ip_address(text)
    except ValueError:
        raise errors.InvalidInput(f"Invalid input for {what}. Reason: '{text}' is not a valid IP address.") from None
