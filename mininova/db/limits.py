"""Limits: the most that a host may say it offers, so that its reports can lower what there is and never raise it.

An operator records them (``mininova-manage host limit``, ``host add``).  Without a record, the
host's first report sets them.  The conductor holds each report to them, in the transaction that writes it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, update

from mininova.db.models import host_limits as table
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
_ZONE = "availability_zone"  # of the service; all others are of the node

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


def keep(tx: Connection, service: Service, node: ComputeNode) -> tuple[Service, ComputeNode, str]:
    """Give a report as far as it keeps the limits of its host, and say in what it does not: "" when it keeps all.

    A limit that has no value yet gets the one of this report.
    """
    recorded, unknown, kept, beyond = get(tx, node.host), {}, {}, list[str]()
    for name in NAMES:
        most, said = getattr(recorded, name), getattr(service if name == _ZONE else node, name)
        if most is None:
            unknown[name] = kept[name] = said
        else:
            kept[name] = _lesser(most, said)
            beyond += [reason] if (reason := _beyond(name, most, said)) else []
    if any(value is not None for value in unknown.values()):
        record(tx, node.host, unknown)
    zone = kept.pop(_ZONE)
    return service.replace(availability_zone=zone), node.replace(**kept), "; ".join(beyond)


def _lesser(most: Any, said: Any) -> Any:
    """Give what was recorded, or what is said if that is less.  There is no less of a zone."""
    if isinstance(most, Mapping):
        shared = {name: _both(most[name], values) for name, values in said.items() if name in most}
        return {name: values for name, values in shared.items() if values is not None}
    return most if isinstance(most, str) else min(most, said)


def _both(recorded: str | list[str], said: str | list[str]) -> str | list[str] | None:
    """Give what is recorded of the values that are said; None when that leaves nothing of the name, either."""
    if isinstance(said, str):
        return said if said in _each(recorded) else None
    return [value for value in said if value in _each(recorded)]


def _beyond(name: str, most: Any, said: Any) -> str:
    """Say what a host has that is not recorded of it."""
    if isinstance(most, Mapping):
        return _added(most, said)
    if isinstance(most, str):
        return "" if said == most else f"its zone is {most}, and it says {said!s:.100}"
    return "" if said <= most else f"its {name} may be {most} at most, and it says {said}"


def _added(recorded: Mapping[str, str | list[str]], said: Mapping[str, str | list[str]]) -> str:
    for name, values in said.items():
        if more := _each(values) - _each(recorded.get(name, [])):
            return f"it says that it has {name!s:.50} {min(more)!s:.50}, which is not recorded of it"
    return ""


def _each(values: str | list[str]) -> set[str]:
    return {values} if isinstance(values, str) else set(values)
