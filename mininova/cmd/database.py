"""The database as the commands that have one open it.  mininova-compute must never import this."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from oslo_config.cfg import ConfigOpts

from mininova import rpc
from mininova.db import services
from mininova.db.session import Database
from mininova.objects import Service
from mininova.service import concurrency
from mininova.service.upgrade_levels import UpgradeLevels


def open_database(settings: ConfigOpts) -> Database:
    """Open the database of the settings; that it is there and has its tables is what Process.connect waits for.

    Several services in one process share it: so their writers queue in one place.
    """
    where = settings.database
    database = _database(where.connection, where.connect_retry, where.answer_timeout)
    if database.engine.driver == "psycopg" and concurrency.chosen() == concurrency.EVENTLET:
        from mininova.service.concurrency import green_psycopg

        green_psycopg.install()
    return database


@cache
def _database(url: str, connect_retry: float, answer_timeout: float | None) -> Database:
    return Database(url, connect_retry=connect_retry, answer_timeout=answer_timeout)


def registered(database: Database) -> Callable[[], rpc.Levels]:
    """Make what reads which versions the services have registered."""

    def read() -> rpc.Levels:
        with database.read() as tx:
            return services.levels(tx)

    return read


def recorder(database: Database, levels: UpgradeLevels) -> Callable[[Service], None]:
    """Make what records a heartbeat, and learns at each what the others speak by now."""

    def record(service: Service) -> None:
        with database.write() as tx:
            services.report(tx, service, datetime.now(UTC))
            spoken = services.levels(tx)
        levels.learn(spoken)

    return record
