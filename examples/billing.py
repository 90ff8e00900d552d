"""Bill instance-hours from notifications: listen to them, and print what each project owes.

    python examples/billing.py listen --config-file /etc/mininova/mininova.conf
    python examples/billing.py report

Every event of an instance says when it was launched and when it was deleted, so any of them will do, in any order
and any number of times: what one lost, the next one brings, at the latest the hourly compute.instance.exists.  A
notification is acknowledged when SQLite has it on disk; so nothing is lost when this listener is stopped or killed.

It knows of mininova the library rpc and nothing else, and would as well bill for a Nova (--exchange nova).
"""

import argparse
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from typing import Any

from mininova import rpc
from mininova.rpc.transports.amqp import AMQPTransport

SCHEMA = """
    CREATE TABLE IF NOT EXISTS instances (
        uuid TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        flavor TEXT NOT NULL,
        launched_at INTEGER,  -- seconds since 1970; NULL until it runs
        deleted_at INTEGER    -- NULL until it is deleted
    )"""

# Of two moments the earlier one counts, and any one rather than none: the order of the events makes no difference.
HEAR = """
    INSERT INTO instances VALUES (:uuid, :project, :flavor, :launched_at, :deleted_at)
    ON CONFLICT (uuid) DO UPDATE SET
        launched_at = COALESCE(MIN(launched_at, excluded.launched_at), launched_at, excluded.launched_at),
        deleted_at = COALESCE(MIN(deleted_at, excluded.deleted_at), deleted_at, excluded.deleted_at)"""

TOTALS = """
    SELECT project, flavor, COUNT(*), SUM(COALESCE(deleted_at > :until, TRUE)),
           SUM(MAX(0, MIN(COALESCE(deleted_at, :until), :until) - launched_at))
    FROM instances WHERE launched_at < :until GROUP BY project, flavor ORDER BY project, flavor"""

END = {signal.SIGINT, signal.SIGTERM}


class Bill:
    """What is known of each instance, in a file."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)  # the listener has a thread
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(SCHEMA)

    def hear(self, notification: rpc.Notification) -> None:
        """Write down what an event of an instance says; when this returns, it is on disk."""
        if not notification.event_type.startswith("compute.instance."):
            return
        told: dict[str, Any] = notification.payload
        self._db.execute(HEAR, {
            "uuid": told["instance_id"],
            "project": told["tenant_id"],
            "flavor": told["instance_type"],
            "launched_at": seconds(told.get("launched_at")),
            "deleted_at": seconds(told.get("deleted_at")),
        })  # fmt: skip
        print(f"{notification.timestamp:%H:%M:%S} {notification.event_type} {told['instance_id']}", flush=True)

    def totals(self, until: int) -> list[tuple[str, str, int, int, int]]:
        """Give project, flavor, number of instances, how many of them still run, and their seconds up to a moment."""
        return self._db.execute(TOTALS, {"until": until}).fetchall()


def seconds(moment: str | None) -> int | None:
    """Read a moment as Nova writes it; "" is none."""
    if not moment:
        return None
    read = datetime.fromisoformat(moment)
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def listen(args: argparse.Namespace) -> None:
    """Keep the bill until a signal ends this, or the time is up."""
    signal.pthread_sigmask(signal.SIG_BLOCK, END)  # for all threads; below they are waited for
    url, exchange = broker(args.config_file)
    peer = rpc.Peer(AMQPTransport(url), name="billing", exchange=exchange)
    hear = Bill(args.database).hear
    listener = rpc.Listener(peer, hear, priorities=["info"], pool="billing", exchange=args.exchange)
    peer.start()
    listener.start()
    print("listening", flush=True)
    signal.sigwait(END) if args.seconds is None else signal.sigtimedwait(END, args.seconds)
    listener.stop()
    peer.stop()


def broker(path: str) -> tuple[str, str]:
    """Read from a mininova.conf where the broker is, and the exchange."""
    settings = ConfigParser(interpolation=None, strict=False)
    with open(path) as file:
        settings.read_file(file)
    found = {"transport_url": "amqp://guest:guest@127.0.0.1:5672/", "control_exchange": "mininova"}
    found |= settings.defaults()
    return found["transport_url"].replace("$$", "$"), found["control_exchange"]


def report(args: argparse.Namespace) -> None:
    """Print what each project owes for each flavor."""
    for row in table(Bill(args.database).totals(args.until)):
        print(row)


def table(totals: list[tuple[str, str, int, int, int]]) -> Iterator[str]:
    """Write the totals in columns, with their sum."""
    yield f"{'project':<34}{'flavor':<12}{'instances':>10}{'running':>9}{'seconds':>12}{'hours':>10}"
    whole = ("all", "", *(sum(column) for column in list(zip(*totals, strict=True))[2:] or [(), (), ()]))
    for project, flavor, instances, running, spent in [*totals, whole]:
        yield f"{project:<34}{flavor:<12}{instances:>10}{running:>9}{spent:>12}{spent / 3600:>10.2f}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Bill instance-hours from notifications.")
    parser.add_argument("--database", default="billing.sqlite", help="the SQLite file of the bill (%(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listening = commands.add_parser("listen", help="keep the bill, until SIGTERM or Ctrl-C")
    config_file = os.environ.get("MININOVA_CONFIG_FILE", "/etc/mininova/mininova.conf")
    listening.add_argument("--config-file", default=config_file, help="a mininova.conf: says where the broker is")
    listening.add_argument("--exchange", help="where the notifications are sent, if not where mininova sends them")
    listening.add_argument("--seconds", type=float, help="end after so long")
    listening.set_defaults(command=listen)

    reporting = commands.add_parser("report", help="print what each project owes for each flavor")
    now = int(time.time())
    reporting.add_argument("--until", type=seconds, default=now, help="the moment up to which what runs counts (now)")
    reporting.set_defaults(command=report)

    args = parser.parse_args()
    try:
        args.command(args)
    except (rpc.RPCError, sqlite3.Error, OSError) as error:
        sys.exit(f"billing: {error}")


if __name__ == "__main__":
    main()
