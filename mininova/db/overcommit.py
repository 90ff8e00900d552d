"""Overcommit by aggregate: how much of a host may be promised, where the metadata of its aggregates says so.

The ``cpu_allocation_ratio``, ``ram_allocation_ratio`` and ``disk_allocation_ratio`` of an aggregate count instead of
what its hosts report, the least of several, as AggregateCoreFilter, AggregateRamFilter and AggregateDiskFilter did in
Nova until Ussuri.  Each node keeps a copy beside the ratio that counts, so that claims and filters look at one row.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, func, select, update

from mininova.db import generations
from mininova.db.models.compute import aggregate_hosts, aggregates, compute_nodes

RATIOS = ("cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio")
#: What the aggregates of a node say, in the order of RATIOS; NULL where they say nothing.
COLUMNS = [compute_nodes.c[f"aggregate_{name}"] for name in RATIOS]
LEAST, MOST = 0.01, 2.0**31 - 1

_said = (
    select(aggregate_hosts.c.host, aggregates.c.metadata)
    .join_from(aggregate_hosts, aggregates, aggregates.c.id == aggregate_hosts.c.aggregate_id)
    .where(aggregate_hosts.c.host.in_(bindparam("hosts", expanding=True)))
)
_write = (
    update(compute_nodes)
    .where(compute_nodes.c.host == bindparam("on_host"))
    .values(
        {column: bindparam(f"said_{name}") for name, column in zip(RATIOS, COLUMNS, strict=True)}
        | {
            compute_nodes.c[name]: func.coalesce(bindparam(f"said_{name}", type_=column.type), compute_nodes.c[name])
            for name, column in zip(RATIOS, COLUMNS, strict=True)
        }
        | {compute_nodes.c.generation: generations.NEXT}
    )
)


def says(*metadata: Mapping[str, str | None]) -> bool:
    """Tell whether any metadata is about overcommit."""
    return any(name in said for said in metadata for name in RATIOS)


def of_hosts(tx: Connection, hosts: Collection[str]) -> dict[str, dict[str, float | None]]:
    """Read what the aggregates of some hosts say of each ratio; None where they say nothing that makes sense."""
    found: dict[str, dict[str, float | None]] = {host: dict.fromkeys(RATIOS) for host in hosts}
    for host, metadata in tx.execute(_said, {"hosts": list(hosts)}):
        for name in RATIOS:
            ratio, known = _ratio(metadata.get(name, "")), found[host][name]
            if ratio is not None:
                found[host][name] = ratio if known is None else min(known, ratio)
    return found


def write(tx: Connection, hosts: Collection[str]) -> None:
    """Write down what the aggregates of some hosts say now; where they say nothing, the next report counts."""
    said = of_hosts(tx, hosts)
    values = [
        {"on_host": host, **generations.now(), **{f"said_{name}": said[host][name] for name in RATIOS}}
        for host in sorted(said)
    ]
    if values:
        tx.execute(_write, values)


def _ratio(text: str) -> float | None:
    try:
        ratio = float(text)
    except ValueError:
        return None
    return ratio if LEAST <= ratio <= MOST else None
