"""How the Compute API, in the same process, asks for ports and security groups, where a real Neutron is asked by HTTP.

``network_service`` of ``[app:compute_app]`` in api-paste.ini names this, and nothing imports it.
"""

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.neutron.groups import Groups
from mininova.standins.neutron.networks import Networks
from mininova.standins.neutron.ports import Ports
from mininova.standins.neutron.routers import FloatingIPs
from mininova.standins.neutron.server_ports import ServerPorts
from mininova.wsgi import Parts


class NetworkService(Groups):
    """What an api asks of security groups, of the ``ports`` of servers, and of ``floating_ips``."""

    def __init__(self, db: Database, conf: ConfigOpts) -> None:
        super().__init__(db)
        networks = Networks(db, conf)
        ports = Ports(db, networks)
        self.ports, self.floating_ips = ServerPorts(db, networks, ports), FloatingIPs(db, networks, ports)


def network_service(parts: Parts) -> NetworkService:
    """Make the network service of an api."""
    return NetworkService(parts.db, parts.conf)
