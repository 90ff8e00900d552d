"""The sender of the message in hand, as the broker vouches for it.

A broker user is an identity, and RabbitMQ takes no message that names another user than the one that publishes it.  So
``user_id`` is the one thing in a message that its sender cannot choose, and the one thing to decide by.

A server that sends a cast once more (after a pause, or to park it) publishes in its own name, and keeps the first
sender's in a header.  That header counts only in a message that such a server has published itself.
"""

import contextvars
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from mininova.rpc.errors import Forbidden
from mininova.rpc.transports.base import Message
from mininova.rpc.trust import lanes

ORIGIN = "x-mininova-origin"
_FIRST_DEATH = "x-first-death-queue"  # the broker's: the queue that a message was forwarded from, the first time

_caller: contextvars.ContextVar[str | None] = contextvars.ContextVar("rpc_caller", default=None)


def caller() -> str | None:
    """Name the identity that sent the message in hand; None outside of a handler, and for a sender without one."""
    return _caller.get()


@contextmanager
def working_for(name: str | None) -> Iterator[None]:
    """Run the block on behalf of a caller."""
    token = _caller.set(name)
    try:
        yield
    finally:
        _caller.reset(token)


def check_way(message: Message, places: Sequence[str], exchange: str) -> None:
    """Refuse a message that came neither straight from its sender nor out of a pause of ours, or by another's lane.

    The owner of a queue can have the broker forward what comes there (as a dead letter) to where the owner may write,
    and the message still has its first sender's name.  So what the conductor sent to one host could come back to the
    conductor, in the conductor's name.

    :param places: where we are sent to
    :param exchange: the control exchange
    :raises Forbidden: when it took another way
    """
    queue = message.headers.get(_FIRST_DEATH)
    if queue is not None and not any(queue.startswith(f"{place}.pause.") for place in places):
        raise Forbidden(f"it was not for us: it was forwarded from the queue {queue}", object=queue)
    lanes.check_sender(message, exchange)


class Relays:
    """The users that are believed when they say who sent a message first: our own, and others that are named.

    :param own: the broker user that this process publishes as; None for one that has none
    :param others: such as that of the operator's tool, which sends again what was parked
    """

    def __init__(self, own: str | None, others: Collection[str] = ()) -> None:
        self._own, self._believed = own, {*others, *([own] if own else ())}

    def sender_of(self, message: Message) -> str | None:
        """Name the identity that sent a message first; None when the broker does not vouch for any."""
        relayed = message.user_id in self._believed
        return message.headers.get(ORIGIN, message.user_id) if relayed else message.user_id

    def passed_on(self, message: Message, headers: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
        """Give the user and the headers with which a message is sent again, so that it gains nothing by our name.

        A message without a user stays without one.

        :param headers: what it is to have beside
        """
        sender, others = self.sender_of(message), {name: value for name, value in headers.items() if name != ORIGIN}
        if sender is None or sender == self._own:
            return sender, others
        return self._own, {**others, ORIGIN: sender}
