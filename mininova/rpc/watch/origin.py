"""Where a message came from, for a line of the log: all that it tells of that itself.

The broker vouches for ``user_id``, and for nothing else.  A client of oslo.messaging often has none, nor a name of its
own.  Its reply queue, the user and the request in its context, and the exchange and key that it wrote to may then lead
an operator to it.  What a sender chose is quoted and cut, so that it cannot pass for a line of ours, nor fill the log.
"""

from collections.abc import Iterator
from typing import Any

from mininova.rpc import envelope
from mininova.rpc.errors import RPCError
from mininova.rpc.transports.base import Message

_MOST_CHARACTERS = 100  # of each
_LONGEST_READ = 65_536  # bytes: a longer body is not read again for its context

#: What a context may have, and how it is named in the line.
_CONTEXT = {"user_id": "user", "user": "user", "project_id": "project", "tenant": "project", "request_id": "request"}


def described(message: Message) -> str:
    """Name everything that tells who sent a message and by which way: ``broker user 'nova', key 'compute.host-1'``."""
    told = dict[str, str]()
    for name, value in _told(message):
        if isinstance(value, str) and value:
            told.setdefault(name, repr(value[:_MOST_CHARACTERS]))
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _told(message: Message) -> Iterator[tuple[str, Any]]:
    yield "broker user", message.user_id
    yield "application", message.app_id
    yield "reply queue", message.reply_to
    payload = _payload(message.body)
    yield "reply queue", payload.get("_reply_q")
    for field, name in _CONTEXT.items():
        yield name, payload.get(f"_context_{field}")
    yield "exchange", message.exchange
    yield "key", message.routing_key


def _payload(body: bytes) -> dict[str, Any]:
    try:
        return envelope.unpack(body) if len(body) <= _LONGEST_READ else {}
    except RPCError:
        return {}
