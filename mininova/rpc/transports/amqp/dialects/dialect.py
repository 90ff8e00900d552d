"""What the transport asks of a broker beyond AMQP 0-9-1 itself, a field for each thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Of a declared queue, as they travel.
Arguments = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The words of one broker.

    :ivar product: how it calls itself, or a part of that
    :ivar passing: a queue that goes by itself when it has had no reader for a while
    :ivar pause: exchange, the key and queue to come back to, seconds → a queue in which messages wait so long
    :ivar quorum: a durable queue that lives on several brokers
    :ivar quorum_pause: what a pause needs beside, to be one
    """

    product: str
    passing: Arguments
    pause: Callable[[str, str, float], Arguments]
    quorum: Arguments
    quorum_pause: Arguments
