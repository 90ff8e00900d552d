"""mininova-manage check: compare the broker's users, rights, lanes and bounds with what they should be, and mend them.

What users and rights should be is in trust/broker/rights.py; what is behind the lanes of the computes, and how much a
compute may fill, in trust/broker/definitions.py.
"""

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import identities as recorded
from mininova.flow import output
from mininova.manage.broker_admin import BrokerAdmin
from mininova.manage.database import opened
from mininova.manage.identities import layout_of
from mininova.rpc.envelope import MAX_BODY_BYTES
from mininova.rpc.transports.kombu.brokers import PREFIX, place
from mininova.service import broker as services
from mininova.trust import identities
from mininova.trust.broker import definitions, qpid
from mininova.trust.broker.rights import FLOW, Layout, rights
from mininova.trust.identities import Identity
from mininova.trust.processes import UNENFORCED

MENDS = "mininova-manage check --repair mends that"

#: Settings of the broker: what mininova needs at most, and what is weak about more.
SETTINGS = {
    "max_message_size": (MAX_BODY_BYTES, "takes messages of {} bytes"),
    "channel_max": (256, "lets a connection have {} channels"),
    "consumer_timeout": (30 * 60 * 1000, "waits {} ms for a message to be acknowledged"),
}


def run(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Print what is weaker than it should be.

    :raises errors.Weaker: when anything is
    """
    with opened(conf) as db, db.read() as tx:
        known, hashes = recorded.search(tx), recorded.password_hashes(tx)
    found = list(by_kombu(conf))
    if services.has_users(conf):
        admin = BrokerAdmin(conf)
        if parsed.repair:
            repair(conf, known, admin)
        found += _weaker_there(conf, known, admin, hashes)
    if parsed.format == "json":
        output.show_json({"weaker": found, "services": len(identities.TRUSTED), "computes": len(known)})
    else:
        good = f"each of {len(identities.TRUSTED)} services and {len(known)} computes has its own rights, and no more"
        for line in [f"weaker  {each}" for each in found] or [f"good    {good}"]:
            output.say(line)
    if found:
        raise errors.Weaker(count=len(found))


def by_kombu(conf: ConfigOpts) -> Iterator[str]:
    """Give a sentence for each promise that the broker cannot keep by plain kombu."""
    if conf.transport_url.startswith(PREFIX):
        scheme = conf.transport_url.partition("://")[0]
        for promise in sorted(place(conf.transport_url).broker.lacks):
            yield f"messages go by {scheme}://, and nothing there {promise}"


def repair(conf: ConfigOpts, computes: list[Identity], admin: BrokerAdmin) -> None:
    """Give the users that are there their rights and bounds, and the computes their queues and lanes.

    A user without a password of ours is not made, and none is removed.  Of a Qpid queues and bindings are mended: to
    change rights there, its users are made anew.
    """
    broker, layout = admin.defined(), layout_of(conf)
    virtual_host = services.address(conf).virtual_host
    users = {user["name"]: user for user in broker["users"]}
    everyone = [it for it in _everyone(computes) if it.name in users and not _is_qpid(broker)]
    wanted = definitions.users(dict.fromkeys(everyone, ""), layout, virtual_host=virtual_host)
    wanted["users"] = [{**users[it["name"]], "tags": it["tags"], "limits": it["limits"]} for it in wanted["users"]]
    quorum = conf.oslo_messaging_rabbit.rabbit_quorum_queue
    places = definitions.places(layout, virtual_host=virtual_host, quorum=quorum)
    lanes = definitions.lanes(computes, layout, virtual_host=virtual_host, quorum=quorum)
    astray = bound_astray(computes, layout, broker)
    if _is_qpid(broker):
        admin.remove_bindings(astray)
    else:
        for lane in {it["source"] for it in astray}:
            admin.unbind(lane, virtual_host)
    admin.define(definitions.together(wanted, places, lanes))


def _weaker_there(
    conf: ConfigOpts, computes: list[Identity], admin: BrokerAdmin, hashes: Mapping[str, str]
) -> Iterator[str]:
    """Ask a broker, and give a sentence for each thing that is weaker than it should be."""
    broker = admin.defined()
    yield from weaker(conf, computes, broker, hashes)
    if not _is_qpid(broker):
        yield from (f"the broker {each}" for each in unbounded(admin.settings(list(SETTINGS))))


def unbounded(settings: Mapping[str, Any]) -> Iterator[str]:
    """Say what a broker takes or waits for without need.

    :param settings: of the broker, by name; one that is no number has no limit
    """
    for name, (most, what) in SETTINGS.items():
        value = settings.get(name)
        if not isinstance(value, int) or value > most or (name == "channel_max" and value == 0):
            yield f"{what.format(value)}: set {name} = {most} in its configuration, or less"


def _is_qpid(broker: Mapping[str, Any]) -> bool:
    """Tell by its definitions whether a broker is a Qpid, which bounds queues and users in other words (qpid.py)."""
    return "rules" in broker


def _everyone(computes: list[Identity]) -> list[Identity]:
    return [*map(identities.trusted, sorted(identities.TRUSTED)), *computes]


def weaker(
    conf: ConfigOpts, computes: list[Identity], broker: Mapping[str, Any], hashes: Mapping[str, str] = {}
) -> Iterator[str]:
    """Give a sentence for each thing that is weaker than it should be.

    :param broker: its definitions, as it exports them
    :param hashes: of the passwords of computes, as far as they are recorded
    """
    if not conf.identities.enforce:
        yield UNENFORCED
    users = {user["name"]: user for user in broker.get("users", [])}
    if "guest" in users:
        yield "the broker has the user guest, whose password is public: rabbitmqctl delete_user guest"
    if _is_qpid(broker):
        yield from qpid.WEAKER
    elif "topic_permissions" not in broker:
        yield "the broker knows no topic permissions: a compute can get copies of messages for others"
    address = services.address(conf)
    if address.user not in identities.TRUSTED:
        yield f"this command logs in to the broker as {address.user or 'guest'}: its user should be manage"
    everyone, layout = _everyone(computes), layout_of(conf)
    wanted: Mapping[str, Any] = definitions.users(
        dict.fromkeys(everyone, ""), layout, virtual_host=address.virtual_host
    )
    if _is_qpid(broker):
        wanted = {"rules": qpid.rules(wanted)}
    for identity in everyone:
        yield from _about(identity.name, users.get(identity.name), wanted, broker)
        kept = users.get(identity.name, {}).get("password_hash")  # Qpid does not give it
        if kept is not None and hashes.get(identity.name, kept) != kept:
            yield f"{identity.name} has another password on the broker than is recorded: mininova-manage host rotate"
    if conf.identities.enforce:
        for compute in computes:
            yield from _about_lane(compute, layout, broker)
        for source, destination, key in sorted(map(_way, bound_astray(computes, layout, broker))):
            yield f"{destination} gets what is sent to {source} as {key!r}, and is not to: {MENDS}"
        if not _is_qpid(broker):
            yield from _about_queues(layout, broker)
    for name in sorted(users.keys() - {identity.name for identity in everyone} - {"guest"}):
        if _rights(name, broker):
            yield f"the broker lets in {name}, which is no user of this cloud"


def _about(
    name: str, user: Mapping[str, Any] | None, wanted: Mapping[str, Any], broker: Mapping[str, Any]
) -> Iterator[str]:
    if user is None:
        yield f"{name} has no broker user of its own"
        return
    tags = user.get("tags") or []  # a text before RabbitMQ 3.8, a list since
    if tags:
        yield f"{name} has a tag on the broker, {tags if isinstance(tags, str) else ', '.join(tags)}, and needs none"
    if _rights(name, broker) != _rights(name, wanted):
        yield f"{name} has other rights on the broker than it should{'' if _is_qpid(broker) else f': {MENDS}'}"
    limits: Mapping[str, int] = next((it["limits"] for it in wanted.get("users", ()) if it["name"] == name), {})
    if any(dict(user.get("limits") or {}).get(limit, most + 1) > most for limit, most in limits.items()):
        yield f"{name} may have more connections or channels open than it needs: {MENDS}"


def _about_lane(compute: Identity, layout: Layout, broker: Mapping[str, Any]) -> Iterator[str]:
    ours = definitions.lanes([compute], layout)
    bindings = broker.get("bindings", [])
    if not {*map(_way, ours["bindings"])} <= {*map(_way, bindings)} or (
        "queues" in broker and _names(ours) - _names(broker)
    ):
        yield f"messages of {compute.name}, or to it, do not arrive: {MENDS}"


def bound_astray(computes: list[Identity], layout: Layout, broker: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the bindings that no process of this cloud makes: of a Qpid all, of a RabbitMQ those to a compute's lane.

    RabbitMQ lets no compute bind anything else, and what an operator binds there is not our business.
    """
    own = {layout.lane(it.name): (it.name, rights(it, layout).configure) for it in computes}

    def is_usual(source: str, queue: str, key: str) -> bool:
        if source in own:
            name, queues = own[source]
            return queue.endswith(f".from.{name}") or re.search(queues, queue) is not None
        if not _is_qpid(broker):
            return True
        if source.endswith("_fanout") or source == FLOW:  # each reader has a queue of its own
            return queue.startswith((f"{source}_", "flow_"))
        return source not in layout.exchanges or queue == key or (source == layout.told and queue.startswith(f"{key}."))

    return [it for it in broker.get("bindings", []) if not is_usual(*_way(it))]


def _about_queues(layout: Layout, broker: Mapping[str, Any]) -> Iterator[str]:
    """Name the bounds of queues that are missing, or are not those that a compute cannot get past."""
    found = {one["name"]: one for one in broker.get("policies", [])}
    for wanted in definitions.places(layout)["policies"]:
        there = found.get(wanted["name"], {})
        if there.get("pattern") != wanted["pattern"] or there.get("definition") != wanted["definition"]:
            yield f"the broker has not the bounds of queues that are called {wanted['name']}: {MENDS}"


def _names(defined: Mapping[str, Any]) -> set[str]:
    return {one["name"] for one in defined.get("queues", [])}


def _way(binding: Mapping[str, Any]) -> tuple[str, str, str]:
    return binding["source"], binding["destination"], binding["routing_key"]


def _rights(name: str, definitions: Mapping[str, Any]) -> object:
    """Give what a user may do, to be compared."""
    if "rules" in definitions:
        return [rule for rule in definitions["rules"] if rule["identity"] == name]
    return _permissions(name, definitions)


def _permissions(name: str, definitions: Mapping[str, Any]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Give virtual host, or that and an exchange → its rights there."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for kind, words in (("permissions", ("configure", "write", "read")), ("topic_permissions", ("write", "read"))):
        for one in definitions.get(kind, []):
            if one["user"] == name:
                place = (one["vhost"], one["exchange"]) if "exchange" in one else (one["vhost"],)
                found[place] = tuple(one[word] for word in words)
    return found
