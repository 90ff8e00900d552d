"""mininova-manage rpc parked: the casts that were given up, and what becomes of them.

A command takes what is parked into its hands, looks, and settles what it was asked to.  The rest is back in its
place when the command has ended, however it ended.  A service of the controller parks for its topic, each compute host
for itself alone.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.db import identities, services
from mininova.flow.columns import aligned
from mininova.flow.payload import instances
from mininova.manage import table
from mininova.manage.database import opened
from mininova.rpc import parking
from mininova.rpc.parking import Parked
from mininova.rpc.watch.flow import without_secrets
from mininova.scheduler.rpcapi import SchedulerAPI

TOPICS = (ConductorAPI.topic, SchedulerAPI.topic, ComputeAPI.topic)
HEADINGS = ("message", "sent to", "method", "from", "request", "instance", "tries", "parked", "why")
NOTHING = "Nothing is parked: no cast was given up."

_SHORT = 8  # characters of an id, as long as they tell one message from another
_REQUEST = len("req-") + _SHORT


def places(conf: ConfigOpts, topic: str | None) -> Sequence[str]:
    """Name the places that casts may be parked for: the topics, and for compute each of its hosts.

    :param topic: only those of this one; it may be another project's, or one host's
    """
    if topic not in (None, ComputeAPI.topic):
        return (topic,)
    with opened(conf) as db, db.read() as tx:
        hosts = {service.host for service in services.search(tx) if service.topic == ComputeAPI.topic}
        hosts.update(host for identity in identities.search(tx) for host in identity.hosts)
    computes = [f"{ComputeAPI.topic}.{host}" for host in sorted(hosts)]
    return computes if topic else [ConductorAPI.topic, SchedulerAPI.topic, *computes]


def overview(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """List the parked casts, each topic's oldest first."""
    found = _parked(peer, where)
    if not found:
        print(NOTHING)
        return
    now, length = datetime.now(UTC), _telling_length([one.id for one in found])
    table.show(HEADINGS, [_row(one, length, now) for one in found], right=(6,))


def show(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """Print all that is known of one parked cast; what may be a secret is left out.

    :raises errors.NoSuchMessage: none is called so, or several are
    """
    one, *copies = _called(_parked(peer, where), parsed.message)
    for row in aligned(_facts(one, len(copies), datetime.now(UTC))):
        print("  ".join(row).rstrip())
    if one.request is None:
        print(f"\nbytes\n{one.message.body!r}")
        return
    for title, data in (("context", one.request.context), ("arguments", one.request.args)):
        print(f"\n{title}\n{json.dumps(without_secrets(data), indent=2, ensure_ascii=False)}")


def requeue(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """Send parked casts to where they were sent first, as if nobody had tried them yet.

    :raises rpc.Undeliverable: some could not be sent, and stay parked
    """
    chosen, left = _chosen(peer, where, parsed), 0
    for one in chosen:
        try:
            one.send_again(peer)
        except rpc.Undeliverable as error:
            left += 1
            print(f"stays parked  {_named(one)}: {error}")
        else:
            print(f"sent again    {_named(one)}")
    if left:
        raise rpc.Undeliverable(f"{left} of {len(chosen)} could not be sent again, and stay parked")


def drop(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """Forget parked casts, and say which they were."""
    for one in _chosen(peer, where, parsed):
        one.drop()
        print(f"dropped  {_named(one)}")


# ---- which


def _parked(peer: rpc.Peer, where: Sequence[str]) -> list[Parked]:
    found: list[Parked] = []
    for each in where:
        try:
            found += parking.parked(peer, each)
        except rpc.Undeliverable:  # there is no queue before the first is parked
            if len(where) == 1 and each not in TOPICS:
                raise rpc.Undeliverable(
                    f"nothing was ever parked for a topic {each}; those of mininova are {', '.join(TOPICS)}"
                ) from None
    return found


def _chosen(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> list[Parked]:
    found = _parked(peer, where)
    if not parsed.all:
        return _called(found, parsed.message)
    if not found:
        print(NOTHING)
    return found


def _called(found: Sequence[Parked], wanted: str) -> list[Parked]:
    """Find a message by its id or the beginning of it; a sender that was in doubt may have sent it twice."""
    ids = {one.id for one in found if wanted and one.id.startswith(wanted)}
    ids = {wanted} if wanted in ids else ids
    if len(ids) == 1:
        return [one for one in found if one.id in ids]
    several = ", ".join(sorted(ids))
    hint = f"these begin so: {several}" if ids else "mininova-manage rpc parked list shows what there is"
    raise errors.NoSuchMessage(wanted=wanted or "nothing", hint=hint)


def _telling_length(ids: Sequence[str]) -> int:
    """Say how much of each id is needed to tell them apart."""
    longest = max(map(len, ids))
    enough = (length for length in range(_SHORT, longest) if len({id_[:length] for id_ in ids}) == len(set(ids)))
    return next(enough, longest)


# ---- how they look


def _row(one: Parked, length: int, now: datetime) -> list[str]:
    cells = (
        one.id[:length],
        one.key or one.topic,
        _method(one),
        one.message.app_id,
        _request_id(one)[:_REQUEST],
        ", ".join(name or uuid for uuid, name in _instances(one)),
        str(one.message.deliveries),
        "" if one.since is None else table.ago(one.since, now),
        one.error,
    )
    return [_plain(cell) for cell in cells]


def _facts(one: Parked, copies: int, now: datetime) -> list[tuple[str, str]]:
    """Name what is known of a message; what is not known has no line."""
    facts = {
        "message": one.id + (f", and {copies} more of the same" if copies else ""),
        "topic": one.topic,
        "sent to": one.key or "",
        "method": _method(one),
        "from": one.message.app_id,
        "request": _request_id(one),
        "instance": ", ".join(f"{name} {uuid}".strip() for uuid, name in _instances(one)),
        "tries": str(one.message.deliveries),
        "parked": "" if one.since is None else f"{table.ago(one.since, now)}, {one.since:%Y-%m-%d %H:%M:%S} UTC",
        "why": one.error,
    }
    return [(name, _plain(value)) for name, value in facts.items() if value]


def _named(one: Parked) -> str:
    about = ", ".join(name or uuid for uuid, name in _instances(one))
    return _plain(" ".join(filter(None, (one.id, _method(one), "for", one.key or one.topic, about and f"({about})"))))


def _method(one: Parked) -> str:
    return "unreadable" if one.request is None else f"{one.request.method} {one.request.version}".rstrip()


def _request_id(one: Parked) -> str:
    named: Any = one.request.context.get("request_id") if one.request else None
    return named if isinstance(named, str) else ""


def _instances(one: Parked) -> list[tuple[str, str]]:
    return list(instances(without_secrets(one.request.args)).items()) if one.request else []


def _plain(text: str) -> str:
    """Keep a message from writing anything but text on the operator's terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
