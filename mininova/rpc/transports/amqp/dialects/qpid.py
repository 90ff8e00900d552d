"""Qpid Broker-J.

A queue's arguments are the attributes of its own model of a queue; it closes the connection over one that it does not
know, and looks at none for a queue that is there already.  It has no words for "when it has had no reader for a while",
and moves what has waited when its housekeeping comes by (tools/stack/qpid.py has it come twice a second).  A message's
expiration, of which AMQP does not say what it is, it reads as milliseconds since 1970.

It asks no rule about a binding, so any user can bind any queue to what others send, and have a request done twice, or
the answer to one caller taken for that to another.  So a reader takes only what comes by a binding of its own.

Source: https://qpid.apache.org/releases/qpid-broker-j-9.2.0/book/Java-Broker-Management-Managing-Queues.html
"""

import json
import time

from msgspec.structs import replace

from mininova.rpc.transports.amqp.dialects.dialect import Arguments, Dialect
from mininova.rpc.transports.base import FANOUT, Message, Subscription


def _pause(exchange: str, back_to: str, seconds: float) -> Arguments:
    """Describe a queue that puts what has waited into the queue that it is to come back to, under the key that it has.

    The broker would put it back by an exchange, too, but only under the same key, and so into the pause again.
    """
    return {
        "maximumMessageTtl": round(seconds * 1000),
        "expiryPolicy": "ROUTE_TO_ALTERNATE",
        "alternateBinding": json.dumps({"destination": back_to}),
    }


def _sent(message: Message) -> Message:
    """Say when a message expires as a time of day, by the clock of its sender."""
    if message.expiration is None:
        return message
    return replace(message, expiration=time.time() + message.expiration)


def _came(message: Message, subscription: Subscription) -> Message | None:
    """Say after what time it expires; and under which key it is read, which is another one if it was in a pause."""
    if not _let_in(message, subscription):
        return None
    left = None if message.expiration is None else message.expiration - time.time()
    key = message.routing_key if subscription.kind == FANOUT else subscription.routing_key
    return replace(message, routing_key=key, expiration=left if left is not None and left > 0 else None)


def _let_in(message: Message, subscription: Subscription) -> bool:
    """Tell whether a message came by the reader's own binding, and not by one that another user has made."""
    if subscription.kind == FANOUT:
        return message.exchange == subscription.exchange
    place = subscription.queue  # under this name what was handled here before comes again, and after a pause
    return message.routing_key in (subscription.routing_key, place) or message.routing_key.startswith(f"{place}.pause.")


QPID = Dialect(
    product="Qpid Broker-J",
    passing={},
    passes_with_reader=True,
    for_others={"overflowPolicy": "RING"},  # of the broker's own limits: the oldest goes
    pause=_pause,
    quorum={},
    quorum_pause={},
    prefetch_is_of_channel=True,
    sent=_sent,
    came=_came,
)
