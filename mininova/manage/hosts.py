"""mininova-manage host: the compute hosts, their room, and what keeps one from being chosen."""

import argparse
from datetime import UTC, datetime
from functools import partial
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.db import hosts, services
from mininova.flow import output
from mininova.flow.output import Column
from mininova.manage.database import opened
from mininova.manage.services import enabled, state
from mininova.objects import ComputeNode, Service

NONE_YET = (
    "No compute host has registered yet.  It does with its first heartbeat: start mininova-compute and a conductor."
)


def show(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """List the compute hosts with what is promised of their room, and what may be."""
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = hosts.states(tx)
    columns = (
        Column("host"),
        Column("zone"),
        Column("state"),
        Column("enabled", enabled),
        Column("vcpus", _promised, right=True),
        Column("memory_mb", _promised, "memory MiB", right=True),
        Column("disk_gb", _promised, "disk GiB", right=True),
        Column("last_heard_of", partial(output.ago, now=now)),
    )
    rows = [_row(node, service, now, conf.service_down_time) for node, service in found]
    output.show_list(parsed.format, columns, rows, none=NONE_YET)


def _row(node: ComputeNode, service: Service, now: datetime, down_time: float) -> dict[str, Any]:
    return {
        "host": node.host,
        "zone": service.availability_zone,
        "state": state(service, now, down_time),
        "enabled": not service.disabled,
        "vcpus": _room(node.vcpus_used, node.vcpus, node.cpu_allocation_ratio),
        "memory_mb": _room(node.memory_mb_used, node.memory_mb, node.ram_allocation_ratio),
        "disk_gb": _room(node.local_gb_used, node.local_gb, node.disk_allocation_ratio),
        "last_heard_of": service.last_seen_up,
    }


def _room(used: int, there: int, ratio: float) -> dict[str, int]:
    return {"promised": used, "offered": int(there * ratio)}


def _promised(room: dict[str, int]) -> str:
    return f"{room['promised']} of {room['offered']}"


def discover(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Say of each compute host whether instances can be scheduled to it, and if not, what is missing.

    Nova's command of this name maps new hosts to a cell.  mininova has no cells, and a host joins the cloud with its
    first heartbeat, so this command only shows whether it did.
    """
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = {service.host: service for service in services.search(tx) if service.topic == "compute"}
        nodes = {node.host for node in hosts.search(tx)}
    rows = []
    for host in sorted(found.keys() | nodes):
        lack = missing(found.get(host), host in nodes, now, conf.service_down_time)
        rows.append({"host": host, "schedulable": not lack, "what_is_missing": lack})
    columns = Column("host"), Column("schedulable", lambda can: "yes" if can else "no"), Column("what_is_missing")
    output.show_list(parsed.format, columns, rows, none=NONE_YET)


def missing(service: Service | None, has_node: bool, now: datetime, down_time: float) -> str:
    """Say what keeps a host from being chosen; "" when nothing does."""
    if service is None:
        return "its service is not registered: start mininova-compute there"
    if service.forced_down:
        return "it was forced down"
    if not services.is_up(service, now, down_time):
        return f"it was last heard of {output.ago(service.last_seen_up, now)}: is mininova-compute running?"
    if service.disabled:
        return f"it is disabled: {service.disabled_reason or 'no reason was given'}"
    if not has_node:
        return "it has not reported its capacity yet"
    return ""
