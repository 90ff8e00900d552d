"""Make messages ready to be published over a link.Link, on the plain channel or on the one that confirms."""

import logging
import time
from collections.abc import Callable, Sequence

from mininova.rpc.errors import MessagingTimeout, RPCError
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.confirming import Confirming, Unconfirmed
from mininova.rpc.transports.amqp.frames import CONFIRMING, PLAIN, Content
from mininova.rpc.transports.amqp.link import Link
from mininova.rpc.transports.amqp.places import Places, declare_exchange
from mininova.rpc.transports.base import TOPIC, Message

LOG = logging.getLogger(__name__)


class Publishing:
    """The two channels to publish on.

    :param on_return: called with the message_id of a plain mandatory message that no queue took
    :ivar confirming: the second channel
    """

    def __init__(self, link: Link, places: Places, on_return: Callable[[str], None]) -> None:
        self._link, self._places, self._on_return = link, places, on_return
        self.confirming = Confirming(link)
        link.on[PLAIN, frames.RETURN] = self._plain_returned
        link.on[PLAIN, frames.CHANNEL_CLOSE] = self._plain_refused

    def ready(
        self, channel: int, message: Message, until: float, *, kind: str = TOPIC, mandatory: bool = True
    ) -> bytes:
        """Make the frames of a message, when there is an exchange for it and the broker takes messages.

        :param until: on the clock of ``time.monotonic``
        :raises MessagingTimeout: when the broker takes none until then
        """
        declared = b""
        if kind == TOPIC:
            try:
                self._places.exchange(message.exchange, until - time.monotonic())
            except RPCError as error:
                error.definite = True  # the exchange may be there or not, the message was not sent
                raise
        else:  # it may have gone since; the channel keeps the order, so there is nothing to wait for
            declared = declare_exchange(channel, message.exchange, kind, no_wait=True)
        sent = self._places.dialect.sent(message)
        data = declared + frames.published(channel, sent, mandatory, self._link.frame_max)
        if not self._link.wait_for_room(until - time.monotonic()):
            excuse = self._link.excuse()
            key = message.routing_key
            raise MessagingTimeout(f"a message to {key} could not be sent in time{excuse}", definite=True)
        return data

    def publish_all(self, messages: Sequence[Message], timeout: float) -> list[Exception | None]:
        """Send, and wait until the broker has them all; give what went wrong with each."""
        until = time.monotonic() + timeout
        sent = [self._send(message, until) for message in messages]  # all of them, before the first wait
        return [self.confirming.outcome(unconfirmed, until - time.monotonic()) for unconfirmed in sent]

    def _send(self, message: Message, until: float) -> Unconfirmed:
        unconfirmed = Unconfirmed(message)
        try:
            unconfirmed.data = self.ready(CONFIRMING, message, until)
            self.confirming.publish(unconfirmed)
        except Exception as error:  # the others are sent all the same
            unconfirmed.waiter.set(error=error)
        return unconfirmed

    # ---- what the broker says of it; these run in the reader

    def _plain_returned(self, payload: bytes, content: Content) -> None:
        self._on_return(content.message("", "").message_id)

    def _plain_refused(self, payload: bytes, content: Content) -> None:
        """Open the channel again that the broker closed over one message, to where there is nothing, or we may not.

        What was sent there at the same time is lost, as any unconfirmed message may be.
        """
        LOG.warning("the broker does not take a message: %s", frames.arguments("Bs", payload)[1])
        close_ok = frames.method(PLAIN, frames.CHANNEL_CLOSE_OK)
        self._link.write(close_ok + frames.method(PLAIN, frames.CHANNEL_OPEN, "s", ""))
