"""What must be true when all is mended and quiet: of each request that was acknowledged, and of the cloud as it is.

The model folds an instance's actions, which say how each operation ended, into the states in which it may rest; what
was acknowledged must be among the actions.  What was not, because it was refused or got no answer, may have happened
or not, but not by half.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, select

from mininova import states
from mininova.db import models
from mininova.db.actions import SUCCESS
from storm.clients import ACKNOWLEDGED, REFUSED, Request
from storm.cloud import Cloud

RESTS = {
    states.ACTIVE: states.RUNNING,
    states.STOPPED: states.SHUTDOWN,
    states.PAUSED: states.POWER_PAUSED,
    states.SUSPENDED: states.POWER_SUSPENDED,
    states.SHELVED: states.SHUTDOWN,
}
# A resized one rests as it did before, and its other guest is kept, stopped, where it came from.
RESIZED_RESTS = frozenset({states.RUNNING, states.SHUTDOWN})
REASON_WORDS = 3  # that a readable fault has at least


@dataclass(frozen=True)
class Disagreement:
    """Something that is not as it must be.

    :param subject: the uuid of an instance, or what else it is about
    :param requests: what was asked of it
    """

    subject: str
    problem: str
    requests: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Say it, with what was asked below."""
        return "\n        ".join([f"{self.subject}: {self.problem}", *self.requests])


@dataclass
class Seen:
    """What is in the database and on the hosts at one moment.

    :param steps: the last of each action
    :param claims: uuid of an instance, or of the open migration that keeps room for it → the row
    :param migrations: uuid of an instance → its open one
    :param left: (uuid of an instance, host) for each guest that may be left of a migration
    :param guests: uuid → host and power state of each
    """

    instances: dict[str, Any] = field(default_factory=dict)
    actions: dict[str, list[Any]] = field(default_factory=dict)
    steps: dict[int, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    migrations: dict[str, Any] = field(default_factory=dict)
    left: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[Any] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    guests: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        """Name the instances with an operation that has not ended."""
        open_rows = (row for rows in self.actions.values() for row in rows)
        return [row.instance_uuid for row in open_rows if row.due_at or not row.finish_time]

    @property
    def ends(self) -> Counter[tuple[str, ...]]:
        """Count how operations ended: (operation, how) → how often."""
        found: Counter[tuple[str, ...]] = Counter()
        for action in (row for rows in self.actions.values() for row in rows):
            step = self.steps.get(action.id)
            found[action.operation, (step.traceback or step.result) if step and step.result else "open"] += 1
        return found


def look(cloud: Cloud) -> Seen:
    """Read all of it, the guests last."""
    seen = Seen()
    with cloud.engine.connect() as tx:
        seen.instances = {row.uuid: row for row in _rows(tx, models.instances)}
        for row in _rows(tx, models.instance_actions):
            seen.actions.setdefault(row.instance_uuid, []).append(row)
        seen.steps = {row.action_id: row for row in _rows(tx, models.instance_action_events)}
        seen.faults = {row.instance_uuid: row.message for row in _rows(tx, models.instance_faults)}
        seen.claims = {row.instance_uuid: row for row in _rows(tx, models.allocations)}
        migrations = _rows(tx, models.migrations)
        seen.migrations = {row.instance_uuid: row for row in migrations if row.is_open}
        seen.left = [(row.instance_uuid, row.left_on) for row in migrations if row.left_on is not None]
        seen.addresses, seen.nodes = _rows(tx, models.ports), _rows(tx, models.compute_nodes)
    for host, file in cloud.guests():
        with suppress(FileNotFoundError):  # it was destroyed just now
            seen.guests.setdefault(file.stem, []).append((host, json.loads(file.read_text())["power_state"]))
    return seen


def _rows(tx: Connection, table: Table) -> list[Any]:
    return list(tx.execute(select(table).order_by(*table.primary_key)))


def disagreements(seen: Seen, requests: Sequence[Request]) -> list[Disagreement]:
    """List everything that is not as it must be."""
    boots = {request.subject: request for request in requests if request.operation == "boot"}
    asked: dict[str, list[Request]] = {}
    for request in requests:
        asked.setdefault(request.subject, []).append(request)
    found = [*_of_boots(seen, boots), *_of_the_cloud(seen)]
    for uuid, instance in seen.instances.items():
        mine = [boots[name] for name in _names(instance) if name in boots] + asked.get(uuid, [])
        lines = (*(request.line for request in mine), *map(_told, seen.actions.get(uuid, [])))
        refused = {request.request_id for request in mine if request.outcome == REFUSED}
        problems = [
            *_of_requests(seen, uuid, mine), *_of_instance(seen, instance, refused), *_of_guests(seen, instance)
        ]  # fmt: skip
        found += [Disagreement(uuid, problem, lines) for problem in problems]
    return found


def _names(instance: Any) -> tuple[str, str]:
    """Give the names that its boot may have asked for: one of several has a number behind it."""
    return instance.display_name, instance.display_name.rpartition("-")[0]


def _told(action: Any) -> str:
    return f"action {action.action} {action.request_id} {action.message or 'done' if action.finish_time else 'open'}"


# ---- what was acknowledged


def _of_boots(seen: Seen, boots: Mapping[str, Request]) -> Iterator[Disagreement]:
    """All instances of a boot are there, or none where it was not acknowledged."""
    made: dict[str, int] = dict.fromkeys(boots, 0)
    for instance in seen.instances.values():
        name = next((name for name in _names(instance) if name in made), None)
        if name is None:
            yield Disagreement(instance.uuid, f"no client has asked for {instance.display_name}")
        else:
            made[name] += 1
    for name, request in boots.items():
        may_be = {ACKNOWLEDGED: {request.count}, REFUSED: {0}}.get(request.outcome, {0, request.count})
        if made[name] not in may_be:
            problem = f"{made[name]} instances were made for a boot of {request.count}"
            yield Disagreement(name, problem, (request.line,))


def _of_requests(seen: Seen, uuid: str, requests: Sequence[Request]) -> Iterator[str]:
    """Each acknowledged request has an action; one that was refused has none, or one that says so."""
    recorded = {action.request_id for action in seen.actions.get(uuid, [])}
    done = {action.request_id for action in seen.actions.get(uuid, []) if not action.message}
    deleting = False
    for request in requests:
        again = request.operation == "delete" and deleting
        deleting = deleting or request.operation == "delete"
        if request.outcome == ACKNOWLEDGED and request.request_id not in recorded and not again:
            yield f"an acknowledged {request.operation} was not recorded: {request.request_id}"
        if request.outcome == REFUSED and request.request_id in done:
            yield f"a refused {request.operation} was done: {request.request_id}"
        if request.operation == "delete" and request.outcome == ACKNOWLEDGED and not seen.instances[uuid].deleted:
            yield f"an acknowledged delete left it {seen.instances[uuid].vm_state}: {request.request_id}"


# ---- each instance


def _of_instance(seen: Seen, instance: Any, refused: Collection[str]) -> Iterator[str]:
    uuid, claim, rest = instance.uuid, seen.claims.get(instance.uuid), _rest(instance)
    may_rest = _fold(seen, [it for it in seen.actions.get(uuid, []) if it.request_id not in refused])
    if instance.task_state is not None or instance.vm_state == states.BUILDING:
        yield f"it is {instance.vm_state}, {instance.task_state}, with nothing under way"
    elif rest not in may_rest:
        yield f"it is {rest}, and not {' or '.join(sorted(may_rest))}"
    if rest == states.ERROR and len(seen.faults.get(uuid, "").split()) < REASON_WORDS:
        yield f"it is in ERROR, and its fault says {seen.faults.get(uuid)!r}"
    if claim is not None and (instance.deleted or claim.host != instance.host):
        yield f"{claim.host} has room for it, and it is {rest} on {instance.host}"
    if rest in (*RESTS, states.RESIZED) and claim is None:
        yield f"it is {rest} on {instance.host} without a claim"
    migration = seen.migrations.get(uuid)
    if (migration is not None) != (rest == states.RESIZED):
        yield f"it is {rest}, and its migration is {migration.status if migration else 'none'}"
    if migration is not None:
        kept, source = seen.claims.get(migration.uuid), migration.source_compute
        if kept is None or kept.host != source:
            yield f"it may go back to {source}, and {kept.host if kept else 'no host'} has room for it"


def _rest(instance: Any) -> str:
    return states.DELETED if instance.deleted else str(instance.vm_state)


def _of_guests(seen: Seen, instance: Any) -> Iterator[str]:
    """What has a claim has one guest, on its host and nowhere else, and their power states agree.

    A resized one has a second guest, which is stopped, where it came from; one in ERROR may have none.
    """
    guests, rest, claim = dict(seen.guests.get(instance.uuid, [])), _rest(instance), seen.claims.get(instance.uuid)
    migration = seen.migrations.get(instance.uuid)
    kept = {migration.source_compute} if migration is not None else set()
    wanted = {instance.host, *kept} if claim is not None else set()
    if guests.keys() != wanted and not (rest == states.ERROR and not guests):
        where = ", ".join(sorted(guests)) or "no host"
        yield f"it is {rest} on {instance.host}, and its guests are on {where}"
        return
    if any(guests[host] != states.SHUTDOWN for host in kept - {instance.host}):
        yield "the guest that is kept of it runs"
    may_be = RESIZED_RESTS if rest == states.RESIZED else {RESTS[rest]} if rest in RESTS else None
    power = guests.get(instance.host)
    if may_be is not None and power is not None and (power != instance.power_state or power not in may_be):
        yield f"it is {rest}, its power state {instance.power_state}, that of its guest {power}"


def _fold(seen: Seen, actions: Sequence[Any]) -> set[str]:
    """Give the states in which an instance may rest after its actions.

    How the last step went counts: a build that its second host could do says Error, as in Nova.  An operation that
    failed may have done its work all the same, and its host tells of that later; or none, when the broker was away.
    """
    rests: set[str] = {states.BUILDING}
    for action in actions:
        operation = states.OPERATIONS[action.operation]
        if action.operation == "delete":
            return {states.DELETED} if action.finish_time else rests
        step = seen.steps.get(action.id)
        if not action.message or (step and step.result == SUCCESS):
            rests = _ends(operation, rests)
        elif step and (step.traceback or "").startswith("interrupted"):
            rests = rests | _ends(operation, rests)
        else:
            may_be = {operation.fails} if operation.fails else _ends(operation, rests)
            if action.operation == "shelve":  # which stops the guest first
                may_be |= {states.STOPPED}
            if action.operation in states.MIGRATIONS:  # it had moved already
                may_be |= {states.ERROR}
            rests = may_be if action.operation == "build" else rests | may_be
    return rests


def _ends(operation: states.Operation, rests: set[str]) -> set[str]:
    """Give the states in which an operation may leave an instance that was in one of some."""
    return set(operation.ends) or rests


# ---- the cloud


def _of_the_cloud(seen: Seen) -> Iterator[Disagreement]:
    live = {uuid for uuid, instance in seen.instances.items() if not instance.deleted}
    for uuid in seen.open:
        yield Disagreement(uuid, "an operation is still open", tuple(map(_told, seen.actions[uuid])))
    moving = {migration.uuid for migration in seen.migrations.values()}
    for uuid in seen.claims.keys() - live - moving:
        yield Disagreement(uuid, f"{seen.claims[uuid].host} has room for what is gone")
    for uuid, host in seen.left:
        if seen.instances[uuid].host != host:
            yield Disagreement(uuid, f"{host} has not said that nothing is left of it there")
    for row in seen.addresses:
        if row.instance_uuid not in live and not row.is_users:
            yield Disagreement(str(row.instance_uuid), f"the address {row.address} is lent to what is gone")
    for uuid in seen.guests.keys() - seen.instances.keys():
        yield Disagreement(uuid, f"a guest on {seen.guests[uuid][0][0]} has no instance")
    for node in seen.nodes:
        yield from _of_node(seen, node)


def _of_node(seen: Seen, node: Any) -> Iterator[Disagreement]:
    """What is used of a host is the sum of what is claimed there."""
    for used, claimed in (("vcpus_used", "vcpus"), ("memory_mb_used", "memory_mb"), ("local_gb_used", "disk_gb")):
        total = sum(getattr(claim, claimed) for claim in seen.claims.values() if claim.host == node.host)
        if getattr(node, used) != total:
            yield Disagreement(node.host, f"{used} is {getattr(node, used)}, and {total} are claimed")
