"""mininova-manage service: which processes there are, and how to forget one that is gone for good."""

import argparse
from datetime import UTC, datetime
from functools import partial
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import hosts, instances, services
from mininova.flow import output
from mininova.flow.output import Column
from mininova.manage.database import Tx, opened
from mininova.objects import Service

NONE_YET = "No service has registered yet.  Each does with its first heartbeat: start mininova-conductor first."


def show(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """List the services."""
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = services.search(tx)
    columns = (
        Column("binary"),
        Column("host"),
        Column("zone"),
        Column("enabled", enabled),
        Column("state"),
        Column("last_heard_of", partial(output.ago, now=now)),
        Column("id"),
    )
    rows = [_row(service, now, conf.service_down_time) for service in found]
    output.show_list(parsed.format, columns, rows, none=NONE_YET)


def _row(service: Service, now: datetime, down_time: float) -> dict[str, Any]:
    return {
        "binary": service.binary,
        "host": service.host,
        "zone": service.availability_zone,
        "enabled": not service.disabled,
        "state": state(service, now, down_time),
        "last_heard_of": service.last_seen_up,
        "id": service.uuid,
    }


def enabled(value: bool) -> str:
    """Write whether a service takes work."""
    return "enabled" if value else "disabled"


def state(service: Service, now: datetime, down_time: float) -> str:
    """Say whether a service is up or down."""
    return "up" if services.is_up(service, now, down_time) else "down"


def delete(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Forget a service; of a compute host, also its capacity.

    :raises errors.Conflict: while it is up, or has instances
    """
    now = datetime.now(UTC)
    with opened(conf) as db, db.write() as tx:
        service = _named(tx, parsed.service)
        who = f"{service.binary}@{service.host}"
        if services.is_up(service, now, conf.service_down_time):
            raise errors.Conflict(
                f"{who} is up (last heard of {output.ago(service.last_seen_up, now)}), and would register anew.  "
                f"Stop it first; it counts as down after {conf.service_down_time} s without a heartbeat."
            )
        if service.topic == "compute":
            _forget_host(tx, service.host)
        services.delete(tx, service.uuid)
    output.say(f"forgot {who}")


def _named(tx: Tx, asked: str) -> Service:
    """Find a service by its id, or by ``binary@host``."""
    binary, at, host = asked.partition("@")
    if not at:
        return services.get(tx, asked)
    found = services.search(tx, host=host, binary=binary)
    if not found:
        raise errors.ServiceNotFound(service_id=asked)
    return found[0]


def _forget_host(tx: Tx, host: str) -> None:
    left = instances.list_by_host(tx, host)
    if left:
        names = ", ".join(instance.display_name for instance in left[:3])
        raise errors.Conflict(f"{host} still has {len(left)} instance(s): {names}.  Delete them first.")
    hosts.delete(tx, host)
