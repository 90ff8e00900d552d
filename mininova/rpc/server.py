"""Serve interfaces: decode, check, run, answer, and only then let the broker forget the message."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, Self
from uuid import uuid4

from msgspec.structs import replace

from mininova.rpc import deadline, envelope, parking, plain, signs
from mininova.rpc.baseapi import BaseAPI, BaseManager, OsloPing
from mininova.rpc.endpoints import Endpoint, check_manager, meant, topic_of
from mininova.rpc.envelope import Reply, Request
from mininova.rpc.errors import (
    WIRE,
    Forbidden,
    InvalidArguments,
    MessageRefused,
    MessageTooLong,
    MessagingTimeout,
    NoSuchMethod,
    RPCError,
)
from mininova.rpc.interface import Method
from mininova.rpc.peer import Peer
from mininova.rpc.threads import Threads
from mininova.rpc.transports.base import FANOUT, TOPIC, Delivery, Message, Subscription
from mininova.rpc.trust import callers, denials
from mininova.rpc.trust.lanes import HANDS, Lanes
from mininova.rpc.trust.seal import SEAL
from mininova.rpc.watch import origin, sparing, tracing
from mininova.rpc.watch.base import Watch

LOG = logging.getLogger(__name__)

PAUSES = (0, 1, 5, 30)  # seconds from a cast's failed delivery to its next; after the last it is parked
MOST_DELIVERIES = len(PAUSES) + 1
_LOST = MessagingTimeout("the last receiver is lost that had it in hand")

Spawn = Callable[..., Any]


def in_a_thread(function: Callable[..., None], *args: Any) -> None:
    """Run something in a thread of its own."""
    threading.Thread(target=function, args=args, daemon=True).start()


class Server:
    """Serve one topic on one host.  As a context manager it starts, and stops gracefully.

    :param endpoints: each interface with the manager that implements it
    :param spawn: runs a handler aside, so that a slow one does not hold up others; by default in threads
    :param pauses: seconds from each failed delivery of a cast to its next
    :raises TypeError: when a manager does not implement its interface as declared, or they are of several topics, or
        a method does not say who may call it although the peer's trust has a gate
    """

    def __init__(
        self,
        peer: Peer,
        host: str,
        endpoints: Sequence[Endpoint],
        *,
        spawn: Spawn | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.peer, self.host, self.topic = peer, host, topic_of(endpoints)
        self.trust = peer.trust
        base = BaseManager(self.topic, host, [*(interface for interface, _ in endpoints), BaseAPI])
        self.endpoints: list[Endpoint] = [*endpoints, (BaseAPI, base), (OsloPing, base)]
        for interface, manager in self.endpoints:
            check_manager(interface, manager)
            self.trust.gate.check_declared(interface)
        if peer.watch is not None:
            peer.watch.serving(self.topic, [interface for interface, _ in self.endpoints])
        self._fanout = f"{self.topic}_fanout"
        self._spawn, self._pauses = spawn or Threads(), pauses
        self._in_hand, self._quiet = 0, threading.Condition(threading.Lock())
        mine = f"{self.topic}.{host}"
        self._places = [mine] if self.trust.alone else [self.topic, mine]
        self._lanes = Lanes(
            peer.transport, peer.exchange, self.topic, durable=True, at_once=HANDS,
            take=lambda user, delivery: self._take(delivery),
        )  # fmt: skip
        self._subscriptions = [
            self._subscription(place, peer.exchange, TOPIC, place, durable=True) for place in self._places
        ]
        if not self.trust.alone:
            heard = f"{self._fanout}_{uuid4().hex}"
            self._subscriptions.append(self._subscription(heard, self._fanout, FANOUT, "", durable=False))

    def _subscription(self, queue: str, exchange: str, kind: str, key: str, *, durable: bool) -> Subscription:
        return Subscription(
            queue=queue, exchange=exchange, kind=kind, routing_key=key, durable=durable, on_delivery=self._take,
        )  # fmt: skip

    def start(self) -> None:
        """Begin to serve."""
        for subscription in self._subscriptions:
            self.peer.transport.subscribe(subscription)

    def hear(self, users: Collection[str]) -> None:
        """Serve these users by their lanes, and no others."""
        self._lanes.read_only(users)

    def stop(self, timeout: float = 60.0) -> bool:
        """Take nothing new, finish what was begun, and tell whether that was done within ``timeout`` seconds."""
        until = time.monotonic() + timeout
        for subscription in self._subscriptions:
            self.peer.transport.unsubscribe(subscription, max(0.0, until - time.monotonic()))
        self._lanes.read_only((), within=max(0.0, until - time.monotonic()))
        with self._quiet:
            return self._quiet.wait_for(lambda: self._in_hand == 0, max(0.0, until - time.monotonic()))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # ---- one message

    def _take(self, delivery: Delivery) -> None:
        with self._quiet:
            self._in_hand += 1
        self._spawn(self._handle, delivery)

    def _handle(self, delivery: Delivery) -> None:
        """Serve a message, and then have the broker forget it."""
        try:
            with callers.working_for(self.peer.sender_of(delivery.message)):
                self._serve(delivery)
        except Exception as error:  # the last resort, mostly of a broker that is away
            LOG.exception("a message on %.200r could not be handled", delivery.message.routing_key)
            if delivery.message.expiration is not None:
                delivery.ack()
            elif not isinstance(error, MessageRefused):  # else it would be again, at once, and so without end
                delivery.requeue()  # and is counted when it comes back
        else:
            delivery.ack()
        finally:
            with self._quiet:
                self._in_hand -= 1
                self._quiet.notify_all()

    def _serve(self, delivery: Delivery) -> None:
        """Read a message, let it pass the gate, run its handler, and answer."""
        message, request = delivery.message, None
        try:
            request = envelope.read_request(envelope.unpack(message.body))
            self._happened("redelivered" if delivery.redelivered else "received", message, request)
            callers.check_way(message, self._places, self.peer.exchange)
            method, arguments, run = self._prepare(request)
            if delivery.redelivered and not method.idempotent:
                raise MessagingTimeout(f"a server of {self.topic} is lost that may have done {request.method}, or not")
            left = self._time_left(delivery, request)
        except Exception as error:  # the sender gets the error
            if isinstance(error, RPCError) and delivery.redelivered:
                error.definite = False  # an earlier receiver may have done it
            return self._refuse(message, request, error)
        repeats = request.msg_id is None and method.idempotent and message.exchange != self._fanout
        if delivery.redelivered and repeats:
            return self._again(message, request, _LOST)  # and that may have been the message's doing
        began = time.monotonic()
        try:
            signs_of_life = signs.of_life(request, partial(self._reply, message, request))
            with self._in_sight(message, request), deadline.until(left), signs_of_life:
                self.trust.gate(callers.caller(), method, arguments)  # who may call: trust/gate.py
                result, reply = self._answer(request, method, run())
        except Forbidden as error:
            return self._refuse(message, request, error)
        except Exception as error:
            return self._failed(message, request, error, time.monotonic() - began, repeats)
        self._happened("replied", message, request, duration=time.monotonic() - began, result=result)
        if reply is not None:
            self._reply(message, request, reply)
        return None

    def _answer(self, request: Request, method: Method, result: Any) -> tuple[Any, bytes | None]:
        """Give a handler's result as plain data, and the reply that a call gets, which its caller can read.

        :raises TypeError: when the result is not what was declared
        :raises Unsendable: when it would not arrive as it is
        :raises MessageTooLong: when it has too many bytes
        """
        if request.msg_id is None:
            return self.peer.wrap(result), None
        method.check_result(result)
        result = self.peer.wrap(result)
        reply = envelope.pack_reply(Reply(msg_id=request.msg_id, result=result))
        method.check_reply(result, self.peer.codec.unwrap)
        return result, reply

    @contextmanager
    def _watched(self, watch: Watch, message: Message, request: Request) -> Iterator[None]:
        with tracing.continuing(message.headers), watch.handling(self.topic, message, request):
            yield

    def _in_sight(self, message: Message, request: Request) -> AbstractContextManager[None]:
        """Continue the trace of a message, if it has one, inside the watch, if there is one."""
        if self.peer.watch is not None:
            return self._watched(self.peer.watch, message, request)
        return tracing.continuing(message.headers) if tracing.concerns(message.headers) else nullcontext()

    @staticmethod
    def _time_left(delivery: Delivery, request: Request) -> float | None:
        """Give the seconds that the work has: what its caller gave it, less what the message has waited here."""
        given = delivery.message.expiration
        left = None if given is None else given - (time.monotonic() - delivery.arrived)
        if left is not None and left <= 0:
            raise MessagingTimeout(f"{request.method} was not begun: it had waited too long", definite=True)
        return left

    def _prepare(self, request: Request) -> tuple[Method, dict[str, Any], Callable[[], Any]]:
        """Find the method and decode its arguments; the function that comes back only needs to be run."""
        interface, manager = meant(self.endpoints, request, topic=self.topic, host=self.host)
        method = interface.methods.get(request.method)
        if method is None:
            raise NoSuchMethod(f"{interface.__name__} declares no method {request.method}")
        try:
            arguments = method.read(self.peer.codec.unwrap(request.args))
        except RecursionError:  # of the application's codec
            raise InvalidArguments(f"{method.name}: its arguments are nested too deep to be read") from None
        ctxt = self.peer.codec.context_from_wire(request.context)
        return method, arguments, partial(getattr(manager, method.name), ctxt, **arguments)

    # ---- how it ended

    def _refuse(self, message: Message, request: Request | None, error: Exception) -> None:
        """Tell the sender: a caller gets the error, the sender of a cast gets its cast back.

        A message that cannot be read may be either, so its sender gets both under the message's own id.  One that is
        too long does not go back.
        """
        if isinstance(error, Forbidden) and request is not None:
            denials.denied(request, error, self.trust.on_denied)
            self._happened("denied", message, request, error=error)
        else:
            like = sparing.about(self.peer.sender_of(message), "refused", type(error).__name__)
            asked = request.method if request is not None else "what cannot be read"
            LOG.warning("refused %.100r: %.300r; from %s", asked, str(error), origin.described(message), extra=like)
            self._happened("rejected", message, request, error=error)
        failure = self.peer.codec.failure_of(error)
        if request is not None and request.msg_id is not None:
            self._reply(message, request, envelope.pack_reply(Reply(msg_id=request.msg_id, failure=failure)))
        elif message.reply_to is not None:
            back = None if isinstance(error, MessageTooLong) else message.body
            self._reply(message, request, self._rejection(message, failure, back))

    def _rejection(self, message: Message, failure: dict[str, Any], back: bytes | None) -> bytes:
        """Write what a refused cast's sender gets: the cast, unless it would be too long in there."""
        try:
            return envelope.pack_reply(Reply(msg_id=message.message_id, failure=failure, rejected=back))
        except MessageTooLong:
            return self._rejection(message, failure, None)

    def _failed(self, message: Message, request: Request, error: Exception, duration: float, repeats: bool) -> None:
        """A call answers with the error; a cast is tried again, and parked after MOST_DELIVERIES."""
        if WIRE.get(type(error).__name__) is type(error):
            error.definite = False  # it was definite about a message of the handler's, not about its own work
        self._happened("replied", message, request, duration=duration, error=error, result=None)
        if request.msg_id is None or type(error).__name__ not in self.peer.codec.errors:
            traceback = None if message.deliveries else error  # the next ones say no more than the first
            LOG.error(
                "%s failed, delivery %d: %s", request.method, message.deliveries + 1, plain.text(error),
                exc_info=traceback,
            )  # fmt: skip
        elif plain.outside(error) != (why := plain.text(error)):
            like = sparing.about(None, "kept", type(error).__name__)
            LOG.warning("%s failed, and its caller is not told why: %s", request.method, why, extra=like)
        if request.msg_id is not None:
            failure = self.peer.codec.failure_of(error)
            self._reply(message, request, envelope.pack_reply(Reply(msg_id=request.msg_id, failure=failure)))
        elif repeats:
            self._again(message, request, error)

    def _again(self, message: Message, request: Request, error: Exception) -> None:
        """Have a cast delivered once more, after a pause in a queue of the broker's; or park it."""
        key = message.routing_key  # its sender chose it, and it may name another's place
        message = replace(message, routing_key=key if key in self._places else self._places[0])
        message = replace(message, headers={**message.headers, **parking.notes(message, error)})
        if message.deliveries >= len(self._pauses):
            return self._park(replace(message, deliveries=message.deliveries + 1), request, error)
        self._happened("retried", message, request, error=error)
        return parking.again(self.peer, message, message.routing_key, pause=self._pauses[message.deliveries])

    def _park(self, message: Message, request: Request, error: Exception) -> None:
        place = message.routing_key if self.trust.alone else self.topic
        LOG.critical(
            "parked %s %s in %s after %d deliveries: %s",
            request.method, message.message_id, parking.queue_of(place), message.deliveries, error,
        )  # fmt: skip
        parking.park(self.peer, place, message)
        self._happened("parked", message, request, error=error)
        self.peer.on_parked(self.peer.codec.context_from_wire(request.context), request, error)

    def _reply(self, message: Message, request: Request | None, body: bytes) -> None:
        """Answer on the reply exchange; a foreign oslo.messaging caller reads from the default exchange."""
        exchange, key = self.peer.way_to(self.peer.reply_exchange), message.reply_to
        if key is None and self.trust.answerable is None:
            exchange, key = "", request.reply_q if request is not None else None
        if key is None or not self._may_answer(message, key):
            return
        self.peer.transport.publish(
            Message(
                body=body,
                exchange=exchange,
                routing_key=key,
                message_id=message.message_id,
                app_id=self.peer.name,
                user_id=self.peer.transport.user_id,
                headers={SEAL: message.headers[SEAL]} if SEAL in message.headers else {},
                expiration=message.expiration,  # a broker that is away is waited for as long as the caller waits
            )
        )

    def _may_answer(self, message: Message, key: str) -> bool:
        asked = self.trust.answerable
        return key.startswith("reply_") and (asked is None or asked(self.peer.sender_of(message), key))

    def _happened(self, kind: str, message: Message, request: Request | None, **more: Any) -> None:
        if self.peer.watch is not None:
            pattern = "call" if request and request.msg_id else FANOUT if message.exchange == self._fanout else "cast"
            self.peer.watch.happened(
                kind, message, request, pattern=pattern, receiver=self.peer.name, **more
            )  # fmt: skip


__all__ = ["MOST_DELIVERIES", "Method", "Server", "Spawn", "check_manager", "in_a_thread"]
