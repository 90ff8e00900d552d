"""What the parts of the world share: kinds of events, who speaks in one, and how the newest of many things are kept."""

import re
from collections import OrderedDict
from typing import Any, TypeVar

from mininova.flow.message import handled_as
from mininova.flow.reports import BY_THE_SENDER
from mininova.rpc.watch.flow import MessageEvent

K = TypeVar("K")
Row = dict[str, Any]

MAX_SERVICES = 12_000
MAX_MESSAGES = 10_000  # that wait in queues, are in hand, or were taken a moment ago: of each so many
LOST_AFTER_S = 600.0  # a message that nothing was heard of for so long will not be heard of

TAKEN = frozenset({"received", "redelivered"})
ENDED = frozenset({"replied", "rejected", "denied", "retried", "parked", "lost"})  # it waits in no queue

NAME = re.compile(r"(api|conductor|scheduler|compute)\.([\w.-]{1,255})")


def put(kept: OrderedDict[K, Any], key: K, value: Any, most: int = MAX_MESSAGES) -> None:
    """Keep a value as the newest; the oldest makes room."""
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def party_of(event: MessageEvent) -> str:
    """Name the service that said this of a message."""
    if event.kind in BY_THE_SENDER:
        return event.sender
    return handled_as(event)
