"""The network service as Paste Deploy starts it."""

from mininova.standins.neutron import routes
from mininova.standins.neutron.nova_events import Nova
from mininova.standins.neutron.service import Service
from mininova.wsgi import Application, current_parts


def app_factory(global_conf: dict[str, str]) -> Application:
    """Make the Paste application ``network_app``."""
    parts = current_parts()
    return Application(routes.table(Service(parts.db, parts.conf, Nova(parts.conf, parts.spawn))), "network")
