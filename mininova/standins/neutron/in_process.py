"""How the Compute API, in the same process, asks for ports and security groups, where a real Neutron is asked by HTTP.

``network_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

from collections.abc import Callable

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.neutron.groups import Groups
from mininova.standins.neutron.networks import Networks
from mininova.standins.neutron.nova_events import Nova
from mininova.standins.neutron.ports import Ports
from mininova.standins.neutron.routers import FloatingIPs
from mininova.standins.neutron.server_ports import ServerPorts
from mininova.wsgi import Parts
from mininova.wsgi.deploy import at_once


class NetworkService(Groups):
    """What an api asks of security groups, of the ``ports`` of servers, and of ``floating_ips``."""

    def __init__(self, db: Database, conf: ConfigOpts, spawn: Callable[..., object] = at_once) -> None:
        super().__init__(db)
        networks, nova = Networks(db, conf), Nova(conf, spawn)
        ports = Ports(db, networks, nova)
        self.ports = ServerPorts(db, networks, ports, nova)
        self.floating_ips = FloatingIPs(db, networks, ports, nova)


def network_service(parts: Parts) -> NetworkService:
    """Make the network service of an api."""
    return NetworkService(parts.db, parts.conf, parts.spawn)
