"""Publish over a link.Link until the broker confirms that it has the message: publishing.Publishing's second channel.

No thread holds the socket while it waits, so any number of threads publish at once, and what they publish goes in one
piece.  Confirms and returns come in through the reader and are matched here to the threads that wait for them.

A broker that refuses a message closes the channel, and does not say over which of those that it had not confirmed.
So each of them is published once more, alone: the one over which the channel is closed again is the one.  That costs
the others a round trip, and perhaps a second copy of their message, as a broker that goes away does.
"""

import threading
from collections import deque
from collections.abc import Callable

from mininova.rpc.errors import ACCESS_REFUSED, ConnectionLost, MessageRefused, MessagingTimeout, Undeliverable
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.frames import CONFIRMING, Content
from mininova.rpc.transports.amqp.link import Link
from mininova.rpc.transports.base import Message, Waiter

_NOT_FOUND = 404


class Unconfirmed:
    """A message whose confirm has not come yet, and what its sender waits on.

    :param data: its frames
    :ivar written: whether the broker may have it
    """

    def __init__(self, message: Message, data: bytes = b"") -> None:
        self.message, self.data, self.waiter = message, data, Waiter()
        self.written = self.returned = self.given_up = False


class Confirming:
    """The channel to publish on and wait.

    :ivar _unconfirmed: by the number that the broker confirms, which counts from 1 on each new channel
    :ivar _suspects: one of these had the channel closed; the first of them is published, alone
    :ivar _held: what is to be published when that one is found
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._order = threading.Lock()  # what is written, and how it is counted
        self._published = 0
        self._unconfirmed: dict[int, Unconfirmed] = {}
        self._suspects, self._held = deque[Unconfirmed](), deque[Unconfirmed]()
        link.on[CONFIRMING, frames.RETURN] = self._returned
        link.on[CONFIRMING, frames.ACK] = self._confirmed
        link.on[CONFIRMING, frames.NACK] = self._not_taken
        link.on[CONFIRMING, frames.CHANNEL_CLOSE] = self._closed
        link.at_end.append(self._ended)

    def publish(self, unconfirmed: Unconfirmed) -> None:
        """Write a message, and wait for nothing."""
        with self._order:
            if self._suspects:
                self._held.append(unconfirmed)
            else:
                self._count(unconfirmed)
                self._link.write(unconfirmed.data)

    def outcome(self, unconfirmed: Unconfirmed, timeout: float) -> Exception | None:
        """Wait until the broker has a message, and give what went wrong."""
        if unconfirmed.waiter.wait(timeout):
            return unconfirmed.waiter.error
        with self._order:
            unconfirmed.given_up, written = True, unconfirmed.written
        key, excuse = unconfirmed.message.routing_key, self._link.excuse()
        return MessagingTimeout(f"the broker did not confirm a message to {key} in time{excuse}", definite=not written)

    def _count(self, unconfirmed: Unconfirmed) -> None:
        """Count a message as the broker counts, before it is written: its confirm may come at once."""
        self._published += 1
        unconfirmed.written, unconfirmed.returned = True, False
        self._unconfirmed[self._published] = unconfirmed

    # ---- what the broker says of it; these run in the reader

    def _confirmed(self, payload: bytes, content: Content) -> None:
        self._settle(payload, lambda it: _undeliverable("nothing serves", it.message) if it.returned else None)

    def _not_taken(self, payload: bytes, content: Content) -> None:
        self._settle(payload, lambda it: _undeliverable("the broker refused a message to", it.message))

    def _settle(self, payload: bytes, outcome: Callable[[Unconfirmed], Undeliverable | None]) -> None:
        tag, multiple = frames.settled(payload)
        for each in [each for each in list(self._unconfirmed) if each <= tag] if multiple else [tag]:
            if found := self._unconfirmed.pop(each, None):
                found.waiter.set(error=outcome(found))
        if self._suspects and self._suspects[0].waiter.done:
            with self._order:
                self._suspects.popleft()
                self._try_next()

    def _returned(self, payload: bytes, content: Content) -> None:
        message_id = content.message("", "").message_id
        for unconfirmed in list(self._unconfirmed.values()):
            if unconfirmed.message.message_id == message_id:
                unconfirmed.returned = True

    # ---- a message that is refused

    def _closed(self, payload: bytes, content: Content) -> None:
        """Open the channel again, and find the message over which the broker closed it."""
        code, text = frames.arguments("Bs", payload)
        if code == _NOT_FOUND:  # an exchange that was there: the next connection declares it again
            self._link.closed(payload, content)
        with self._order:
            self._link.write(_OPEN_AGAIN)
            unheard, self._unconfirmed, self._published = deque(self._unconfirmed.values()), {}, 0
            if len(unheard) == 1:
                refused = unheard.popleft()
                refused.waiter.set(error=_refusal(refused.message, code, text))
                unheard.extend([*self._suspects][1:])  # it was the first suspect, if there are any
            self._suspects = unheard
            self._try_next()

    def _try_next(self) -> None:
        """Publish the next suspect; when there is none, all that was held back.

        Each is taken from its list after that, so that the end of the connection finds it.
        """
        while self._suspects and self._suspects[0].given_up:
            self._suspects.popleft()
        if self._suspects:
            self._count(self._suspects[0])
            return self._link.write(self._suspects[0].data)
        while self._held:
            if not self._held[0].given_up:
                self._count(self._held[0])
                self._link.write(self._held[0].data)
            self._held.popleft()
        return None

    # ---- the end

    def _ended(self) -> None:
        with self._order:
            unheard = [*self._unconfirmed.values(), *self._suspects, *self._held]
            self._suspects.clear()  # from now on ``write`` raises
        code, text = self._link.last_word
        if code == ACCESS_REFUSED and len(unheard) == 1:  # Qpid ends the connection over it
            unheard[0].waiter.set(error=_refusal(unheard[0].message, code, text))
        for unconfirmed in unheard:
            lost = ConnectionLost("the broker went away before it confirmed", definite=not unconfirmed.written)
            unconfirmed.waiter.set(error=lost)


def _undeliverable(why: str, message: Message) -> Undeliverable:
    return Undeliverable(f"{why} {message.routing_key}", target=message.routing_key)


def _refusal(message: Message, code: int, text: str) -> MessageRefused:
    key, exchange = message.routing_key, message.exchange
    fix = "; it needs the permission to write to the exchange, and to this topic" if code == ACCESS_REFUSED else ""
    return MessageRefused(
        f"the broker refuses a message to {key} on the exchange {exchange!r}: {text}{fix}",
        target=key, exchange=exchange, code=code,
    )  # fmt: skip


_NO_WAIT = True
_OPEN_AGAIN = (
    frames.method(CONFIRMING, frames.CHANNEL_CLOSE_OK)
    + frames.method(CONFIRMING, frames.CHANNEL_OPEN, "s", "")
    + frames.method(CONFIRMING, frames.CONFIRM_SELECT, "b", _NO_WAIT)
)
