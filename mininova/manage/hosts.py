"""mininova-manage host: the compute hosts, their room, and what keeps one from being chosen."""

import argparse
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova.db import hosts, services
from mininova.manage import table
from mininova.manage.database import opened
from mininova.manage.services import state
from mininova.objects import ComputeNode, Service

NONE_YET = (
    "No compute host has registered yet.  It does with its first heartbeat: start mininova-compute and a conductor."
)


def show(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """List the compute hosts with what is promised of their room, and what may be."""
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = hosts.states(tx)
    if not found:
        print(NONE_YET)
        return
    headings = ("host", "zone", "state", "enabled", "vcpus", "memory MiB", "disk GiB", "last heard of")
    rows = [_row(node, service, now, conf.service_down_time) for node, service in found]
    table.show(headings, rows, right=(4, 5, 6))


def _row(node: ComputeNode, service: Service, now: datetime, down_time: float) -> list[str]:
    return [
        node.host,
        service.availability_zone,
        state(service, now, down_time),
        "disabled" if service.disabled else "enabled",
        _room(node.vcpus_used, node.vcpus, node.cpu_allocation_ratio),
        _room(node.memory_mb_used, node.memory_mb, node.ram_allocation_ratio),
        _room(node.local_gb_used, node.local_gb, node.disk_allocation_ratio),
        table.ago(service.last_seen_up, now),
    ]


def _room(used: int, there: int, ratio: float) -> str:
    return f"{used} of {int(there * ratio)}"


def discover(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Say of each compute host whether instances can be scheduled to it, and if not, what is missing.

    Nova's command of this name maps new hosts to a cell.  Here there are no cells, and a host is part of the
    cloud with its first heartbeat; what is left is to see that it arrived.
    """
    now = datetime.now(UTC)
    with opened(conf) as db, db.read() as tx:
        found = {service.host: service for service in services.search(tx) if service.topic == "compute"}
        nodes = {node.host for node in hosts.search(tx)}
    if not found and not nodes:
        print(NONE_YET)
        return
    rows = []
    for host in sorted(found.keys() | nodes):
        lack = missing(found.get(host), host in nodes, now, conf.service_down_time)
        rows.append([host, "no" if lack else "yes", lack])
    table.show(("host", "schedulable", "what is missing"), rows)


def missing(service: Service | None, has_node: bool, now: datetime, down_time: float) -> str:
    """Say what keeps a host from being chosen; "" when nothing does."""
    if service is None:
        return "its service is not registered: start mininova-compute there"
    if service.forced_down:
        return "it was forced down"
    if not services.is_up(service, now, down_time):
        return f"it was last heard of {table.ago(service.last_seen_up, now)}: is mininova-compute running?"
    if service.disabled:
        return f"it is disabled: {service.disabled_reason or 'no reason was given'}"
    if not has_node:
        return "it has not reported its capacity yet"
    return ""
