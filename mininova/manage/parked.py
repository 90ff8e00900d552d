"""mininova-manage rpc parked: list, show, requeue or drop the casts that a service gave up.

A command receives all parked messages, acknowledges those that it requeues or drops, and the broker puts the others
back when it ends, however it ends.  A service of the controller parks for its topic, a compute host for itself alone.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.db import identities, services
from mininova.flow import output
from mininova.flow.output import Column
from mininova.flow.payload import instances
from mininova.manage.database import opened
from mininova.rpc import parking
from mininova.rpc.parking import Parked
from mininova.rpc.watch.flow import without_secrets
from mininova.scheduler.rpcapi import SchedulerAPI

TOPICS = (ConductorAPI.topic, SchedulerAPI.topic, ComputeAPI.topic)
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
    found, now = _parked(peer, where, parsed), datetime.now(UTC)
    length = _telling_length([one.id for one in found])
    columns = (
        Column("message", lambda id_: id_[:length]),
        Column("sent_to"),
        Column("method"),
        Column("from"),
        Column("request", lambda id_: id_[:_REQUEST]),
        Column("instances", _names, "instance"),
        Column("tries", right=True),
        Column("parked", partial(_ago, now=now)),
        Column("by"),
        Column("why"),
    )
    output.show_list(parsed.format, columns, list(map(_facts, found)), none=NOTHING)


def show(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """Print all that is known of one parked cast, without its secrets.

    :raises errors.NoSuchMessage: no message has this id, or several begin with it
    """
    one, *copies = _called(_parked(peer, where, parsed), parsed.message)
    if one.request is None:
        whole: dict[str, Any] = {"bytes": repr(one.message.body)}
    else:
        whole = {name: without_secrets(getattr(one.request, name)) for name in ("context", "args")}
    facts = _facts(one) | {"topic": one.topic, "copies": len(copies)}
    if parsed.format == "json":
        output.show_json(facts | whole)
        return
    output.show_one(parsed.format, _lines(facts, datetime.now(UTC)), facts)
    for title, data in whole.items():
        output.show_part(title, data)


def requeue(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """Send parked casts to where they were sent first, with their deliveries counted from 0.

    :raises rpc.Undeliverable: some could not be sent, and stay parked
    """
    chosen, left = _chosen(peer, where, parsed), 0
    for one in chosen:
        try:
            one.send_again(peer)
        except rpc.Undeliverable as error:
            left += 1
            output.say(f"stays parked  {_named(one)}: {error}")
        else:
            output.say(f"sent again    {_named(one)}")
    if left:
        raise rpc.Undeliverable(f"{left} of {len(chosen)} could not be sent again, and stay parked")


def drop(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> None:
    """Forget parked casts, and say which they were."""
    for one in _chosen(peer, where, parsed):
        one.drop()
        output.say(f"dropped  {_named(one)}")


# ---- which


def _parked(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> list[Parked]:
    found: list[Parked] = []
    for each in where:
        try:
            found += parking.parked(peer, each)
        except rpc.Undeliverable:  # there is no queue before the first is parked
            if len(where) == 1 and each not in TOPICS:
                raise rpc.Undeliverable(
                    f"nothing was ever parked for a topic {each}; those of mininova are {', '.join(TOPICS)}"
                ) from None
    return [one for one in found if parsed.by in (None, one.by)]


def _chosen(peer: rpc.Peer, where: Sequence[str], parsed: argparse.Namespace) -> list[Parked]:
    found = _parked(peer, where, parsed)
    if not parsed.all:
        return _called(found, parsed.message)
    if not found:
        output.say(NOTHING)
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
    longest = max(map(len, ids), default=0)
    enough = (length for length in range(_SHORT, longest) if len({id_[:length] for id_ in ids}) == len(set(ids)))
    return next(enough, longest)


# ---- how they look


def _facts(one: Parked) -> dict[str, Any]:
    """Give what is known of a message, as plain data."""
    return {
        "message": one.id,
        "sent_to": one.key or one.topic,
        "method": _method(one),
        "from": one.message.app_id,
        "request": _request_id(one),
        "instances": [{"uuid": uuid, "name": name} for uuid, name in _instances(one)],
        "tries": one.message.deliveries,
        "parked": one.since,
        "by": one.by,
        "why": one.error,
    }


def _lines(facts: dict[str, Any], now: datetime) -> list[Column]:
    """Say what the lines of one message are, when it is shown to people."""
    more = f", and {facts['copies']} more of the same" if facts["copies"] else ""
    return [
        Column("message", lambda id_: id_ + more),
        *map(Column, ("topic", "sent_to", "method", "from", "request")),
        Column("instances", _names_and_uuids, "instance"),
        Column("tries"),
        Column("parked", lambda since: since and f"{_ago(since, now)}, {since:%Y-%m-%d %H:%M:%S} UTC"),
        Column("by"),
        Column("why"),
    ]


def _ago(since: datetime | None, now: datetime) -> str:
    return "" if since is None else output.ago(since, now)


def _names(these: Sequence[dict[str, str]]) -> str:
    return ", ".join(one["name"] or one["uuid"] for one in these)


def _names_and_uuids(these: Sequence[dict[str, str]]) -> str:
    return ", ".join(f"{one['name']} {one['uuid']}".strip() for one in these)


def _named(one: Parked) -> str:
    about = ", ".join(name or uuid for uuid, name in _instances(one))
    return " ".join(filter(None, (one.id, _method(one), "for", one.key or one.topic, about and f"({about})")))


def _method(one: Parked) -> str:
    return "unreadable" if one.request is None else f"{one.request.method} {one.request.version}".rstrip()


def _request_id(one: Parked) -> str:
    named: Any = one.request.context.get("request_id") if one.request else None
    return named if isinstance(named, str) else ""


def _instances(one: Parked) -> list[tuple[str, str]]:
    return list(instances(without_secrets(one.request.args)).items()) if one.request else []
