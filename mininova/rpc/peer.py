"""One process's end of the messaging: it sends what interfaces ask for, and waits for the replies.

A process has one Peer.  Interfaces send through it, and servers and notifiers share it, so a process has one connection
and one reply queue.
"""

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any, Self
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from mininova.rpc import deadline, envelope, plain
from mininova.rpc.codec import Codec
from mininova.rpc.envelope import Request
from mininova.rpc.errors import (
    BrokerUnreachable,
    ConnectionLost,
    InvalidArguments,
    MessageRefused,
    MessagingTimeout,
    RemoteError,
    RPCError,
    Undeliverable,
)
from mininova.rpc.inbox import Call, Inbox, Rejected, log_rejection
from mininova.rpc.interface import CALL, FANOUT, Method
from mininova.rpc.losses import Losing
from mininova.rpc.plain import DEEPEST, Unsendable
from mininova.rpc.transports.base import FANOUT as FANOUT_EXCHANGE
from mininova.rpc.transports.base import TOPIC, Message, Subscription, Transport, Waiter
from mininova.rpc.trust import lanes
from mininova.rpc.trust.base import Trust
from mininova.rpc.trust.callers import Relays
from mininova.rpc.trust.lanes import ReplyLanes
from mininova.rpc.trust.seal import SEAL, Seals
from mininova.rpc.versions import Levels
from mininova.rpc.watch import tracing
from mininova.rpc.watch.base import Watch

LOG = logging.getLogger(__name__)

MOST_TRIES = 3  # of an idempotent call, in equal shares of its time
OTHERS_RETURN_S = 10.0  # in which others connect again, after a broker is back that may have lost their queues
RETURN_PAUSE_S = 0.25  # between two looks at whether a queue is there again: nothing tells us
_EVERYBODY = Trust()


class Peer:
    """Send calls, casts and fanouts; match replies to their calls.  As a context manager it starts, and stops.

    :param name: what others call this process in logs and in the flow, ``conductor.ctl-1``
    :param exchange: the control exchange, ``E`` in transports/base.py
    :param call_timeout: seconds that a call waits unless its interface says otherwise (``within``)
    :param watch: the hook around each message: metrics, spans, the flow, or several (watch.base.together)
    :param on_rejected: called with each cast that its receiver refused: its context, the cast, and why.  It runs where
        replies are heard, so it must not wait for one
    :param levels: tells what receivers are known to speak
    :param trust: whom this process believes and obeys; the default is everybody
    :param losses: gives the rules by which messages are lost on purpose, if any are
    :ivar on_parked: called with each cast that a server of this peer parked: its context, the cast, and its last error
    :ivar on_restored: called when a broker that was lost is back: fanouts that were sent meanwhile were not heard
    """

    def __init__(
        self,
        transport: Transport,
        *,
        name: str,
        codec: Codec | None = None,
        exchange: str = "mininova",
        call_timeout: float = 60.0,
        watch: Watch | None = None,
        on_rejected: Rejected | None = None,
        levels: Callable[[], Levels] = dict,
        trust: Trust = _EVERYBODY,
        losses: Callable[[], Losing] | None = None,
    ) -> None:
        self.transport, self.name, self.exchange = transport, name, exchange
        self._losses = losses
        self.codec, self.call_timeout = codec or Codec(), call_timeout
        self.watch, self.levels, self.trust = watch, levels, trust
        self.on_rejected: Rejected = on_rejected or log_rejection
        self.on_restored: Callable[[], object] = lambda: None
        self.on_parked: Rejected = lambda ctxt, cast, error: None
        self._relays, self._seals = Relays(transport.user_id, trust.relays), Seals()
        self.sender_of = self._relays.sender_of
        user = transport.user_id or name
        self.reply_queue = lanes.replies_to(user) if trust.confined else f"reply_{name}_{uuid4().hex}"
        self.lane = lanes.exchange_of(exchange, user) if trust.confined else None
        self._inbox = Inbox(
            exchange, self.codec, self._seals, trust.answers,
            on_rejected=lambda *rejected: self.on_rejected(*rejected), watch=watch,
        )  # fmt: skip
        self._reply_lanes = ReplyLanes(transport, exchange, self.reply_queue, trust.lane_of, self._inbox.take)
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
        """Name the exchange to which this process writes what is for another: its lane, if it has one."""
        return self.lane or exchange

    def start(self) -> None:
        """Connect, and listen for replies.

        :raises BrokerUnreachable: when there is no broker yet; it may be called again
        """
        replies = Subscription(
            queue=self.reply_queue,
            exchange=self.reply_exchange,
            kind=TOPIC,
            routing_key=self.reply_queue,
            on_delivery=self._inbox.take,
            durable=False,
            no_ack=True,
        )
        self.transport.subscribe(replies)
        try:
            self.transport.start()
        except BrokerUnreachable:
            self.transport.unsubscribe(replies)
            raise

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

        :raises Undeliverable: the topic, or the host, was never served
        :raises MessagingTimeout: the deadline passed; a call's work may have been done
        :raises MessageTooLong: it is longer than a broker takes
        :raises InvalidArguments: an argument, or the context, would not arrive as it is
        """
        key = f"{topic}.{host}" if host else topic
        seconds = deadline.left(self.call_timeout if timeout is None else timeout)
        if seconds <= 0:
            why = "there was no time left"
            raise MessagingTimeout(f"{key} was not asked to {method.name}: {why}", definite=True, target=key)
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
        self._reply_lanes.expect_from(key)
        message = self._message(method, request, topic, key, seconds)
        watch = self.watch
        watched = nullcontext(message) if watch is None else watch.sending(method.kind, topic, message, request)
        with watched as message:
            if called:
                return self._call(method, message, seconds)
            if method.kind == FANOUT:
                return self._publish(message, kind=FANOUT_EXCHANGE)
            return None if self._is_lost(message) else self._cast(message, seconds)

    def _message(self, method: Method, request: Request, topic: str, key: str, seconds: float) -> Message:
        called, fanout = method.kind == CALL, method.kind == FANOUT
        message = Message(
            body=envelope.pack_request(request),
            exchange=f"{topic}_fanout" if fanout else self.way_to(self.exchange),
            routing_key="" if fanout else key,
            message_id=request.msg_id or request.unique_id,
            reply_to=self.reply_queue,
            app_id=self.name,
            user_id=self.transport.user_id,
            expiration=seconds if called else None,
            persistent=not called and not fanout,
            headers=tracing.onward(),
        )
        method.check_arguments(request.args, self.codec.unwrap)
        return message if called else self.sealed(message)

    def _arguments(self, method: Method, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(self.wrap(arguments))
        except Unsendable as error:
            raise InvalidArguments(f"{method.name}: {error}") from None

    def _context(self, method: Method, ctxt: Any) -> dict[str, Any]:
        try:
            fields = self.codec.context_to_wire(ctxt)
            plain.check(fields)
            return fields
        except Exception as error:  # the application's codec may raise what it likes
            raise InvalidArguments(f"{method.name}: its context cannot be sent: {error}") from error

    def sealed(self, message: Message) -> Message:
        """Give a cast the seal by which we know it again if it comes back."""
        return replace(message, headers={**message.headers, SEAL: self._seals.seal(message, _asked(message))})

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
        until, nothing_sent = time.monotonic() + seconds, True
        while (left := until - time.monotonic()) > 0:
            try:
                return self.transport.publish_confirmed(message, left)
            except ConnectionLost as error:
                nothing_sent &= error.definite
                LOG.warning("the broker went away before it confirmed %s; sending it again", message.routing_key)
                self._resent(message)
            except RPCError as error:
                error.definite &= nothing_sent  # it knows of this try, and not of those before
                is_missing = isinstance(error, Undeliverable) and not isinstance(error, MessageRefused)
                if not is_missing or not self._may_return(left):
                    raise
                self._resent(message)
        key = message.routing_key
        raise MessagingTimeout(f"the broker did not confirm a message to {key} in time", definite=nothing_sent)

    def _call(self, method: Method, message: Message, seconds: float) -> Any:
        """Ask, and ask again if that can do no harm, until there is an answer or no time is left."""
        call = Call(message, time.monotonic() + seconds, MOST_TRIES if method.idempotent else 1)
        with self._inbox.waiting(call):
            for tries_left in range(call.tries, 0, -1):
                try:
                    with call.copy():
                        self._publish(call.message, mandatory=True)
                except ConnectionLost:
                    if call.tries == 1:
                        raise  # else it is sent again as soon as the broker is back
                if self._ended(call, call.left / tries_left):
                    return self._result(method, call)
                if tries_left > 1:
                    self._renew(call)
        known = "it may have done it or not" if call.sent else "it was not asked: the broker was away"
        raise MessagingTimeout(
            f"{message.routing_key} did not answer {method.name} within {seconds:.3g} s; {known}",
            definite=not call.sent, target=message.routing_key, method=method.name,
        )  # fmt: skip

    def _ended(self, call: Call, seconds: float) -> bool:
        """Wait for the end of a call; while others return, one that no queue took is sent again."""
        until = time.monotonic() + seconds
        while ended := self.transport.wait(call.waiter, until - time.monotonic()):
            if not call.returned or call.sent != 1 or not self._may_return(call.left):
                return True
            call.again()
            self._renew(call)
            with suppress(ConnectionLost), call.copy():
                self._publish(call.message, mandatory=True)
        return ended

    def _may_return(self, left: float) -> bool:
        """Tell, after a pause, whether a queue that is not there may be soon: its reader lost the broker as we did.

        :param left: seconds until a deadline
        """
        if time.monotonic() + RETURN_PAUSE_S > self.transport.restored_at + OTHERS_RETURN_S or left < RETURN_PAUSE_S:
            return False
        self.transport.wait(Waiter(), RETURN_PAUSE_S)
        return True

    def _renew(self, call: Call) -> None:
        """Make ready to send a call again, with the time that it has left."""
        call.message = replace(call.message, expiration=max(0.0, call.left))
        self._resent(call.message)

    def _restored(self) -> None:
        """Send what is in flight once more, if that can do no harm: the broker that is back may have lost it."""
        for call in self._inbox.in_flight():
            if call.tries > 1 and not call.waiter.done:
                self._renew(call)
                with suppress(ConnectionLost), call.copy():
                    self._publish(call.message, mandatory=True)
        self.on_restored()

    def _result(self, method: Method, call: Call) -> Any:
        if (error := call.waiter.error) is not None:
            if isinstance(error, RPCError) and call.sent > 1:
                error.definite = False  # the other copy may have been served
            raise error
        try:
            return msgspec.convert(self.codec.unwrap(call.waiter.value), method.result)
        except Exception as error:  # the application's codec may raise what it likes; the work was done all the same
            raise RemoteError(
                f"{method.name} was answered with something else than declared: {error}",
                code=type(error).__name__, remote_message=str(error),
            ) from None  # fmt: skip

    def resend(self, message: Message, **changes: Any) -> None:
        """Publish a message once more, changed, and return when the broker has it; its first sender stays known."""
        user_id, headers = self._relays.passed_on(message, changes.pop("headers", message.headers))
        self._cast(replace(message, user_id=user_id, headers=headers, **changes), self.call_timeout)

    def _publish(self, message: Message, **how: Any) -> None:
        if not self._is_lost(message):
            self.transport.publish(message, **how)

    def _is_lost(self, message: Message) -> bool:
        """Lose a message on purpose if a rule says so: then it is not published, and its sender does not notice."""
        if self._losses is None or not (losing := self._losses()).rules or (request := _gist(message)) is None:
            return False
        if (why := losing.strikes(self.name, request.method)) is None:
            return False
        id, asked = message.message_id, _asked(message)
        LOG.warning("%s loses message %s (%s) to %s on purpose: %s", self.name, id, request.method, asked, why)
        if self.watch is not None:
            self.watch.happened("lost", message, request, receiver=asked, error=why)
        return True

    def _resent(self, message: Message) -> None:
        if self.watch is not None:
            self.watch.happened("resent", message, _gist(message))


def _gist(message: Message) -> Request | None:
    """Read which request a message of ours is, without the arguments, which were told when it was sent."""
    with suppress(RPCError):
        return msgspec.structs.replace(envelope.read_request(envelope.unpack(message.body)), args={})
    return None


def _asked(message: Message) -> str:
    """Name what is asked: a topic, or a host of one."""
    return message.routing_key or message.exchange.removesuffix("_fanout")
