"""One process's end of the messaging: it sends what interfaces ask for, and waits for the replies.

A process has one Peer.  Interfaces send through it, servers and notifiers share it, so there is one connection
and one reply queue per process.
"""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Self
from uuid import uuid4

import msgspec

from mininova.rpc import deadline, envelope
from mininova.rpc.codec import Codec
from mininova.rpc.envelope import Request
from mininova.rpc.errors import ConnectionLost, InvalidArguments, MessagingTimeout, RemoteError
from mininova.rpc.inbox import Answers, Call, Inbox, Rejected, log_rejection
from mininova.rpc.interface import CALL, FANOUT, Method
from mininova.rpc.plain import DEEPEST, Unsendable
from mininova.rpc.transports.base import FANOUT as FANOUT_EXCHANGE
from mininova.rpc.transports.base import TOPIC, Message, Subscription, Transport
from mininova.rpc.trust import lanes
from mininova.rpc.trust.callers import Relays
from mininova.rpc.trust.lanes import LaneOf, ReplyLanes
from mininova.rpc.trust.seal import SEAL, Seals
from mininova.rpc.versions import Levels
from mininova.rpc.watch import tracing
from mininova.rpc.watch.base import Watch
from mininova.rpc.watch.flow import Report, event_of

LOG = logging.getLogger(__name__)

MOST_TRIES = 3  # of an idempotent call, in equal shares of its time

#: Whether an identity, which may be None, may be answered under a key of the reply exchange.
Answerable = Callable[[str | None, str], bool]


class Peer:
    """Send calls, casts and fanouts; match replies to their calls.  As a context manager it starts, and stops.

    :param name: who this is in other people's logs, ``conductor.ctl-1``
    :param exchange: the control exchange, ``E`` in transport.py
    :param call_timeout: seconds that a call waits unless its interface was told otherwise
    :param report: takes a MessageEvent for each message; None when nobody looks
    :param watch: is there when a message is sent and while one is handled: metrics, spans, or watch.together
    :param on_rejected: told of a cast that its receiver refused: its context, the cast, and why.  It runs where
        replies are heard, so it must not wait for one
    :param answers: asked before a reply, or a cast that comes back, is believed; it must not wait either
    :param relays: other identities whose word is believed for who sent a message first
    :param answerable: asked whether a caller may be answered under a key, for a server must not be had to write where
        its caller may not; without it all are, and also those of oslo.messaging, who read from the default exchange
    :param confined: whether all that this process sends goes by its lane, see lanes.py
    :param lane_of: tells whose replies come by a lane; it must not wait for anything but a database
    :ivar on_restored: called when a broker that was lost is back: what was broadcast meanwhile was not heard
    """

    def __init__(
        self,
        transport: Transport,
        *,
        name: str,
        codec: Codec | None = None,
        exchange: str = "mininova",
        call_timeout: float = 60.0,
        report: Report | None = None,
        watch: Watch | None = None,
        on_rejected: Rejected | None = None,
        levels: Callable[[], Levels] = dict,
        answers: Answers | None = None,
        relays: Iterable[str] = (),
        answerable: Answerable | None = None,
        confined: bool = False,
        lane_of: LaneOf = lambda key: None,
    ) -> None:
        self.transport, self.name, self.exchange = transport, name, exchange
        self.codec, self.call_timeout = codec or Codec(), call_timeout
        self.report, self.watch = report, watch
        self.on_rejected: Rejected = on_rejected or log_rejection
        self.on_restored: Callable[[], object] = lambda: None
        self.levels, self.answerable = levels, answerable
        self._relays, self._seals = Relays(transport.user_id, frozenset(relays)), Seals()
        self.sender_of = self._relays.sender_of
        self.reply_queue = f"reply_{name}_{uuid4().hex}"
        self.lane = lanes.exchange_of(exchange, transport.user_id) if confined else None
        self._inbox = Inbox(
            exchange, self.codec, self._seals, answers,
            on_rejected=lambda *rejected: self.on_rejected(*rejected), seen=self.seen,
        )  # fmt: skip
        self._reply_lanes = ReplyLanes(transport, exchange, self.reply_queue, lane_of, self._inbox.take)
        transport.on_return, transport.on_restored = self._inbox.returned, self._restored

    @property
    def reply_exchange(self) -> str:
        """Name the exchange that carries replies."""
        return f"{self.exchange}.reply"

    @property
    def notification_exchange(self) -> str:
        """Name the exchange that carries notifications."""
        return f"{self.exchange}.notifications"

    def way_to(self, exchange: str) -> str:
        """Name the exchange that we write to so that something gets behind another: our lane, if we have one."""
        return self.lane or exchange

    def start(self) -> None:
        """Connect, and listen for replies."""
        self.transport.subscribe(
            Subscription(
                queue=self.reply_queue,
                exchange=self.reply_exchange,
                kind=TOPIC,
                routing_key=self.reply_queue,
                on_delivery=self._inbox.take,
                durable=False,
                no_ack=True,
            )
        )
        self.transport.start()

    def stop(self) -> None:
        """Disconnect; calls that still wait end with ConnectionLost."""
        self.transport.stop()
        for call in self._inbox.in_flight():
            call.waiter.set(error=ConnectionLost(f"{self.name} is stopping"))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # ---- sending

    def send(
        self,
        method: Method,
        ctxt: Any,
        arguments: dict[str, Any],
        *,
        topic: str,
        host: str | None,
        namespace: str | None,
        version: str,
        timeout: float | None,
    ) -> Any:
        """Send one use of a declared method; for a call, wait for its result.

        :raises Undeliverable: nobody serves the topic, or the host
        :raises MessagingTimeout: the deadline passed; a call's work may have been done
        :raises MessageTooLong: it cannot go by our lane
        :raises InvalidArguments: an argument, or the context, would not arrive as it is
        """
        called = method.kind == CALL
        request = Request(
            method=method.name,
            args=self._arguments(method, arguments),
            version=version,
            namespace=namespace,
            context=self._context(method, ctxt),
            msg_id=uuid4().hex if called else None,
            reply_q=self.reply_queue if called else None,
        )
        key = f"{topic}.{host}" if host else topic
        seconds = deadline.left(self.call_timeout if timeout is None else timeout)
        if seconds <= 0:
            raise MessagingTimeout(f"{key} was not asked to {method.name}: there was no time left", target=key)
        self._reply_lanes.expect_from(key)
        message = Message(
            body=envelope.pack_request(request),
            exchange=f"{topic}_fanout" if method.kind == FANOUT else self.way_to(self.exchange),
            routing_key="" if method.kind == FANOUT else key,
            message_id=request.msg_id or request.unique_id,
            reply_to=self.reply_queue,
            app_id=self.name,
            user_id=self.transport.user_id,
            expiration=seconds if called else None,
            persistent=not called and method.kind != FANOUT,
            headers=tracing.onward(),
        )
        method.check_arguments(request.args, self.codec.unwrap)
        lanes.check_length(message.body, message.exchange, self.exchange)
        if not called:
            message = self.sealed(message)
        self.seen("sent", message, request, pattern=method.kind, receiver=key)
        if self.watch is None:
            return self._dispatch(method, message, seconds)
        with self.watch.sending(method.kind, topic, message, request) as watched:
            return self._dispatch(method, watched, seconds)

    def _arguments(self, method: Method, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(self.wrap(arguments))
        except Unsendable as error:
            raise InvalidArguments(f"{method.name}: {error}") from None

    def _context(self, method: Method, ctxt: Any) -> dict[str, Any]:
        try:
            return self.codec.context_to_wire(ctxt)
        except Exception as error:  # the application's codec may raise what it likes
            raise InvalidArguments(f"{method.name}: its context cannot be sent: {error}") from error

    def sealed(self, message: Message) -> Message:
        """Give a cast the seal by which we know it again if it comes back."""
        return replace(message, headers={**message.headers, SEAL: self._seals.seal(message, _asked(message))})

    def _dispatch(self, method: Method, message: Message, seconds: float) -> Any:
        if method.kind == CALL:
            return self._result(method, self._call(method, message, seconds))
        if method.kind == FANOUT:
            return self.transport.publish(message, kind=FANOUT_EXCHANGE)
        return self._cast(message, seconds)

    def wrap(self, value: Any) -> Any:
        """Make plain data of a value, such as its receivers can read.

        :raises Unsendable: when it has no end, or none that is near
        """
        try:
            return self.codec.wrap(value, self.levels())
        except RecursionError:
            raise Unsendable("it", f"is nested more than {DEEPEST} deep") from None

    def _cast(self, message: Message, seconds: float) -> None:
        """Publish until the broker confirms: a second copy is harmless, a lost one is not."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                return self.transport.publish_confirmed(message, left)
            except ConnectionLost:
                LOG.warning("the broker went away before it confirmed %s; sending it again", message.routing_key)
                self.seen("resent", message)
        raise MessagingTimeout(f"the broker did not confirm a message to {message.routing_key} in time")

    def _call(self, method: Method, message: Message, seconds: float) -> Any:
        call = Call(message, time.monotonic() + seconds, MOST_TRIES if method.idempotent else 1)
        with self._inbox.waiting(call):
            if not self._answered(call):
                raise MessagingTimeout(
                    f"{message.routing_key} did not answer {method.name} within {seconds:.3g} s; "
                    "it may have done it or not",
                    target=message.routing_key, method=method.name,
                )  # fmt: skip
        if call.waiter.error is not None:
            raise call.waiter.error
        return call.waiter.value

    def _answered(self, call: Call) -> bool:
        """Ask, and ask again if that can do no harm, until there is an answer or no time is left."""
        self._ask(call)
        for tries_left in range(call.tries, 1, -1):
            if self.transport.wait(call.waiter, call.left / tries_left):
                return True
            self._ask_again(call)
        return self.transport.wait(call.waiter, call.left)

    def _ask(self, call: Call) -> None:
        try:
            self.transport.publish(call.message, mandatory=True)
        except ConnectionLost:
            if call.tries == 1:
                raise  # else it is sent again as soon as the broker is back

    def _ask_again(self, call: Call) -> None:
        call.message = replace(call.message, expiration=max(0.0, call.left))
        self.seen("resent", call.message)
        self._ask(call)

    def _restored(self) -> None:
        """Send what is in flight once more, if that can do no harm: the broker that is back may have lost it."""
        for call in self._inbox.in_flight():
            if call.tries > 1 and not call.waiter.done:
                self._ask_again(call)
        self.on_restored()

    def _result(self, method: Method, value: Any) -> Any:
        try:
            return msgspec.convert(self.codec.unwrap(value), method.result)
        except Exception as error:  # the application's codec may raise what it likes; the work was done all the same
            raise RemoteError(
                f"{method.name} was answered with something else than declared: {error}",
                code=type(error).__name__, remote_message=str(error),
            ) from None  # fmt: skip

    # ---- what others may see

    def seen(self, kind: str, message: Message, request: Request | None = None, **more: Any) -> None:
        """Report one thing that happened to a message, if anybody looks."""
        if self.watch is not None:
            self.watch.happened(kind, message, request, more.get("error"))
        if self.report is not None:
            self.report(event_of(kind, message, request, **more))

    def resend(self, message: Message, **changes: Any) -> None:
        """Publish a message once more, changed, and return when the broker has it; who sent it first is still known."""
        user_id, headers = self._relays.passed_on(message, changes.pop("headers", message.headers))
        self._cast(replace(message, user_id=user_id, headers=headers, **changes), self.call_timeout)


def _asked(message: Message) -> str:
    """Name who is asked: a topic, or a host of one."""
    return message.routing_key or message.exchange.removesuffix("_fanout")
