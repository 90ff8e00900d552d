"""What Nova asks of networks and ports for its servers, in its own transactions, with its own refusals."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from mininova import errors
from mininova.context import RequestContext
from mininova.db import networks, ports
from mininova.db.ports import Port
from mininova.db.session import Connection, Database
from mininova.objects import FixedIP
from mininova.standins.neutron import policy
from mininova.standins.neutron.db import things
from mininova.standins.neutron.db.things import Network
from mininova.standins.neutron.documents import Json
from mininova.standins.neutron.networks import Networks
from mininova.standins.neutron.nova_events import CHANGED, DELETED, PLUGGED, UNPLUGGED, Nova
from mininova.standins.neutron.ports import Ports, is_admin_up, make, of_devices

AMBIGUOUS = "Multiple possible networks found, use a Network ID to be more specific."


class ServerPorts:
    """Gives ports to servers, and takes them back.

    A network interface that is asked for is as in the body of Nova's POST /servers: ``port``, or ``uuid`` of a network,
    and ``fixed_ip``; and ``tag``.
    """

    def __init__(self, db: Database, networks: Networks, ports: Ports, nova: Nova) -> None:
        self._db, self._networks, self._ports, self._nova = db, networks, ports, nova

    def require_one_network(self, ctxt: RequestContext) -> None:
        """Refuse to choose a network for a caller whose project may use several.

        :raises errors.Conflict: when it may
        """
        with self._db.read() as tx:
            if things.has_network(tx, ctxt.project_id or ""):
                raise errors.Conflict(AMBIGUOUS)

    def check(self, ctxt: RequestContext, wanted: Sequence[Json], count: int) -> None:
        """Refuse network interfaces that new servers cannot have.

        :param count: how many servers
        :raises errors.InvalidInput: naming the network, the port or the address
        :raises errors.PortInUse: when something has a port
        :raises errors.NotAllowed: when a network leads out
        """
        asked = Counter(nic["port"] for nic in wanted if nic.get("port"))
        if asked and max(asked.values()) > 1:
            (id, _), *_ = asked.most_common(1)
            raise errors.InvalidInput(f"Port ID '{id}' was specified twice: you cannot attach a port multiple times.")
        with self._db.read() as tx:
            for nic in wanted:
                if nic.get("port"):
                    self._check_port(tx, ctxt, nic, count)
                elif nic.get("uuid"):
                    self._check_network(tx, ctxt, nic, count)
                else:
                    raise errors.InvalidInput("Bad network format: missing 'uuid'")

    def _check_port(self, tx: Connection, ctxt: RequestContext, nic: Json, count: int) -> None:
        id = nic["port"]
        if nic.get("fixed_ip"):
            raise errors.InvalidInput(
                f"Specified Fixed IP '{nic['fixed_ip']}' cannot be used with port '{id}': the two cannot be specified "
                "together."
            )
        if count > 1:
            raise errors.InvalidInput(
                "Failed to launch instances: Unable to launch multiple instances with a single configured port ID. "
                "Please launch your instance one by one with different ports."
            )
        try:
            port = ports.get(tx, id, policy.viewer(ctxt))
        except errors.PortNotFound:
            raise errors.InvalidInput(f"Port id {id} could not be found.") from None
        self._require_usable(tx, ctxt, port)

    @staticmethod
    def _require_usable(tx: Connection, ctxt: RequestContext, port: Port) -> None:
        if port.project_id != ctxt.project_id:
            raise errors.InvalidInput(f"Port {port.id} not usable for instance of project {ctxt.project_id}.")
        if port.instance_uuid is not None or port.device_id is not None:
            raise errors.PortInUse(port_id=port.id)
        if not port.addresses:
            raise errors.InvalidInput(f"Port {port.id} requires a FixedIP in order to be used.")

    def _check_network(self, tx: Connection, ctxt: RequestContext, nic: Json, count: int) -> None:
        network, address = self._usable_network(tx, ctxt, nic.get("uuid")), nic.get("fixed_ip")
        if address and count > 1:
            raise errors.InvalidInput(
                "Failed to launch instances: max_count cannot be greater than 1 if an specific IP address is specified."
            )
        if address:
            self._ports.wanted(tx, network, [{"ip_address": address}])
            for other in ports.search(tx, network_id=[network.id], address=[address]):
                raise errors.InvalidInput(
                    f"Fixed IP address {address} is already in use on instance {other.instance_uuid or 'none'}."
                )

    def _usable_network(self, tx: Connection, ctxt: RequestContext, id: str | None) -> Network:
        try:
            network = self._networks.find(tx, ctxt, id or "")
        except errors.NotFound:
            raise errors.InvalidInput(f"Network {id} could not be found.") from None
        self._require_for_servers(tx, ctxt, network)
        return network

    def _require_for_servers(self, tx: Connection, ctxt: RequestContext, network: Network) -> None:
        if network.external and not network.shared and not ctxt.is_admin:
            raise errors.NotAllowed(f"It is not allowed to create an interface on external network {network.id}")
        if not self._networks.subnets_of(tx, network.id):
            raise errors.InvalidInput(f"Network {network.id} requires a subnet in order to boot instances on.")

    def _default(self, tx: Connection, ctxt: RequestContext) -> str:
        """Name the one network that a caller's project may use."""
        if things.has_network(tx, ctxt.project_id or ""):
            raise errors.InvalidInput(AMBIGUOUS)
        return self._networks.seen(tx, ctxt)[0].id

    def plug(
        self, tx: Connection, ctxt: RequestContext, instance_uuid: str, wanted: Sequence[Json]
    ) -> tuple[list[str], tuple[FixedIP, ...]]:
        """Give a server the ports that it asks for: those of a user, and new ones; which go with it.

        :return: their ids, and the addresses of all its ports
        """
        ids = []
        for nic in wanted:
            ids.append(id := nic.get("port") or str(uuid4()))
            if nic.get("port"):
                self._require_usable(tx, ctxt, ports.get(tx, id, policy.viewer(ctxt)))
                ports.bind(tx, id, instance_uuid, nic.get("tag"))
                continue
            network = self._networks.find(tx, ctxt, nic.get("uuid") or self._default(tx, ctxt), lock=True)
            self._require_for_servers(tx, ctxt, network)
            fixed_ips = [{"ip_address": nic["fixed_ip"]}] if nic.get("fixed_ip") else None
            make(
                tx, network, self._ports.wanted(tx, network, fixed_ips),
                id=id, instance_uuid=instance_uuid, tag=nic.get("tag"), plugged_at=datetime.now(UTC),
            )  # fmt: skip
        return ids, networks.show(tx, instance_uuid)

    def networks(self, ctxt: RequestContext) -> list[Json]:
        """List the networks that a caller sees."""
        return self._networks.search(ctxt)

    def add_address(self, ctxt: RequestContext, instance_uuid: str, network_id: str) -> None:
        """Give the port of a server in a network one more address.

        :raises errors.InvalidInput: when it has no port there, or all addresses are lent
        """
        with self._db.write() as tx:
            for port in ports.search(tx, instance_uuid=[instance_uuid], network_id=[network_id]):
                network = self._networks.find(tx, ctxt, network_id, lock=True)
                (range_, _), *_ = self._ports.wanted(tx, network, None)
                try:
                    ports.add_address(tx, port, range_, None)
                except errors.NoMoreAddresses as full:
                    raise errors.InvalidInput(f"No fixed IP addresses available for network: {network_id}") from full
                networks.show(tx, instance_uuid)
                break
            else:
                raise errors.InvalidInput(f"Network {network_id} could not be found for instance {instance_uuid}.")
        self._nova.tell(CHANGED, [port])

    def remove_address(self, ctxt: RequestContext, instance_uuid: str, address: str) -> None:
        """Take an address from a server.

        :raises errors.InvalidInput: when it has no such address
        """
        with self._db.write() as tx:
            for port in ports.search(tx, instance_uuid=[instance_uuid]):
                if address in (each.address for each in port.addresses):
                    ports.remove_address(tx, port, address)
                    networks.show(tx, instance_uuid)
                    break
            else:
                raise errors.InvalidInput(f"Fixed IP not found for instance {instance_uuid}: {address}")
        self._nova.tell(CHANGED, [port])

    def ports_of(self, ctxt: RequestContext, instance_uuid: str) -> list[Json]:
        """List the ports of a server, each with its ``tag``."""
        with self._db.read() as tx:
            found = of_devices(tx, None, [instance_uuid])
        return [shown | {"tag": port.tag} for shown, port in zip(self._ports.shown(ctxt, found), found, strict=True)]

    # ---- what Nova has done with the ports of a server, as it tells a real Neutron by their binding

    def bound(self, instance_uuid: str, port_id: str | None = None) -> None:
        """Hear that the ports of a server, or one of them, are on its host: those that are not switched off are ACTIVE.

        This is looked up in the background, and only where Nova is to be told.
        """
        if self._nova.hears_of(PLUGGED):
            self._nova.spawn(self._plugged, instance_uuid, port_id)

    def _plugged(self, instance_uuid: str, port_id: str | None) -> None:
        with self._db.read() as tx:
            found = of_devices(tx, None, [instance_uuid])
        self._nova.tell(PLUGGED, [port for port in found if port_id in (None, port.id) and is_admin_up(port)])

    def left(self, port: Port) -> None:
        """Hear that a server has a port no more; one that no user made is deleted.

        :param port: as it was before
        """
        self._nova.tell(UNPLUGGED if port.is_users else DELETED, [port])
