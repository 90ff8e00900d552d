"""The users and places of a broker, in the form that RabbitMQ imports: definitions.json.

The local stack has its node load such a file when it boots; ``mininova-manage host add`` has a broker that runs import
one.  What it names is made, or changed to what it says; what it does not name stays as it is.

Source: https://www.rabbitmq.com/docs/definitions
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from mininova.rpc.trust.lanes import replies_to
from mininova.trust.broker.name_pattern import any_of
from mininova.trust.broker.rights import FLOW, USUAL, Layout, rights
from mininova.trust.identities import COMPUTE, Identity

#: What one compute may have open at a time; it needs one connection with four channels, and after a cut a second one.
MOST_OF_A_COMPUTE = {"max-connections": 16, "max-channels": 64}

#: Bytes that a queue of a compute's, of replies, or of a reader of the flow holds at most; what is more is refused.
MOST_BYTES_IN_A_QUEUE = 64 * 1024 * 1024
MOST_IN_A_QUEUE = 50_000  # messages, likewise: small ones take room, too

_ITERATIONS = 4096  # what RFC 5802 asks for at least; new_password() makes none that can be guessed

#: How fast what a compute tells all listeners goes on to them: so many messages, and bytes, in so many milliseconds.
PACE = {"x-message-ttl": 200, "x-max-length": 40, "x-max-length-bytes": 512 * 1024, "x-overflow": "reject-publish"}

_EVENTS = "events"  # mininova.rpc.watch.flow publishes under it

Definitions = dict[str, list[dict[str, Any]]]


def new_password() -> str:
    """Make a password up."""
    return secrets.token_urlsafe(24)


def password_hash(password: str) -> str:
    """Hash a password as RabbitMQ keeps it: four bytes of salt, then SHA-256 of salt and password, in base64.

    Source: https://www.rabbitmq.com/docs/passwords#this-is-the-algorithm
    """
    salt = secrets.token_bytes(4)
    return _base64(salt + hashlib.sha256(salt + password.encode()).digest())


def scram_sha_256(password: str) -> str:
    """Make of a password what Qpid keeps of it: salt, an empty field, stored key, server key and iterations.

    Source: RFC 5802, section 3
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return ",".join([_base64(salt), "", _base64(stored), _base64(server), str(_ITERATIONS)])


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def users(
    passwords: Mapping[Identity, str], layout: Layout = USUAL, *, virtual_host: str = "/", plain: bool = False
) -> Definitions:
    """Define a broker user for each identity, with its password and exactly its rights.

    :param plain: whether the passwords themselves stand there, too: for a broker that makes its own hashes of them
    """
    defined: Definitions = {"users": [], "permissions": [], "topic_permissions": []}
    for identity, password in passwords.items():
        allowed, who = rights(identity, layout), {"user": identity.name, "vhost": virtual_host}
        limits = MOST_OF_A_COMPUTE if identity.kind == COMPUTE else {}
        secret = {"password": password} if plain else {}
        defined["users"].append({**user(identity.name, password), "limits": limits, **secret})
        defined["permissions"].append(
            {**who, "configure": allowed.configure, "write": allowed.write, "read": allowed.read}
        )
        defined["topic_permissions"] += [
            {**who, "exchange": exchange, "write": keys.write, "read": keys.read}
            for exchange, keys in allowed.topics.items()
        ]
    return defined


def user(name: str, password: str, *, tags: str = "") -> dict[str, Any]:
    """Define a user, without any right yet."""
    scram = {"scram_sha_256": scram_sha_256(password)}  # for Qpid; RabbitMQ takes no notice of it
    return {**_hashed(name, password_hash(password)), **scram, "tags": tags}


def compute_user(name: str, hashed: str) -> Definitions:
    """Define the user of a compute by the hash of its password, for RabbitMQ; one that is there keeps its rights."""
    return {"users": [{**_hashed(name, hashed), "tags": "", "limits": MOST_OF_A_COMPUTE}]}


def _hashed(name: str, hashed: str) -> dict[str, Any]:
    return {"name": name, "password_hash": hashed, "hashing_algorithm": "rabbit_password_hashing_sha256"}


def places(layout: Layout = USUAL, *, virtual_host: str = "/", quorum: bool = False) -> Definitions:
    """Define what a compute needs and may not make: the exchanges, and the queues of its notifications.

    :param quorum: whether durable queues are quorum queues
    """
    here = _Here(virtual_host, quorum)
    queues = layout.notification_keys
    return {
        "exchanges": [here.exchange(name) for name in layout.exchanges],
        "queues": [here.queue(name) for name in queues],
        "policies": [
            here.bound(
                "what-listeners-hear", rf"^({any_of(layout.notifications)})\.", "drop-head", most=10_000, lazy=True
            ),
            here.bound(
                "what-computes-can-fill",
                rf"^({COMPUTE}\.|reply_|flow_)|\.from\.{COMPUTE}\.",
                "reject-publish",
                priority=1,
            ),
            here.bound("what-was-given-up", r"\.dead$", "drop-head", priority=2, lazy=True),  # the latest tells most
        ],
        "bindings": [here.binding(layout.told, name, name) for name in queues],
    }


def lanes(
    computes: Iterable[Identity], layout: Layout = USUAL, *, virtual_host: str = "/", quorum: bool = False
) -> Definitions:
    """Define the lane of each compute, what is behind it, and the queues that it reads.

    Its callers bind their own queues to its lane, for as long as they run.  What others send to it goes into queues
    that are bound here, for it may not bind any.

    Notifications and the events of the flow of all computes come together in the queues of those who listen.  So that
    one compute leaves room there for others, each waits for a moment in a queue of its sender's that takes few: nothing
    reads it, and what has waited goes on to the exchange of the listeners.  One that finds it full is refused, and its
    sender tries again.
    """
    here, defined = _Here(virtual_host, quorum), Definitions(exchanges=[], queues=[], bindings=[])
    for identity in computes:
        lane = layout.lane(identity.name)
        requests = f"conductor.from.{identity.name}"
        replies = replies_to(identity.name)
        hosts = [f"{COMPUTE}.{host}" for host in identity.hosts]
        defined["exchanges"].append(here.exchange(lane))
        defined["queues"] += [here.queue(name) for name in (requests, replies, *hosts)]
        defined["bindings"].append(here.binding(layout.replies, replies, replies))
        defined["bindings"] += [here.binding(layout.exchange, host, host) for host in hosts]
        defined["bindings"].append(here.binding(lane, requests, "conductor"))
        for exchange, key in [(FLOW, _EVENTS), *((layout.told, told) for told in layout.notification_keys)]:
            defined["queues"].append(here.paced(f"{key}.from.{identity.name}", exchange))
            defined["bindings"].append(here.binding(lane, f"{key}.from.{identity.name}", key))
    return defined


class _Here:
    """Writes the places of one virtual host."""

    def __init__(self, virtual_host: str, quorum: bool) -> None:
        self._virtual_host = virtual_host
        self._lasting = {"vhost": virtual_host, "durable": True, "auto_delete": False}
        self._kind = {"x-queue-type": "quorum"} if quorum else {}

    def bound(
        self,
        name: str,
        pattern: str,
        overflow: str,
        *,
        priority: int = 0,
        most: int = MOST_IN_A_QUEUE,
        lazy: bool = False,
    ) -> dict[str, Any]:
        """Bound the queues whose names match; of the policies that match, RabbitMQ takes the first one by priority.

        :param lazy: whether what waits there waits on the disk: a queue that is read seldom then costs no more for
            each message as it grows (4,500 unread notifications cost the broker a sixth of its work for a boot)
        """
        definition = {"max-length-bytes": MOST_BYTES_IN_A_QUEUE, "max-length": most, "overflow": overflow}
        definition |= {"queue-mode": "lazy"} if lazy else {}
        which = {"name": name, "pattern": pattern, "apply-to": "queues", "priority": priority}
        return {"vhost": self._virtual_host, **which, "definition": definition}

    def exchange(self, name: str) -> dict[str, Any]:
        return {**self._lasting, "name": name, "type": "topic", "internal": False, "arguments": {}}

    def queue(self, name: str) -> dict[str, Any]:
        return {**self._lasting, "name": name, "arguments": self._kind}

    def paced(self, name: str, exchange: str) -> dict[str, Any]:
        """Define a queue out of which messages go on to an exchange, under the keys that they have."""
        surely = {"x-dead-letter-strategy": "at-least-once"} if self._kind else {}
        return {**self.queue(name), "arguments": {**self._kind, **surely, **PACE, "x-dead-letter-exchange": exchange}}

    def binding(self, source: str, destination: str, key: str, *, to: str = "queue") -> dict[str, Any]:
        return {
            "vhost": self._virtual_host,
            "source": source,
            "destination": destination,
            "destination_type": to,
            "routing_key": key,
            "arguments": {},
        }


#: What tells one thing from the others of its kind, as far as it has these fields.
_KEYS = ("name", "user", "vhost", "exchange", "source", "destination", "destination_type", "routing_key")


def merged(whole: Mapping[str, Any], part: Definitions) -> dict[str, Any]:
    """Make or change in a file's worth of definitions what a part of them names, as a broker does that imports it."""
    changed = dict(whole)
    for kind, things in part.items():
        known = {_key(thing): thing for thing in whole.get(kind, [])}
        changed[kind] = list((known | {_key(thing): thing for thing in things}).values())
    return changed


def without_passwords(part: Definitions) -> Definitions:
    """Leave only hashes of passwords in definitions."""
    users = [{field: value for field, value in it.items() if field != "password"} for it in part.get("users", ())]
    return {**part, "users": users}


def without_user(whole: Mapping[str, Any], user: str) -> dict[str, Any]:
    """Take a user and its rights out of a file's worth of definitions."""
    concerned = {"users": "name", "permissions": "user", "topic_permissions": "user"}
    kept = {kind: [it for it in whole.get(kind, []) if it[field] != user] for kind, field in concerned.items()}
    return {**whole, **kept}


def _key(thing: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(thing.get(field) for field in _KEYS)


def together(*parts: Mapping[str, Iterable[dict[str, Any]]]) -> Definitions:
    """Make one file's worth of several parts."""
    whole: Definitions = {}
    for part in parts:
        for kind, things in part.items():
            whole.setdefault(kind, []).extend(things)
    return whole
