"""Publish over a link.Link: plainly, or until the broker confirms that it has the message.

Nobody holds the wire while he waits, so any number of threads publish at once, and what they publish goes in one
piece.  Confirms and returns come in through the reader and are matched here to whoever waits for them.
"""

import logging
import threading
import time
from collections.abc import Callable

from mininova.rpc.amqp import frames
from mininova.rpc.amqp.frames import CONFIRMING, PLAIN, Content
from mininova.rpc.amqp.link import Link
from mininova.rpc.amqp.places import Places, declare_exchange
from mininova.rpc.errors import ConnectionLost, MessagingTimeout, Undeliverable
from mininova.rpc.transport import TOPIC, Message, Waiter

LOG = logging.getLogger(__name__)


class _Unconfirmed:
    """A published message whose confirm has not come yet."""

    def __init__(self, message: Message) -> None:
        self.message, self.waiter, self.returned = message, Waiter(), False


class Publishing:
    """The two channels to publish on.

    :param on_return: told the message_id of a plain mandatory message that no queue took
    """

    def __init__(self, link: Link, places: Places, on_return: Callable[[str], None]) -> None:
        self._link, self._places, self._on_return = link, places, on_return
        self._numbering = threading.Lock()
        self._published = 0
        self._unconfirmed: dict[int, _Unconfirmed] = {}
        link.on[PLAIN, frames.RETURN] = self._plain_returned
        link.on[PLAIN, frames.CHANNEL_CLOSE] = self._plain_refused
        link.on[CONFIRMING, frames.RETURN] = self._confirming_returned
        link.on[CONFIRMING, frames.ACK] = self._confirmed
        link.on[CONFIRMING, frames.NACK] = self._refused
        link.at_end.append(self._ended)

    def publish(self, message: Message, kind: str, mandatory: bool, timeout: float) -> None:
        """Send and forget; wait at most so long for a broker that takes nothing now."""
        until = time.monotonic() + timeout
        declared = b""
        if kind == TOPIC:
            self._places.exchange(message.exchange, timeout)
        else:  # it may have gone since; the channel keeps the order, so there is nothing to wait for
            declared = declare_exchange(PLAIN, message.exchange, kind, no_wait=True)
        data = declared + frames.published(PLAIN, message, mandatory, self._link.frame_max)
        self._wait_for_room(message, until)
        self._link.write(data)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and wait until the broker has it."""
        until = time.monotonic() + timeout
        self._places.exchange(message.exchange, timeout)
        unconfirmed = _Unconfirmed(message)
        data = frames.published(CONFIRMING, message, True, self._link.frame_max)
        self._wait_for_room(message, until)
        tag = self._write_numbered(data, unconfirmed)
        try:
            if not unconfirmed.waiter.wait(until - time.monotonic()):
                excuse = self._link.excuse()
                raise MessagingTimeout(f"the broker did not confirm a message to {message.routing_key} in time{excuse}")
        finally:
            self._unconfirmed.pop(tag, None)
        if unconfirmed.waiter.error is not None:
            raise unconfirmed.waiter.error

    def _write_numbered(self, data: bytes, unconfirmed: _Unconfirmed) -> int:
        """Write, and count as the broker counts; its confirm may come before this returns."""
        with self._numbering:
            tag = self._published + 1
            self._unconfirmed[tag] = unconfirmed
            try:
                self._link.write(data)
            except ConnectionLost:
                del self._unconfirmed[tag]
                raise
            self._published = tag
        return tag

    def _wait_for_room(self, message: Message, until: float) -> None:
        if not self._link.wait_for_room(until - time.monotonic()):
            excuse = self._link.excuse()
            raise MessagingTimeout(f"a message to {message.routing_key} could not be sent in time{excuse}")

    # ---- what the broker says of it; these run in the reader

    def _confirmed(self, payload: bytes, content: Content) -> None:
        for unconfirmed in self._settled(payload):
            key = unconfirmed.message.routing_key
            unconfirmed.waiter.set(
                error=Undeliverable(f"nobody serves {key}", target=key) if unconfirmed.returned else None
            )

    def _refused(self, payload: bytes, content: Content) -> None:
        for unconfirmed in self._settled(payload):
            key = unconfirmed.message.routing_key
            unconfirmed.waiter.set(error=Undeliverable(f"the broker refused a message to {key}", target=key))

    def _settled(self, payload: bytes) -> list[_Unconfirmed]:
        tag, multiple = frames.settled(payload)
        tags = [each for each in list(self._unconfirmed) if each <= tag] if multiple else [tag]
        return [found for each in tags if (found := self._unconfirmed.get(each))]

    def _confirming_returned(self, payload: bytes, content: Content) -> None:
        message_id = content.message("", "").message_id
        for unconfirmed in list(self._unconfirmed.values()):
            if unconfirmed.message.message_id == message_id:
                unconfirmed.returned = True

    def _plain_returned(self, payload: bytes, content: Content) -> None:
        self._on_return(content.message("", "").message_id)

    def _plain_refused(self, payload: bytes, content: Content) -> None:
        """Open the channel again that the broker closed over one message, to where there is nothing, or we may not.

        What was sent there at the same time is lost, as may happen to whatever waits for no confirmation.
        """
        LOG.warning("the broker does not take a message: %s", frames.arguments("Bs", payload)[1])
        close_ok = frames.method(PLAIN, frames.CHANNEL_CLOSE_OK)
        self._link.write(close_ok + frames.method(PLAIN, frames.CHANNEL_OPEN, "s", ""))

    def _ended(self) -> None:
        for unconfirmed in list(self._unconfirmed.values()):
            unconfirmed.waiter.set(error=ConnectionLost("the broker went away before it confirmed"))
