"""mininova-manage denials: what callers wanted and were refused; a host that is denied things may be another's by now.

A compute that was never taken over is denied nothing.
"""

import argparse
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova.db import denials
from mininova.db.denials import Denied
from mininova.manage import table
from mininova.manage.database import opened

HEADINGS = ("caller", "method", "object", "times", "first", "last", "why")


def show(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """List the denials, the latest first."""
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = denials.search(tx, caller=parsed.caller)
    if not found:
        print("Nothing was denied to anybody." if parsed.caller is None else f"Nothing was denied to {parsed.caller}.")
        return
    table.show(HEADINGS, [_row(denied, now) for denied in found], right=(3,))


def _row(denied: Denied, now: datetime) -> list[str]:
    reason = denied.reason.rpartition(": ")[2]
    words = (denied.caller or "(nobody)", denied.method, denied.object)
    return [
        *map(_printable, words),
        str(denied.count),
        table.ago(denied.first_at, now),
        table.ago(denied.last_at, now),
        _printable(reason),
    ]


def _printable(word: str) -> str:
    """Show what would do something to a terminal as it is written in Python."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in word)


def clear(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Forget the denials of a caller, or all."""
    with opened(conf) as db, db.write() as tx:
        gone = denials.forget(tx, parsed.caller)
    print(f"forgot {gone} denial{'' if gone == 1 else 's'}")
