"""The same users and places for Qpid Broker-J: definitions.json in the words of its own configuration.

RabbitMQ's form stays the one that the project writes.  tools/stack/qpid.py starts a node with what is made of it here,
and mininova/manage/qpidctl.py changes one that runs.

Broker-J reads its rules from the first to the last and takes the first that fits; it has no place for what none allows.
It asks for the name of what is made, read or published to, for the key of a message, and for where a queue sends what
it gives up.  Rules about bindings stand here too, though version 9.2 looks at them only when it is asked over HTTP.

Source: https://qpid.apache.org/releases/qpid-broker-j-9.2.0/book/Java-Broker-Security-AccessControl-Providers.html
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mininova.trust.broker.beginnings import ANY, beginnings

#: What it does not keep that RabbitMQ keeps, as mininova-manage check says it; docs/rpc/brokers.md says it with tests.
WEAKER = (
    "Qpid asks no rule about a binding: a compute that is taken over can have copies of what is meant for others, put "
    "messages into their queues, in its own name, and so push out what was parked; this check names what it has bound",
    "Qpid closes the connection of a process over one message or queue that it refuses, and the others suffer for it",
    "Qpid measures how long a message may wait by its sender's clock: the clocks of all machines must agree",
    "Qpid removes a queue of replies with its connection: an answer that comes before the next one is lost",
    "Qpid does not tell a reader that its queue was deleted: it is made again with the next connection",
    "Qpid does not remember through a restart what it had delivered: a cast that kills its servers is not counted then",
    "Qpid ends a pause up to half a second late",
    "Qpid does not say when it is low on memory or disk: senders find out by their deadlines",
    "Qpid keeps the queue of a pause that is not used any more, and every queue has the same bound",
    "Qpid compares beginnings of names: the operator's users may read all replies, and all queues of the services",
    "Qpid is not watched: mininova-manage broker watch knows RabbitMQ only",
    "Qpid takes a message whose sender's name is empty: services treat it as one without a sender, and refuse it",
)

#: Things of Broker-J's own model, as its configuration and its HTTP interface have them.
Objects = list[dict[str, Any]]


def users(definitions: Mapping[str, Any]) -> Objects:
    """Write the users, each with what proves its password."""
    return [{"name": it["name"], "type": "managed", "password": it["scram_sha_256"]} for it in definitions["users"]]


def exchanges(definitions: Mapping[str, Any]) -> Objects:
    """Write the exchanges, each with what is bound to it: queues and other exchanges."""
    sources: dict[str, Objects] = {}
    for it in definitions.get("bindings", ()):
        binding = {"destination": it["destination"], "bindingKey": it["routing_key"], "arguments": {}}
        sources.setdefault(it["source"], []).append(binding)
    return [
        {"name": it["name"], "type": it["type"], "durable": True, "durableBindings": sources.get(it["name"], [])}
        for it in definitions.get("exchanges", ())
    ]


def queues(definitions: Mapping[str, Any]) -> Objects:
    """Write the queues; those whose oldest message goes when they are full say so, and those that pass on at a pace."""
    return [
        {"name": it["name"], "type": "standard", "durable": True, **_overflow(definitions, it["name"]), **_pace(it)}
        for it in definitions.get("queues", ())
    ]


def _pace(queue: Mapping[str, Any]) -> dict[str, Any]:
    """Say where what has waited in a queue goes, and how much may wait there."""
    said = queue.get("arguments", {})
    if "x-message-ttl" not in said:
        return {}
    return {
        "maximumMessageTtl": said["x-message-ttl"],
        "expiryPolicy": "ROUTE_TO_ALTERNATE",
        "alternateBinding": {"destination": said["x-dead-letter-exchange"]},
        "maximumQueueDepthMessages": said["x-max-length"],
        "maximumQueueDepthBytes": said["x-max-length-bytes"],
        "overflowPolicy": "REJECT",
    }


def _overflow(definitions: Mapping[str, Any], queue: str) -> dict[str, Any]:
    """Say what a policy says of a full queue; that it refuses more is what limits() says of all."""
    bounds = sorted(definitions.get("policies", ()), key=lambda it: it["priority"], reverse=True)
    overflow = next((it["definition"]["overflow"] for it in bounds if re.search(it["pattern"], queue)), None)
    return {"overflowPolicy": "RING"} if overflow == "drop-head" else {}


def limits(definitions: Mapping[str, Any]) -> dict[str, str]:
    """Give what holds of every queue that says nothing else: Broker-J knows no policies by names.

    It is what the policies say of queues that a compute can fill.
    """
    bounds = [it["definition"] for it in definitions.get("policies", ()) if "max-length-bytes" in it["definition"]]
    if not bounds:
        return {}
    return {
        "queue.defaultMaximumQueueDepthBytes": str(max(it["max-length-bytes"] for it in bounds)),
        "queue.defaultMaximumQueueDepthMessages": str(max(it["max-length"] for it in bounds)),
        "queue.defaultOverflowPolicy": "REJECT",
    }


def connection_limits(definitions: Mapping[str, Any]) -> Objects:
    """Write how many connections a user may have open."""
    limited = {it["name"]: it.get("limits", {}).get("max-connections") for it in definitions["users"]}
    return [{"identity": name, "countLimit": most} for name, most in limited.items() if most]


# ---- rights


def rules(definitions: Mapping[str, Any]) -> Objects:
    """Write the rights of all users as rules, those of each in the order in which they are to be tried."""
    admins = [it["name"] for it in definitions["users"] if "administrator" in it["tags"]]
    written = [administrator(name) for name in admins]
    topics: dict[str, Objects] = {}
    for it in definitions.get("topic_permissions", ()):
        topics.setdefault(it["user"], []).append(it)
    for it in definitions["permissions"]:
        written.append(_rule(it["user"], "ACCESS", "VIRTUALHOST"))
        written += _rights(it, topics.get(it["user"], []))
    return written


def administrator(user: str) -> dict[str, Any]:
    """Write the rule of a user who may do everything."""
    return _rule(user, "ALL", "ALL")


def _rights(permission: Mapping[str, str], topics: Objects) -> Iterator[dict[str, Any]]:
    user = permission["user"]
    makes, writes, reads = (beginnings(permission[field]) for field in ("configure", "write", "read"))
    confined = not all(re.search(permission["write"], it["exchange"]) for it in topics)

    # A queue may send what it gives up only to where its owner may write; that of a compute only to others of its own,
    # and to no exchange: there Qpid would have it bind any queue, and so send on what others have signed.
    yield from _allow(user, "CREATE", "QUEUE", NAME=makes, ALTERNATE=makes if confined else writes)
    yield _rule(user, "CREATE", "QUEUE", outcome="DENY", named={"ALTERNATE": [ANY]})
    for thing in ("QUEUE",) if confined else ("QUEUE", "EXCHANGE"):
        yield from _allow(user, "CREATE", thing, NAME=makes)
        yield from _allow(user, "DELETE", thing, NAME=makes)
    for operation in ("CONSUME", "PURGE"):
        yield from _allow(user, operation, "QUEUE", NAME=reads)

    for it in topics:  # on these exchanges, with these keys and no others
        exchange = frozenset([it["exchange"]])
        if re.search(permission["write"], it["exchange"]):
            yield from _allow(user, "PUBLISH", "EXCHANGE", NAME=exchange, ROUTING_KEY=beginnings(it["write"]))
        if re.search(permission["read"], it["exchange"]):
            keys = beginnings(it["read"])
            for operation in ("BIND", "UNBIND"):
                yield from _allow(user, operation, "EXCHANGE", NAME=exchange, QUEUE_NAME=writes, ROUTING_KEY=keys)
        for operation in ("PUBLISH", "BIND", "UNBIND"):
            yield _rule(user, operation, "EXCHANGE", outcome="DENY", named={"NAME": [it["exchange"]]})
    yield from _allow(user, "PUBLISH", "EXCHANGE", NAME=writes)
    for operation in ("BIND", "UNBIND"):
        yield from _allow(user, operation, "EXCHANGE", NAME=reads, QUEUE_NAME=writes)


def _allow(user: str, operation: str, thing: str, **named: Collection[str]) -> Iterator[dict[str, Any]]:
    """Write a rule, unless one of its names can be none: Broker-J would take that for any."""
    if all(named.values()):
        yield _rule(user, operation, thing, named={field: sorted(names) for field, names in named.items()})


def _rule(
    user: str, operation: str, thing: str, *, outcome: str = "ALLOW", named: Mapping[str, list[str]] = {}
) -> dict[str, Any]:
    return {"identity": user, "operation": operation, "objectType": thing, "outcome": outcome, "attributes": named}
