"""mininova-manage status: whether the database, the broker and each service are there."""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc
from mininova.db import services
from mininova.flow import output
from mininova.flow.output import Column
from mininova.manage.database import opened
from mininova.manage.services import state

COLUMNS = Column("what"), Column("where"), Column("state"), Column("more")


def show(conf: ConfigOpts, parsed: argparse.Namespace, connect: Callable[[], object]) -> None:
    """List what a cloud is made of, and how each part does.

    :param connect: connects to the broker, and disconnects
    :raises errors.NotAllUp: when a part is down
    """
    rows = [_broker(conf, connect), *_database_and_services(conf)]
    output.show_list(parsed.format, COLUMNS, rows, none="")
    if down := [row for row in rows if row["state"] == "down"]:
        raise errors.NotAllUp(count=len(down))


def _broker(conf: ConfigOpts, connect: Callable[[], object]) -> dict[str, Any]:
    try:
        connect()
    except rpc.RPCError as error:
        return _row("broker", "", "down", str(error))
    return _row("broker", "", "up", "")


def _database_and_services(conf: ConfigOpts) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    try:
        with opened(conf) as db, db.read() as tx:
            found = services.search(tx)
    except errors.DatabaseNotReady as error:
        yield _row("database", "", "down", str(error))
        return
    yield _row("database", db.name, "up", "")
    for service in found:
        heard = output.ago(service.last_seen_up, now)
        yield _row(service.binary, service.host, state(service, now, conf.service_down_time), f"heard of {heard}")


def _row(what: str, where: str, is_up: str, more: str) -> dict[str, Any]:
    return {"what": what, "where": where, "state": is_up, "more": more}
