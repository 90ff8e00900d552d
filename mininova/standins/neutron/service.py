"""What every handler of the network service works with, put together once."""

from dataclasses import dataclass

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database


@dataclass(frozen=True)
class Service:
    """The database, and the settings, which make the network."""

    db: Database
    conf: ConfigOpts
