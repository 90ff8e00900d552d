"""mininova-manage denials: what callers asked for and were refused.

A compute that works as it should is never refused anything: one that is may have been taken over.
"""

import argparse
from datetime import UTC, datetime
from functools import partial
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.db import denials
from mininova.db.denials import Denied
from mininova.flow import output
from mininova.flow.output import Column
from mininova.manage.database import opened


def show(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """List the denials, the latest first."""
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = denials.search(tx, caller=parsed.caller)
    when = partial(output.ago, now=now)
    columns = (
        Column("caller", lambda caller: caller or "(unknown)"),
        Column("method"),
        Column("object"),
        Column("times", right=True),
        Column("first", when),
        Column("last", when),
        Column("why"),
    )
    none = "No caller was denied anything." if parsed.caller is None else f"{parsed.caller} was denied nothing."
    output.show_list(parsed.format, columns, [_row(denied) for denied in found], none=none)


def _row(denied: Denied) -> dict[str, Any]:
    return {
        "caller": denied.caller,
        "method": denied.method,
        "object": denied.object,
        "times": denied.count,
        "first": denied.first_at,
        "last": denied.last_at,
        "why": denied.reason.rpartition(": ")[2],
    }


def clear(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Forget the denials of a caller, or all."""
    with opened(conf) as db, db.write() as tx:
        gone = denials.forget(tx, parsed.caller)
    output.say(f"forgot {gone} denial{'' if gone == 1 else 's'}")
