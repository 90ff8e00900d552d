"""What may be done with ports: over HTTP, and by Nova, which gives them to servers (in_process.py)."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from mininova import errors
from mininova.context import RequestContext
from mininova.db import networks, ports
from mininova.db.networks import Range
from mininova.db.ports import Port
from mininova.db.session import Connection, Database
from mininova.standins.neutron import documents, network_schemas, policy, quotas
from mininova.standins.neutron.db import security_groups
from mininova.standins.neutron.db.things import Network, Subnet
from mininova.standins.neutron.documents import Json, Retag
from mininova.standins.neutron.networks import OF_ROUTERS, Networks, range_of
from mininova.standins.neutron.nova_events import CHANGED, DELETED, PLUGGED, UNPLUGGED, Nova

SAID = ("name", "description", "admin_state_up", "port_security_enabled", "security_groups", "allowed_address_pairs")
#: By which parameters of a query ports are looked for at once, and not among all of the project's.
LOOKED_FOR = {"id": "id", "network_id": "network_id", "mac_address": "mac_address"}


class Ports:
    """Reads and changes ports, as far as the caller may."""

    def __init__(self, db: Database, of: Networks, nova: Nova) -> None:
        self._db, self._networks, self._nova = db, of, nova

    def search(self, ctxt: RequestContext, filters: Any = None) -> list[Json]:
        """List the ports of the caller's project, an administrator's of all.

        :param filters: a MultiDict of what is asked for
        """
        among = {column: filters.getall(name) for name, column in LOOKED_FOR.items() if filters and name in filters}
        with self._db.read() as tx:
            if filters and "device_id" in filters:
                found = of_devices(tx, policy.viewer(ctxt), filters.getall("device_id"))
            else:
                found = ports.search(tx, policy.viewer(ctxt), **among)
        return self.shown(ctxt, found)

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one port."""
        with self._db.read() as tx:
            found = ports.get(tx, id, policy.viewer(ctxt))
        return self.shown(ctxt, [found])[0]

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make a port with an address of each version that the network has, or with those that are named.

        :raises errors.Conflict: when an address is taken, or none is left
        """
        policy.require_member(ctxt, "create_port")
        said = network_schemas.columns(body, network_schemas.NEW_PORT)
        project_id = policy.owner(ctxt, body, "create_port")
        id = str(uuid4())
        with self._db.write() as tx:
            network = self._networks.find(tx, ctxt, said["network_id"], lock=True)
            quotas.require_room(tx, project_id, "port")
            _require_groups(tx, ctxt, said)
            wanted = self.wanted(tx, network, said.get("fixed_ips"))
            columns = {name: said[name] for name in ("device_id", "device_owner") if said.get(name)}
            if mac := said.get("mac_address"):
                columns["mac_address"] = mac.lower()
            make(tx, network, wanted, id=id, project_id=project_id, is_users=True, said=_said(said), **columns)
        return self.get(ctxt, id)

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change what is said of a port, its addresses or, while nothing has it, its MAC address."""
        policy.require_member(ctxt, "update_port")
        said = network_schemas.columns(body, network_schemas.CHANGED_PORT)
        with self._db.write() as tx:
            port = ports.get(tx, id, policy.viewer(ctxt))
            _require_groups(tx, ctxt, said)
            columns = _changes(port, said)
            if "mac_address" in columns and columns["mac_address"] != port.mac_address:
                if port.instance_uuid is not None:
                    raise errors.PortInUse(f"Unable to complete operation on port {id}, port is bound.")
                networks.require_free_mac(tx, port.network_id, columns["mac_address"])
            ports.change(tx, id, **columns)
            if "fixed_ips" in said:
                self._readdress(tx, port, said["fixed_ips"])
        is_up = said.get("admin_state_up")
        if port.host is not None and is_up is not None and is_up != is_admin_up(port):
            self._nova.tell(PLUGGED if is_up else UNPLUGGED, [port])
        self._nova.tell(CHANGED, [port])
        return self.get(ctxt, id)

    def _readdress(self, tx: Connection, port: Port, fixed_ips: Sequence[Json]) -> None:
        """Have a port have these addresses: it keeps those that are named, also by their subnet."""
        network = self._networks.find(tx, None, port.network_id, lock=True)
        present, missing = list(port.addresses), []
        for range_, address in self.wanted(tx, network, fixed_ips):
            fits = (it for it in present if it.subnet_id == range_.subnet_id and address in (None, it.address))
            if (kept := next(fits, None)) is not None:
                present.remove(kept)
            else:
                missing.append((range_, address))
        for gone in present:
            ports.remove_address(tx, ports.get(tx, port.id), gone.address)
        for range_, address in missing:
            ports.add_address(tx, ports.get(tx, port.id), range_, address)
        if port.instance_uuid is not None:
            networks.show(tx, port.instance_uuid)

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete a port; a server that has it has it no more.

        :raises errors.Conflict: when a router or a floating IP has it
        """
        policy.require_member(ctxt, "delete_port")
        with self._db.write() as tx:
            port = ports.get(tx, id, policy.viewer(ctxt))
            owner = port.device_owner or ""
            if owner.startswith(OF_ROUTERS) or owner == "network:floatingip":
                raise errors.Conflict(
                    f"Port {id} cannot be deleted directly via the port API: has device owner {owner}."
                )
            ports.delete(tx, id)
            if port.instance_uuid is not None:
                networks.show(tx, port.instance_uuid)
        self._nova.tell(DELETED, [port])

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of a port."""
        policy.require_member(ctxt, "update_port")
        with self._db.write() as tx:
            port = ports.get(tx, id, policy.viewer(ctxt))
            revision = port.said.get("revision", 1) + 1
            said = {**port.said, "tags": list(change(port.said.get("tags", []))), "revision": revision}
            ports.change(tx, id, said=said)

    # ---- for routers, floating IPs and servers, too

    def wanted(
        self, tx: Connection, network: Network, fixed_ips: Sequence[Json] | None
    ) -> list[tuple[Range, str | None]]:
        """Say from which subnets a port gets addresses, and which where they are named.

        :param fixed_ips: None means one of each IP version that the network has
        :raises errors.InvalidInput: when an address is none of the network
        """
        subnets = self._networks.subnets_of(tx, network.id)
        if fixed_ips is None:
            firsts = {subnet.ip_version: subnet for subnet in reversed(subnets)}
            return [(range_of(network, firsts[version]), None) for version in sorted(firsts)]
        return [_named(network, subnets, each) for each in fixed_ips]

    def shown(self, ctxt: RequestContext, found: Sequence[Port]) -> list[Json]:
        """Show ports."""
        defaults = security_groups.defaults(self._db, {each.project_id for each in found if each.project_id})
        return [documents.port(each, defaults.get(each.project_id, ""), with_binding=ctxt.is_admin) for each in found]


def is_admin_up(port: Port) -> bool:
    """Tell whether a port is ACTIVE when something has it, and its owner did not switch it off."""
    is_up: bool = port.said.get("admin_state_up", True)
    return is_up


def of_devices(tx: Connection, project_id: str | None, ids: Sequence[str]) -> list[Port]:
    """List the ports of some servers, routers or floating IPs."""
    found = (ports.search(tx, project_id, **{column: ids}) for column in ("instance_uuid", "device_id"))
    return [port for some in found for port in some]


def make(tx: Connection, network: Network, wanted: Sequence[tuple[Range, str | None]], **columns: Any) -> None:
    """Make a port in a network.

    :raises errors.Conflict: when an address is taken, or none is left
    """
    if not wanted and "mac_address" not in columns:
        columns["mac_address"] = ":".join(["fa", "16", "3e", *(columns["id"][n : n + 2] for n in (0, 2, 4))])
    try:
        ports.create(tx, wanted, network_id=network.id, network=network.name, **columns)
    except errors.NoMoreAddresses as error:
        raise errors.NetworkFull(network_id=network.id) from error


def _named(network: Network, subnets: Sequence[Subnet], said: Json) -> tuple[Range, str | None]:
    address = said.get("ip_address")
    if subnet_id := said.get("subnet_id"):
        subnets = [each for each in subnets if each.id == subnet_id]
        if not subnets:
            raise errors.InvalidInput(
                f"Invalid input for operation: Failed to create port on network {network.id}, because fixed_ips "
                f"included invalid subnet {subnet_id}."
            )
    if address is None:
        if not subnets:
            raise errors.InvalidInput(f"Invalid input for fixed_ips: network {network.id} has no subnet.")
        return range_of(network, subnets[0]), None
    try:
        ip = ip_address(address)
    except ValueError:
        raise errors.InvalidInput(
            f"Invalid input for fixed_ips. Reason: '{address}' is not a valid IP address."
        ) from None
    for subnet in subnets:
        range_ = ip_network(subnet.cidr)
        is_lent = ip in range_ and ip != range_.network_address and (ip.version == 6 or ip != range_.broadcast_address)
        if is_lent and range_of(network, subnet).place_of(address) <= networks.LAST:
            return range_of(network, subnet), str(ip)
    where = "the specified subnet" if subnet_id else "any of the subnets on the specified network"
    raise errors.InvalidInput(f"IP address {address} is not a valid IP for {where}.")


def _said(said: Json) -> Json:
    return {name: said[name] for name in SAID if name in said and said[name] is not None}


def _changes(port: Port, said: Json) -> Json:
    revision = port.said.get("revision", 1) + 1
    changes: Json = {"said": {**port.said, **_said(said), "revision": revision}}
    if "mac_address" in said:
        changes["mac_address"] = said["mac_address"].lower()
    if "device_id" in said and said["device_id"] != (port.instance_uuid or port.device_id or ""):
        if port.instance_uuid is not None:
            raise errors.PortInUse(port_id=port.id)
        changes["device_id"] = said["device_id"] or None
    if "device_owner" in said and port.instance_uuid is None:
        changes["device_owner"] = said["device_owner"] or None
    return changes


def _require_groups(tx: Connection, ctxt: RequestContext, said: Json) -> None:
    for id in said.get("security_groups") or ():
        security_groups.get(tx, id, policy.viewer(ctxt))
