"""What may be done with routers and floating IPs.

A router is ports: one in each subnet that it serves, and one in the network that it leads out to.  A floating IP is the
address of a port, too, so that it is lent once; where it leads is written in the row of the port that it leads to.
"""

from typing import Any
from uuid import uuid4

from mininova import errors
from mininova.context import RequestContext
from mininova.db import ports
from mininova.db.kinds import Kind
from mininova.db.ports import Port
from mininova.db.session import Connection, Database
from mininova.standins.neutron import documents, network_schemas, policy, quotas
from mininova.standins.neutron.db.things import FLOATING_IPS, ROUTERS, FloatingIP, Network, Router
from mininova.standins.neutron.documents import Json, Retag
from mininova.standins.neutron.networks import Networks, Subnets, range_of
from mininova.standins.neutron.nova_events import CHANGED, Nova
from mininova.standins.neutron.ports import Ports, make, of_devices

INTERFACE, GATEWAY, FLOATING = "network:router_interface", "network:router_gateway", "network:floatingip"


class Routers:
    """Reads and changes routers, as far as the caller may."""

    def __init__(self, db: Database, networks: Networks, subnets: Subnets, ports: Ports) -> None:
        self._db, self._networks, self._subnets, self._ports = db, networks, subnets, ports

    def search(self, ctxt: RequestContext, filters: Any = None) -> list[Json]:
        """List the routers of the caller's project, an administrator's of all."""
        with self._db.read() as tx:
            found = _own(tx, ctxt, ROUTERS)
            gateways = {port.device_id: port for port in ports.search(tx, device_owner=[GATEWAY])} if found else {}
        return [documents.router(each, gateways.get(each.id)) for each in found]

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one router."""
        with self._db.read() as tx:
            return _router(tx, _find(tx, ctxt, ROUTERS, id))

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make a router, with a way out if it is to have one."""
        policy.require_member(ctxt, "create_router")
        said = network_schemas.columns(body, network_schemas.NEW_ROUTER)
        gateway = said.pop("external_gateway_info", None)
        project_id = policy.owner(ctxt, body, "create_router")
        with self._db.write() as tx:
            quotas.require_room(tx, project_id, "router")
            router = ROUTERS.create(tx, {**said, "project_id": project_id})
            return _router(tx, self._lead_out(tx, ctxt, router, gateway) if gateway else router)

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change what is said of a router, and where it leads."""
        policy.require_member(ctxt, "update_router")
        said = network_schemas.columns(body, network_schemas.CHANGED_ROUTER)
        with self._db.write() as tx:
            router = _find(tx, ctxt, ROUTERS, id, lock=True)
            if "external_gateway_info" in said:
                router = self._lead_out(tx, ctxt, router, said.pop("external_gateway_info") or {})
            return _router(tx, ROUTERS.update(tx, router, **said))

    def _lead_out(self, tx: Connection, ctxt: RequestContext, router: Router, said: Json) -> Router:
        """Have a router lead out to a network, in place of where it did; to none if none is said.

        :raises errors.Conflict: when floating IPs go by it
        """
        for old in ports.search(tx, device_id=[router.id], device_owner=[GATEWAY]):
            if any(_leads_by(tx, router)) and said.get("network_id") != router.external_network_id:
                raise errors.Conflict(
                    f"Gateway cannot be updated for router {router.id}, since a gateway to external network "
                    f"{router.external_network_id} is required by one or more floating IPs."
                )
            ports.delete(tx, old.id)
        if (network_id := said.get("network_id")) is not None:
            network = self._networks.find(tx, ctxt, network_id, lock=True)
            if not network.external:
                raise errors.InvalidInput(f"Bad router request: Network {network.id} is not an external network.")
            wanted = self._ports.wanted(tx, network, said.get("external_fixed_ips") or None)
            make(tx, network, wanted, id=str(uuid4()), project_id="", is_users=True, device_id=router.id,
                 device_owner=GATEWAY)  # fmt: skip
        snat = {"enable_snat": said["enable_snat"]} if "enable_snat" in said else {}
        return ROUTERS.update(tx, router, external_network_id=network_id, **snat)

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete a router.

        :raises errors.Conflict: when it serves a subnet, or a floating IP goes by it
        """
        policy.require_member(ctxt, "delete_router")
        with self._db.write() as tx:
            router = _find(tx, ctxt, ROUTERS, id, lock=True)
            own = ports.search(tx, device_id=[id])
            if any(port.device_owner == INTERFACE for port in own):
                raise errors.Conflict(f"Router {id} still has ports")
            for port in own:
                ports.delete(tx, port.id)
            for ip in FLOATING_IPS.search(tx, router_id=[id]):
                FLOATING_IPS.update(tx, ip, router_id=None)
            ROUTERS.delete(tx, router)

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of a router."""
        _tag(self._db, ctxt, ROUTERS, id, change, "update_router")

    # ---- the subnets that it serves

    def add_interface(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Have a router serve a subnet, with the address of its gateway, or with a port that is there.

        :raises errors.InvalidInput: when neither or both are named, or the subnet has no gateway
        """
        policy.require_member(ctxt, "add_router_interface")
        subnet_id, port_id = _one_of(body)
        with self._db.write() as tx:
            router = _find(tx, ctxt, ROUTERS, id, lock=True)
            if port_id:
                port = ports.get(tx, port_id, policy.viewer(ctxt))
                if port.instance_uuid or port.device_id:
                    raise errors.PortInUse(port_id=port_id)
                ports.change(tx, port_id, device_id=router.id, device_owner=INTERFACE)
            else:
                port_id = self._serve(tx, ctxt, router, subnet_id or "")
            return _interface(router, ports.get(tx, port_id))

    def _serve(self, tx: Connection, ctxt: RequestContext, router: Router, subnet_id: str) -> str:
        subnet, id = self._subnets.find(tx, ctxt, subnet_id, lock=True), str(uuid4())
        network = self._networks.find(tx, ctxt, subnet.network_id)
        if subnet.gateway_ip is None:
            raise errors.InvalidInput("Bad router request: Subnet for router interface must have a gateway IP.")
        if any(port.device_id == router.id for port in ports.search(tx, subnet_id=[subnet.id])):
            raise errors.InvalidInput(f"Bad router request: Router already has a port on subnet {subnet.id}.")
        make(
            tx, network, [(range_of(network, subnet), subnet.gateway_ip)], id=id, project_id=router.project_id,
            is_users=True, device_id=router.id, device_owner=INTERFACE,
        )  # fmt: skip
        return id

    def remove_interface(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Have a router serve a subnet no more.

        :raises errors.NotFound: when it does not
        :raises errors.Conflict: when a floating IP leads there by it
        """
        policy.require_member(ctxt, "remove_router_interface")
        subnet_id, port_id = _one_of(body)
        with self._db.write() as tx:
            router = _find(tx, ctxt, ROUTERS, id, lock=True)
            for port in ports.search(tx, device_id=[id], device_owner=[INTERFACE]):
                served = {each.subnet_id for each in port.addresses}
                if port.id == port_id or subnet_id in served:
                    if any(
                        not served.isdisjoint(each.subnet_id for each in to.addresses) for to in _leads_by(tx, router)
                    ):
                        raise errors.Conflict(
                            f"Router interface for subnet {subnet_id or min(served)} on router {id} cannot be deleted, "
                            "as it is required by one or more floating IPs."
                        )
                    ports.delete(tx, port.id)
                    return _interface(router, port)
        what = f"subnet {subnet_id}" if subnet_id else f"port {port_id}"
        raise errors.NotFound(f"Router {id} does not have an interface with {what}")


class FloatingIPs:
    """Reads and changes floating IPs, as far as the caller may."""

    def __init__(self, db: Database, networks: Networks, ports: Ports, nova: Nova) -> None:
        self._db, self._networks, self._ports, self._nova = db, networks, ports, nova

    def search(self, ctxt: RequestContext, filters: Any = None) -> list[Json]:
        """List the floating IPs of the caller's project, an administrator's of all."""
        with self._db.read() as tx:
            found = _own(tx, ctxt, FLOATING_IPS)
            to = _leading(tx, [each.floating_ip_address for each in found])
        return [documents.floating_ip(each, to.get(each.floating_ip_address)) for each in found]

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one floating IP."""
        with self._db.read() as tx:
            return _floating_ip(tx, _find(tx, ctxt, FLOATING_IPS, id))

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Take an address of an external network, and have it lead to a port if one is named.

        :raises errors.Conflict: when none is left, or the port is led to already
        """
        policy.require_member(ctxt, "create_floatingip")
        said = network_schemas.columns(body, network_schemas.NEW_FLOATING_IP)
        with self._db.write() as tx:
            network = self._networks.find(tx, ctxt, said["floating_network_id"], lock=True)
            if not network.external:
                raise errors.InvalidInput(
                    f"Bad floatingip request: Network {network.id} is not a valid external network."
                )
            owner = policy.owner(ctxt, body, "create_floatingip")
            quotas.require_room(tx, owner, "floatingip")
            ip = self._take(tx, network, owner, said)
            shown = _floating_ip(tx, self._lead(tx, ctxt, ip, said))
            concerned = self._concerned(tx, ip)
        self._nova.tell(CHANGED, concerned.values())
        return shown

    def _take(self, tx: Connection, network: Network, owner: str, said: Json) -> FloatingIP:
        id, wanted = str(uuid4()), self._ports.wanted(tx, network, _named(said))
        v4 = [(range_, address) for range_, address in wanted if ":" not in range_.cidr][:1]
        if not v4:
            raise errors.InvalidInput(f"Bad floatingip request: Network {network.id} has no IPv4 subnet.")
        port_id = str(uuid4())
        make(tx, network, v4, id=port_id, project_id="", is_users=True, device_id=id, device_owner=FLOATING)
        address = ports.get(tx, port_id).addresses[0].address
        row = {"id": id, "project_id": owner, "description": said.get("description", "")}
        return FLOATING_IPS.create(tx, {**row, "floating_network_id": network.id, "floating_ip_address": address})

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Have a floating IP lead to another port, or to none."""
        policy.require_member(ctxt, "update_floatingip")
        said = network_schemas.columns(body, network_schemas.CHANGED_FLOATING_IP)
        with self._db.write() as tx:
            ip = _find(tx, ctxt, FLOATING_IPS, id, lock=True)
            concerned = self._concerned(tx, ip)
            if "description" in said:
                ip = FLOATING_IPS.update(tx, ip, description=said["description"])
            shown = _floating_ip(tx, self._lead(tx, ctxt, ip, said) if "port_id" in said else ip)
            concerned |= self._concerned(tx, ip)
        self._nova.tell(CHANGED, concerned.values())
        return shown

    def _concerned(self, tx: Connection, ip: FloatingIP) -> dict[str, Port]:
        """Find the port that a floating IP leads to now, by its id, if Nova is to be told of it."""
        if not self._nova.hears_of(CHANGED):
            return {}
        return {port.id: port for port in _leading(tx, [ip.floating_ip_address]).values()}

    def _lead(self, tx: Connection, ctxt: RequestContext, ip: FloatingIP, said: Json) -> FloatingIP:
        """Have a floating IP lead to an address of a port.

        :raises errors.NotFound: when no router leads from its network to that of the port
        """
        if not said.get("port_id"):
            ports.shown_again(tx, ports.float_to(tx, ip.floating_ip_address, None))
            return ip
        port = ports.get(tx, said["port_id"], policy.viewer(ctxt))
        v4 = [each for each in port.addresses if ":" not in each.address]
        chosen = [each for each in v4 if said.get("fixed_ip_address") in (None, each.address)]
        if not chosen:
            raise errors.InvalidInput(
                f"Bad floatingip request: Port {port.id} has no fixed IPv4 address {said.get('fixed_ip_address') or ''}"
            )
        address = chosen[0]
        if address.floating_address not in (None, ip.floating_ip_address):
            raise errors.Conflict(
                f"Cannot associate floating IP {ip.floating_ip_address} ({ip.id}) with port {port.id} using fixed IP "
                f"{address.address}, as that fixed IP already has a floating IP on external network "
                f"{ip.floating_network_id}."
            )
        # The gateway of the flat network, which is no router of a project, leads out to all networks that lead out.
        is_flat = self._networks.is_flat(port.network_id)
        router_id = None if is_flat else _way(tx, ip.floating_network_id, address.subnet_id).id
        ports.shown_again(tx, ports.float_to(tx, ip.floating_ip_address, port, address.address))
        return FLOATING_IPS.update(tx, ip, router_id=router_id)

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Give a floating IP back; it leads nowhere then."""
        policy.require_member(ctxt, "delete_floatingip")
        with self._db.write() as tx:
            ip = _find(tx, ctxt, FLOATING_IPS, id, lock=True)
            concerned = self._concerned(tx, ip)
            ports.shown_again(tx, ports.float_to(tx, ip.floating_ip_address, None))
            for port in of_devices(tx, None, [id]):
                ports.delete(tx, port.id)
            FLOATING_IPS.delete(tx, ip)
        self._nova.tell(CHANGED, concerned.values())

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of a floating IP."""
        _tag(self._db, ctxt, FLOATING_IPS, id, change, "update_floatingip")


def _tag(db: Database, ctxt: RequestContext, kind: Kind[Any], id: str, change: Retag, action: str) -> None:
    policy.require_member(ctxt, action)
    with db.write() as tx:
        found = _find(tx, ctxt, kind, id, lock=True)
        kind.update(tx, found, tags=tuple(change(found.tags)))


def _own(tx: Connection, ctxt: RequestContext, kind: Kind[Any]) -> list[Any]:
    viewer = policy.viewer(ctxt)
    return kind.search(tx) if viewer is None else kind.search(tx, project_id=[viewer])


def _find(tx: Connection, ctxt: RequestContext, kind: Kind[Any], id: str, *, lock: bool = False) -> Any:
    found = kind.get(tx, id, lock=lock)
    if policy.viewer(ctxt) not in (None, found.project_id):
        raise kind.missing(id)
    return found


def _router(tx: Connection, router: Router) -> Json:
    gateways = ports.search(tx, device_id=[router.id], device_owner=[GATEWAY])
    return documents.router(router, next(iter(gateways), None))


def _interface(router: Router, port: Port) -> Json:
    subnets = [each.subnet_id for each in port.addresses]
    return {
        "id": router.id,
        "tenant_id": router.project_id,
        "project_id": router.project_id,
        "port_id": port.id,
        "network_id": port.network_id,
        "subnet_id": subnets[0] if subnets else None,
        "subnet_ids": subnets,
        "tags": [],
    }


def _one_of(body: Json) -> tuple[str | None, str | None]:
    said = network_schemas.columns(body, network_schemas.INTERFACE)
    if len(said) != 1:
        either = (
            "Cannot specify both subnet-id and port-id" if said else "Either subnet_id or port_id must be specified"
        )
        raise errors.InvalidInput(f"Bad router request: {either}.")
    return said.get("subnet_id"), said.get("port_id")


def _floating_ip(tx: Connection, ip: FloatingIP) -> Json:
    return documents.floating_ip(ip, _leading(tx, [ip.floating_ip_address]).get(ip.floating_ip_address))


def _leading(tx: Connection, addresses: list[str]) -> dict[str, Port]:
    """Find the port that each of some floating addresses leads to."""
    found = ports.search(tx, floating_address=addresses) if addresses else []
    return {each.floating_address: port for port in found for each in port.addresses if each.floating_address}


def _leads_by(tx: Connection, router: Router) -> list[Port]:
    """List the ports that floating IPs lead to by a router."""
    floating = [each.floating_ip_address for each in FLOATING_IPS.search(tx, router_id=[router.id])]
    return list(_leading(tx, floating).values())


def _way(tx: Connection, external_network_id: str, subnet_id: str) -> Router:
    """Find the router that leads from a network to a subnet."""
    served_by = [port.device_id or "" for port in ports.search(tx, subnet_id=[subnet_id], device_owner=[INTERFACE])]
    for router in ROUTERS.search(tx, id=served_by):
        if router.external_network_id == external_network_id:
            return router
    raise errors.NotFound(
        f"External network {external_network_id} is not reachable from subnet {subnet_id}. Therefore, cannot associate "
        "Port with a Floating IP."
    )


def _named(said: Json) -> list[Json] | None:
    """Say which address a floating IP is to have; None where any will do."""
    names = {"floating_ip_address": "ip_address", "subnet_id": "subnet_id"}
    named = {names[name]: said[name] for name in names if said.get(name)}
    return [named] if named else None
