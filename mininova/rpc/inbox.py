"""What comes back to a process: the replies to its calls, and the casts of its own that were refused.

A sender cannot fill the log with the lines of this module: of a lane, only a few messages that answer no call are read
(trust/lanes.py).

A Peer has one Inbox.  It runs where replies are heard, in the transport's reader, so it waits for nothing.
"""

import contextvars
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mininova.rpc import envelope
from mininova.rpc.codec import Codec
from mininova.rpc.envelope import Reply, Request
from mininova.rpc.errors import Forbidden, RPCError, Undeliverable
from mininova.rpc.transports.base import Delivery, Message, Waiter
from mininova.rpc.trust import lanes
from mininova.rpc.trust.base import Answers
from mininova.rpc.trust.seal import SEAL, Seals
from mininova.rpc.watch import origin
from mininova.rpc.watch.base import Watch

LOG = logging.getLogger(__name__)

#: Called with a cast that its receiver refused: its context, the cast, and why.
Rejected = Callable[[Any, Request, Exception], None]


class Call:
    """A call in flight: the message, its deadline, and what the caller waits on.

    :param until: on the clock of ``time.monotonic``
    :param tries: how often it may be sent while no answer comes; once more after the broker was away
    :ivar sent: how many copies of it may have reached the broker
    :ivar returned: whether no queue took the last of them
    """

    def __init__(self, message: Message, until: float, tries: int) -> None:
        self.message, self.until, self.tries, self.waiter = message, until, tries, Waiter()
        self.sent, self.returned = 0, False

    @contextmanager
    def copy(self) -> Iterator[None]:
        """Send a copy of it in the block; if that fails, the error says what is known of all of them."""
        self.sent += 1  # first: the answer may be there before the block ends
        try:
            yield
        except RPCError as error:
            self.sent -= error.definite
            error.definite = not self.sent
            raise

    def again(self) -> None:
        """Make ready to send the only copy once more, which no queue took."""
        self.waiter, self.returned = Waiter(), False
        self.sent -= 1

    @property
    def left(self) -> float:
        """Give the seconds that it has left."""
        return self.until - time.monotonic()


class Inbox:
    """The calls in flight, and what comes for them.

    :param exchange: the control exchange
    :param seals: knows our own casts again
    :param answers: which replies are believed
    """

    def __init__(
        self, exchange: str, codec: Codec, seals: Seals, answers: Answers, *, on_rejected: Rejected, watch: Watch | None
    ) -> None:
        self._exchange, self._codec, self._seals, self._answers = exchange, codec, seals, answers
        self._on_rejected, self._watch = on_rejected, watch
        self._calls: dict[str, Call] = {}

    def in_flight(self) -> list[Call]:
        """Give the calls that wait."""
        return list(self._calls.values())

    @contextmanager
    def waiting(self, call: Call) -> Iterator[None]:
        """Take what comes for a call, while the block runs."""
        self._calls[call.message.message_id] = call
        try:
            yield
        finally:
            del self._calls[call.message.message_id]

    def returned(self, message_id: str) -> None:
        """End a call that no queue took."""
        if call := self._calls.get(message_id):
            key, call.returned = call.message.routing_key, True
            call.waiter.set(error=Undeliverable(f"nothing serves {key}", target=key))

    def take(self, delivery: Delivery) -> bool:
        """Hand a reply to the call that waits for it, and tell whether one did."""
        message = delivery.message
        try:
            lanes.check_sender(message, self._exchange)
            reply = envelope.read_reply(envelope.unpack(message.body))
        except RPCError as error:
            LOG.warning("dropped a reply: %.300r; from %s", str(error), origin.described(message))
            return False
        if reply is None:  # a sign of life, and we never ask for one
            return False
        if call := self._calls.get(reply.msg_id):
            return self._answer(call, reply, message)
        if reply.rejected is not None:
            self._came_back(message, reply, reply.rejected)
        else:
            said = str((reply.failure or {}).get("message", "a result"))
            LOG.info("dropped a reply to %.100r, for which no call waits: %.300r", reply.msg_id, said)
        return False

    def _answer(self, call: Call, reply: Reply, message: Message) -> bool:
        believed = self._believed(message, call.message.routing_key)
        if believed:
            call.waiter.set(reply.result, None if reply.failure is None else self._codec.error_of(reply.failure))
        return believed

    def _believed(self, message: Message, asked: str | None) -> bool:
        """Tell whether an answer comes from the service that was asked; otherwise the right one may still come."""
        if asked is not None and self._answers(asked, message.user_id):
            return True
        asked, sender = asked or "no service", message.user_id
        LOG.warning("denied a reply to %.200r, which calls itself %.200r: %s was asked", sender, message.app_id, asked)
        if self._watch is not None:
            self._watch.happened("denied", message, None, error=Forbidden(f"{asked} was asked, and not {sender}"))
        return False

    def _came_back(self, message: Message, reply: Reply, body: bytes) -> None:
        asked = self._seals.opened(message.headers.get(SEAL, ""), reply.msg_id, body)
        if self._believed(message, asked):  # the codec may note whose work this is, and the reader must not keep that
            contextvars.copy_context().run(self._rejected, body, self._codec.error_of(reply.failure or {}))

    def _rejected(self, body: bytes, why: Exception) -> None:
        try:
            request = envelope.read_request(envelope.unpack(body))
            ctxt = self._codec.context_from_wire(request.context)
        except Exception as error:  # RPCError, or an error of the application's codec
            LOG.warning("dropped a rejection (%.300r) that makes no sense: %.300r", str(why), str(error))
            return
        self._on_rejected(ctxt, request, why)


def log_rejection(ctxt: Any, request: Request, error: Exception) -> None:
    """Log that a cast of ours was refused: the default of a Peer."""
    LOG.error("cast %s %s was refused: %.500r", request.method, request.version, str(error))
