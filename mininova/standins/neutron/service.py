"""What every handler of the network service works with, put together once."""

from dataclasses import dataclass

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.neutron.nova_events import Nova


@dataclass(frozen=True)
class Service:
    """The database, the settings, which make the network, and who tells Nova of it."""

    db: Database
    conf: ConfigOpts
    nova: Nova
