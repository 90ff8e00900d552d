"""What disagrees in the database: claims, migrations, addresses and open operations of no instance or another host.

Each transaction of the services keeps these tables in agreement, so what is found here is left of a fault of ours, or
of a row that a hand has changed.  ``mininova-manage audit`` is the one caller.  CHECKS is a row for each kind of
disagreement: how it is found, and how it is mended, if that can be done without harm.  Mending looks again, under a
lock, at what was found: the services go on meanwhile.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Integer, and_, cast, exists, func, or_, select, true

from mininova import states
from mininova.db import actions, claims, hosts, identities, networks, server_migrations, services
from mininova.db.instances import LIVE, ROWS
from mininova.db.models import allocations, compute_nodes, instance_actions, instances, migrations, ports
from mininova.objects import FixedIP, Instance


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Two things that do not agree.

    :param what: which kind it is: claim, migration, room, address, operation or guest
    :param says: what is wrong, as a sentence that goes on after the instance and the host
    """

    what: str
    says: str
    instance: str | None = None
    host: str | None = None


Found = Iterator[tuple[str | None, str | None, str]]  # instance, host, says


@dataclass(frozen=True)
class Check:
    """A kind of disagreement.

    :param find: looks for it
    :param mend: ends it if it is still so, and says what was done; None where only a person can decide
    """

    what: str
    find: Callable[[Connection], Found]
    mend: Callable[[Connection, Disagreement], str] | None


def find(tx: Connection) -> list[tuple[Check, Disagreement]]:
    """List all that disagrees."""
    return [
        (check, Disagreement(what=check.what, instance=instance, host=host, says=says))
        for check in CHECKS
        for instance, host, says in check.find(tx)
    ]


# ---- claims

_of_live = and_(instances.c.uuid == allocations.c.instance_uuid, LIVE)
_claims = select(allocations.c.instance_uuid, allocations.c.host)
_its_migration = and_(migrations.c.instance_uuid == instances.c.uuid, migrations.c.is_open == true())
_of_migration = exists().where(migrations.c.uuid == allocations.c.instance_uuid, migrations.c.is_open == true())
_moves = exists().where(_its_migration)
_idle_claims = (
    _claims.outerjoin(instances, _of_live)
    .where(~_of_migration)
    .where(or_(instances.c.uuid.is_(None), and_(instances.c.host.is_(None), instances.c.task_state.is_(None))))
    .order_by(allocations.c.instance_uuid)
)
_claims_elsewhere = (
    _claims.add_columns(instances.c.host.label("instance_host"))
    .join(instances, _of_live)
    .where(instances.c.host != allocations.c.host, ~_moves)
    .order_by(allocations.c.instance_uuid)
)
_without_claim = (
    select(instances.c.uuid, instances.c.host, instances.c.vm_state)
    .outerjoin(allocations, allocations.c.instance_uuid == instances.c.uuid)
    .where(LIVE, instances.c.host.is_not(None), instances.c.vm_state != states.ERROR)
    .where(allocations.c.instance_uuid.is_(None), ~_moves)
    .order_by(instances.c.uuid)
)
_moving = (
    select(migrations.c.uuid, migrations.c.instance_uuid, instances.c.uuid.label("instance"), instances.c.vm_state)
    .outerjoin(instances, and_(_its_migration, LIVE))
    .where(migrations.c.is_open == true())
    .where(
        or_(instances.c.uuid.is_(None), and_(instances.c.task_state.is_(None), instances.c.vm_state != states.RESIZED))
    )
    .order_by(migrations.c.id)
)


def _idle_claim(tx: Connection) -> Found:
    for uuid, host in tx.execute(_idle_claims):
        yield uuid, host, "has a claim, and there is no such instance that needs it"


def _free_claim(tx: Connection, it: Disagreement) -> str:
    instance = _locked(tx, it.instance)
    if instance is not None and (instance.host or instance.task_state):
        return ""
    return f"freed its claim on {it.host}" if claims.free(tx, it.instance or "", it.host) else ""


def _claim_elsewhere(tx: Connection) -> Found:
    for uuid, host, on in tx.execute(_claims_elsewhere):
        yield uuid, host, f"has its claim there, and is on {on}"


def _no_claim(tx: Connection) -> Found:
    for uuid, host, vm_state in tx.execute(_without_claim):
        yield uuid, host, f"is {vm_state}, and has no claim"


def _move_claim(tx: Connection, it: Disagreement) -> str:
    """Claim the room where the instance is: it is used there, whether there is room or not."""
    instance = _locked(tx, it.instance)
    if instance is None or instance.host is None or not claims.put(tx, instance.uuid, instance.host, instance.flavor):
        return ""
    return f"claimed its room on {instance.host}"


# ---- migrations


def _open_migration(tx: Connection) -> Found:
    for _, uuid, instance, vm_state in tx.execute(_moving):
        yield uuid, None, f"has a migration that is open, and is {vm_state if instance else 'gone'}"


def _settle(tx: Connection, it: Disagreement) -> str:
    instance = _locked(tx, it.instance)
    if not any(uuid == it.instance for uuid, _, _ in _open_migration(tx)):
        return ""
    if instance is not None:
        server_migrations.settle(tx, instance, server_migrations.ERROR)
    else:
        server_migrations.forget(tx, it.instance or "")
    return "closed the migration"


# ---- room

_promised = (
    select(
        allocations.c.host,
        *(cast(func.sum(allocations.c[name]), Integer).label(name) for name in ("vcpus", "memory_mb", "disk_gb")),
        func.count().label("instances"),
    )
    .group_by(allocations.c.host)
    .subquery()
)
_counted = (
    (compute_nodes.c.vcpus_used, _promised.c.vcpus),
    (compute_nodes.c.memory_mb_used, _promised.c.memory_mb),
    (compute_nodes.c.local_gb_used, _promised.c.disk_gb),
    (compute_nodes.c.instances_used, _promised.c.instances),
)
_miscounted = (
    select(compute_nodes.c.host, *(column for pair in _counted for column in pair))
    .outerjoin(_promised, _promised.c.host == compute_nodes.c.host)
    .where(or_(*(used != func.coalesce(promised, 0) for used, promised in _counted)))
    .order_by(compute_nodes.c.host)
)


def _wrong_sum(tx: Connection) -> Found:
    for host, *sums in tx.execute(_miscounted):
        counted, promised = sums[::2], [promised or 0 for promised in sums[1::2]]
        words = "{} vCPUs, {} MiB, {} GiB and {} instances"
        yield None, host, f"counts {words.format(*counted)} as claimed, and its claims are {words.format(*promised)}"


def _count_again(tx: Connection, it: Disagreement) -> str:
    return "counted its claims" if hosts.count_claims(tx, it.host or "") else ""


# ---- addresses

_lent_to_none = (
    select(ports.c.instance_uuid, ports.c.address)
    .outerjoin(instances, and_(instances.c.uuid == ports.c.instance_uuid, LIVE))
    .where(ports.c.instance_uuid.is_not(None), instances.c.uuid.is_(None))
    .order_by(ports.c.address)
)
_shown = select(instances.c.uuid, instances.c.host, instances.c.addresses).where(LIVE).order_by(instances.c.uuid)
_lent = select(ports.c.instance_uuid, ports.c.address, ports.c.floating_address).where(
    ports.c.instance_uuid.is_not(None)
)
_awaited = select(ports.c.waits_for).where(ports.c.waits_for.is_not(None)).distinct()


def _lent_without_instance(tx: Connection) -> Found:
    for uuid, address in tx.execute(_lent_to_none):
        yield uuid, None, f"has the address {address}, and there is no such instance"


def _free_address(tx: Connection, it: Disagreement) -> str:
    if _locked(tx, it.instance) is not None:
        return ""
    return "freed its address" if networks.free(tx, it.instance or "") else ""


def _shown_otherwise(tx: Connection) -> Found:
    shown = tx.execute(_shown).all()
    lent: dict[str, set[str]] = {}
    for uuid, *its in tx.execute(_lent):
        lent.setdefault(uuid, set()).update(address for address in its if address is not None)
    for uuid, host, addresses in shown:
        if (said := _plain(addresses)) != (has := lent.get(uuid, set())):
            yield uuid, host, f"shows the address {_in_words(said)}, and has {_in_words(has)}"


def _waits_for_none(tx: Connection) -> Found:
    known = {service.host for service in services.search(tx)}
    known |= {host for identity in identities.search(tx) for host in identity.hosts}
    for host in sorted(set(tx.execute(_awaited).scalars()) - known):
        yield None, host, "is waited for with addresses of its guests, and is no host of this cloud"


def _wait_no_longer(tx: Connection, it: Disagreement) -> str:
    networks.forget(tx, it.host or "")
    return "lends these addresses again"


def _plain(addresses: Collection[FixedIP]) -> set[str]:
    return {ip.address for ip in addresses}


def _in_words(addresses: Collection[str]) -> str:
    return ", ".join(sorted(addresses)) or "none"


# ---- open operations

_operations = (
    select(
        instance_actions.c.instance_uuid,
        instance_actions.c.operation,
        instances.c.uuid,
        instances.c.host,
        instances.c.task_state,
    )
    .outerjoin(instances, and_(instances.c.uuid == instance_actions.c.instance_uuid, LIVE))
    .where(instance_actions.c.due_at.is_not(None))
    .order_by(instance_actions.c.id)
)
_unrecorded = (
    select(instances.c.uuid, instances.c.host, instances.c.task_state)
    .outerjoin(
        instance_actions,
        and_(instance_actions.c.instance_uuid == instances.c.uuid, instance_actions.c.due_at.is_not(None)),
    )
    .where(LIVE, instances.c.task_state.is_not(None), instance_actions.c.id.is_(None))
    .order_by(instances.c.uuid)
)


def _open_for_none(tx: Connection) -> Found:
    for uuid, operation, there, host, task_state in tx.execute(_operations):
        if there is None:
            yield uuid, None, f"has a {operation} that is open, and is gone"
        elif task_state not in states.under_way(operation):
            yield uuid, host, f"has a {operation} that is open, and its task is {task_state or 'none'}"


def _close(tx: Connection, it: Disagreement) -> str:
    _locked(tx, it.instance)
    if not any(uuid == it.instance for uuid, _, _ in _open_for_none(tx)):
        return ""
    actions.finish(tx, it.instance or "", "it had ended, and its end was not recorded")
    return "closed the operation"


def _under_way_unrecorded(tx: Connection) -> Found:
    for uuid, host, task_state in tx.execute(_unrecorded):
        yield uuid, host, f"is {task_state}, and no operation is open that would end it: reset its state"


def _locked(tx: Connection, uuid: str | None) -> Instance | None:
    """Read an instance, and keep others from changing it until the end of the transaction."""
    return ROWS.first(tx.execute(ROWS.one.where(LIVE).with_for_update(), {"which": uuid}))


# ---- the table

# fmt: off
CHECKS: Collection[Check] = (
    #     what         find                    mend
    Check("claim",     _idle_claim,            _free_claim),
    Check("claim",     _claim_elsewhere,       _move_claim),
    Check("claim",     _no_claim,              _move_claim),
    Check("migration", _open_migration,        _settle),
    Check("room",      _wrong_sum,             _count_again),
    Check("address",   _lent_without_instance, _free_address),
    Check("address",   _shown_otherwise,       None),
    Check("address",   _waits_for_none,        _wait_no_longer),
    Check("operation", _open_for_none,         _close),
    Check("operation", _under_way_unrecorded,  None),
)
# fmt: on


# ---- guests

_on_hosts = select(instances.c.uuid, instances.c.host, instances.c.vm_state, instances.c.task_state).where(
    LIVE, instances.c.host.is_not(None)
)


def compare_guests(tx: Connection, guests: Mapping[str, Collection[str]]) -> list[Disagreement]:
    """List the guests that have no instance on their host, and the instances at rest that have no guest there.

    :param guests: host → the instance of each guest; it was asked before the database is, so that a build that has just
        begun is no disagreement
    """
    rows = tx.execute(_on_hosts).all()
    moving = server_migrations.all_open(tx)
    here = {(row.host, row.uuid) for row in rows}
    here |= {(host, it.instance_uuid) for it in moving for host in (it.source_compute, it.dest_compute) if host}
    strangers = sorted({(host, uuid) for host, uuids in guests.items() for uuid in uuids} - here)
    lost = [
        row
        for row in rows
        if row.vm_state in (states.ACTIVE, states.STOPPED)
        and row.task_state is None
        and row.uuid not in guests.get(row.host, (row.uuid,))
    ]
    return [
        *(Disagreement(what="guest", instance=uuid, host=host, says="has a guest there, and is not there")
          for host, uuid in strangers),
        *(Disagreement(what="guest", instance=row.uuid, host=row.host, says=f"is {row.vm_state}, and has no guest")
          for row in lost),
    ]  # fmt: skip
