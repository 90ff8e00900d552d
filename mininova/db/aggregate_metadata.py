"""What the aggregates of a compute host say of it, copied into its compute node, so that a scheduler reads one row.

All that they say is there for filters.  And they say how far a host may be overcommitted: the ``cpu_allocation_ratio``,
``ram_allocation_ratio`` and ``disk_allocation_ratio`` of an aggregate count instead of what its hosts report, the least
of several, as AggregateCoreFilter, AggregateRamFilter and AggregateDiskFilter did in Nova until Ussuri.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, func, select, update

from mininova.db import generations
from mininova.db.models import aggregate_hosts, aggregates, compute_nodes

#: What the aggregates of a host have for each key, separated at commas.
Said = Mapping[str, frozenset[str]]

RATIOS = ("cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio")
#: What the aggregates of a node say of these, in their order; NULL where they say nothing.
COLUMNS = [compute_nodes.c[f"aggregate_{name}"] for name in RATIOS]
LEAST, MOST = 0.01, 2.0**31 - 1

_metadata = (
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
        | {compute_nodes.c.aggregate_metadata: bindparam("said"), compute_nodes.c.generation: generations.NEXT}
    )
)


def of_hosts(tx: Connection, hosts: Collection[str]) -> dict[str, Said]:
    """Read what the aggregates of some hosts say."""
    found: dict[str, dict[str, frozenset[str]]] = {host: {} for host in hosts}
    for host, metadata in tx.execute(_metadata, {"hosts": list(hosts)}):
        known = found[host]
        for key, text in metadata.items():
            known[key] = known.get(key, frozenset()) | {value.strip() for value in text.split(",")}
    return dict(found)


def write(tx: Connection, hosts: Collection[str]) -> None:
    """Write down what the aggregates of some hosts say now; of a ratio that they do not, the next report counts."""
    said = of_hosts(tx, hosts)
    values = [
        {
            "on_host": host,
            "said": {key: sorted(said[host][key]) for key in sorted(said[host])} or None,
            **{f"said_{name}": _least(said[host].get(name, ())) for name in RATIOS},
            **generations.now(),
        }
        for host in sorted(said)
    ]
    if values:
        tx.execute(_write, values)


def _least(texts: Collection[str]) -> float | None:
    """Give the least of some ratios, apart from what is none."""
    return min((ratio for text in texts if (ratio := _ratio(text)) is not None), default=None)


def _ratio(text: str) -> float | None:
    try:
        ratio = float(text)
    except ValueError:
        return None
    return ratio if LEAST <= ratio <= MOST else None
