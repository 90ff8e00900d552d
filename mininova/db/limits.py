"""Limits: the most that a host may say it offers, so that its reports can lower what there is and never raise it.

An operator records them (``mininova-manage host limit``, ``host add``).  What nobody has recorded, the host's first
report does.  The conductor asks before it writes a report; nobody else needs them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, update

from mininova.db.models.compute import host_limits as table
from mininova.db.rows import Rows, insert_new
from mininova.objects import ComputeNode, Service


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a host may say it offers; None is not limited yet.

    :param memory_mb: MiB
    :param local_gb: GiB of disk
    :param availability_zone: the one that it may say it is in
    :param image_properties: what it may say of the images that it can run, with each value that it may name
    :param cpu_info: what it may say of its processors, likewise
    """

    host: str
    vcpus: int | None = None
    memory_mb: int | None = None
    local_gb: int | None = None
    cpu_allocation_ratio: float | None = None
    ram_allocation_ratio: float | None = None
    disk_allocation_ratio: float | None = None
    availability_zone: str | None = None
    image_properties: dict[str, list[str]] | None = None
    cpu_info: dict[str, str | list[str]] | None = None


ROWS = Rows(Limits, table, key="host")
NAMES = [column.name for column in ROWS.columns if column.name != "host"]
AMOUNTS = (
    "vcpus", "memory_mb", "local_gb", "cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio",
)  # fmt: skip

_insert = insert(table)
_update = update(table).where(table.c.host == bindparam("which"))
_delete = delete(table).where(ROWS.which)


def get(tx: Connection, host: str) -> Limits:
    """Read the limits of a host; one of which nothing is recorded has none."""
    return ROWS.first(tx.execute(ROWS.one, {"which": host})) or Limits(host=host)


def search(tx: Connection) -> list[Limits]:
    """List all that is recorded, by host."""
    return ROWS.all(tx.execute(ROWS.select.order_by(table.c.host)))


def record(tx: Connection, host: str, limits: Mapping[str, Any]) -> None:
    """Write some limits of a host down, and leave the others as they are.

    :param limits: fields of Limits; None lets the next report say
    """
    if not insert_new(tx, _insert, {"host": host, **dict.fromkeys(NAMES), **limits}) and limits:
        tx.execute(_update, {**limits, "which": host})


def forget(tx: Connection, host: str) -> None:
    """Forget the limits of a host; its next report records them anew."""
    tx.execute(_delete, {"which": host})


def exceeded(limits: Limits, service: Service, node: ComputeNode) -> str:
    """Say which limit a report exceeds; "" when it keeps all."""
    for name in AMOUNTS:
        most, said = getattr(limits, name), getattr(node, name)
        if most is not None and said > most:
            return f"its {name} may be {most:g} at most, and it says {said:g}"
    if limits.availability_zone not in (None, service.availability_zone):
        return f"its zone is {limits.availability_zone}, and it says {service.availability_zone!s:.100}"
    return _added(limits.image_properties, node.image_properties) or _added(limits.cpu_info, node.cpu_info)


def _added(recorded: Mapping[str, str | list[str]] | None, said: Mapping[str, str | list[str]]) -> str:
    """Say what a host has that is not recorded of it."""
    if recorded is None:
        return ""
    for name, values in said.items():
        if more := _each(values) - _each(recorded.get(name, [])):
            return f"it says that it has {name!s:.50} {min(more)!s:.50}, which is not recorded of it"
    return ""


def _each(values: str | list[str]) -> set[str]:
    return {values} if isinstance(values, str) else set(values)


def learn(tx: Connection, limits: Limits, service: Service, node: ComputeNode) -> None:
    """Record what nobody has, from a report."""
    said = {name: getattr(service if name == "availability_zone" else node, name) for name in NAMES}
    if unknown := {name: value for name, value in said.items() if getattr(limits, name) is None}:
        record(tx, limits.host, unknown)
