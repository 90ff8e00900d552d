"""What the transport asks of a broker beyond AMQP 0-9-1 itself, a field for each thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mininova.rpc.transports.base import Message, Subscription

#: Of a declared queue, as they travel.
Arguments = Mapping[str, Any]


def _as_it_is(message: Message, subscription: Subscription | None = None) -> Message:
    return message


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The words of one broker.

    :ivar product: how it calls itself, or a part of that
    :ivar passing: a queue that goes by itself when it has had no reader for a while
    :ivar passes_with_reader: whether it goes with its last reader, at once
    :ivar for_others: a durable queue that is made for others to read, who may never come
    :ivar pause: exchange, the key and queue to come back to, seconds → a queue in which messages wait so long
    :ivar quorum: a durable queue that lives on several brokers
    :ivar quorum_pause: what a pause needs beside, to be one
    :ivar priority: the argument of a reader that is to get messages before others; "" where there is none
    :ivar prefetch_is_of_channel: whether all readers of a channel share how many messages may be unsettled
    :ivar sent: a message → as this broker wants it
    :ivar came: a message that came to a subscription → as it was meant; None for one that its binding does not let in
    """

    product: str
    passing: Arguments
    passes_with_reader: bool = False
    for_others: Arguments
    pause: Callable[[str, str, float], Arguments]
    quorum: Arguments
    quorum_pause: Arguments
    priority: str = ""
    prefetch_is_of_channel: bool = False
    sent: Callable[[Message], Message] = _as_it_is
    came: Callable[[Message, Subscription], Message | None] = _as_it_is
