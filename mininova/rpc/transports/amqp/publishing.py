"""Publish over a link.Link: plainly here, or until the broker confirms that it has the message, in confirming.py."""

import logging
import time
from collections.abc import Callable, Sequence

from mininova.rpc.errors import MessagingTimeout
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.confirming import Confirming, Unconfirmed
from mininova.rpc.transports.amqp.frames import CONFIRMING, PLAIN, Content
from mininova.rpc.transports.amqp.link import Link
from mininova.rpc.transports.amqp.places import Places, declare_exchange
from mininova.rpc.transports.base import TOPIC, Message

LOG = logging.getLogger(__name__)


class Publishing:
    """The two channels to publish on.

    :param on_return: told the message_id of a plain mandatory message that no queue took
    """

    def __init__(self, link: Link, places: Places, on_return: Callable[[str], None]) -> None:
        self._link, self._places, self._on_return = link, places, on_return
        self._confirming = Confirming(link)
        link.on[PLAIN, frames.RETURN] = self._plain_returned
        link.on[PLAIN, frames.CHANNEL_CLOSE] = self._plain_refused

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

    def publish_all(self, messages: Sequence[Message], timeout: float) -> list[Exception | None]:
        """Send, and wait until the broker has them all; give what went wrong with each."""
        until = time.monotonic() + timeout
        sent = [self._send(message, until) for message in messages]  # all of them, before the first wait
        return [self._confirming.outcome(unconfirmed, until - time.monotonic()) for unconfirmed in sent]

    def _send(self, message: Message, until: float) -> Unconfirmed:
        unconfirmed = Unconfirmed(message)
        try:
            self._places.exchange(message.exchange, until - time.monotonic())
            unconfirmed.data = frames.published(CONFIRMING, message, True, self._link.frame_max)
            self._wait_for_room(message, until)
            self._confirming.publish(unconfirmed)
        except Exception as error:  # whatever it is, the others are sent
            unconfirmed.waiter.set(error=error)
        return unconfirmed

    def _wait_for_room(self, message: Message, until: float) -> None:
        if not self._link.wait_for_room(until - time.monotonic()):
            excuse = self._link.excuse()
            raise MessagingTimeout(f"a message to {message.routing_key} could not be sent in time{excuse}")

    # ---- what the broker says of it; these run in the reader

    def _plain_returned(self, payload: bytes, content: Content) -> None:
        self._on_return(content.message("", "").message_id)

    def _plain_refused(self, payload: bytes, content: Content) -> None:
        """Open the channel again that the broker closed over one message, to where there is nothing, or we may not.

        What was sent there at the same time is lost, as may happen to whatever waits for no confirmation.
        """
        LOG.warning("the broker does not take a message: %s", frames.arguments("Bs", payload)[1])
        close_ok = frames.method(PLAIN, frames.CHANNEL_CLOSE_OK)
        self._link.write(close_ok + frames.method(PLAIN, frames.CHANNEL_OPEN, "s", ""))
