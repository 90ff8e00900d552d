"""Serve interfaces: decode, check, run, answer, and only then let the broker forget the message."""

import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any, Self
from uuid import uuid4

from mininova.rpc import deadline, envelope, parking, tracing
from mininova.rpc.baseapi import BaseAPI, BaseManager, OsloPing
from mininova.rpc.envelope import Reply, Request
from mininova.rpc.errors import MessagingTimeout, NoSuchMethod, RPCError, UnsupportedVersion
from mininova.rpc.interface import Interface, Method
from mininova.rpc.peer import Peer
from mininova.rpc.threads import Threads
from mininova.rpc.transport import FANOUT, TOPIC, Delivery, Message, Subscription
from mininova.rpc.versions import Version
from mininova.rpc.watch import Watch

LOG = logging.getLogger(__name__)

PAUSES = (0, 1, 5, 30)  # seconds from a cast's failed delivery to its next; after the last it is parked
MOST_DELIVERIES = len(PAUSES) + 1
_SHORTEST_INTERVAL = 0.5  # seconds between two signs of life, whatever the caller asks for
_LOST = MessagingTimeout("the last receiver is lost that had it in hand")

Spawn = Callable[..., Any]


def in_a_thread(function: Callable[..., None], *args: Any) -> None:
    """Run something in a thread of its own."""
    threading.Thread(target=function, args=args, daemon=True).start()


class Server:
    """Serve one topic on one host.  As a context manager it starts, and stops gracefully.

    :param endpoints: each interface with the manager that implements it
    :param spawn: runs a handler aside, so that a slow one holds nobody up; without it, in threads
    :param pauses: seconds from each failed delivery of a cast to its next
    :raises TypeError: when a manager does not implement its interface as declared, or they are of several topics
    """

    def __init__(
        self,
        peer: Peer,
        host: str,
        endpoints: Sequence[tuple[type[Interface], object]],
        *,
        spawn: Spawn | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.peer, self.host, self.topic = peer, host, _topic_of(endpoints)
        base = BaseManager(self.topic, host, [*(interface for interface, _ in endpoints), BaseAPI])
        self.endpoints: list[tuple[type[Interface], object]] = [*endpoints, (BaseAPI, base), (OsloPing, base)]
        for interface, manager in self.endpoints:
            check_manager(interface, manager)
        if peer.watch is not None:
            peer.watch.serving(self.topic, [interface for interface, _ in self.endpoints])
        self._fanout = f"{self.topic}_fanout"
        self._spawn, self._pauses = spawn or Threads(), pauses
        self._in_hand, self._quiet = 0, threading.Condition(threading.Lock())
        self._subscriptions = [
            self._subscription(self.topic, peer.exchange, TOPIC, self.topic, durable=True),
            self._subscription(f"{self.topic}.{host}", peer.exchange, TOPIC, f"{self.topic}.{host}", durable=True),
            self._subscription(f"{self._fanout}_{uuid4().hex}", self._fanout, FANOUT, "", durable=False),
        ]

    def _subscription(self, queue: str, exchange: str, kind: str, key: str, *, durable: bool) -> Subscription:
        return Subscription(
            queue=queue, exchange=exchange, kind=kind, routing_key=key, durable=durable, on_delivery=self._take,
        )  # fmt: skip

    def start(self) -> None:
        """Begin to serve."""
        for subscription in self._subscriptions:
            self.peer.transport.subscribe(subscription)

    def stop(self, timeout: float = 60.0) -> bool:
        """Take nothing new, finish what was begun, and tell whether that was done within ``timeout`` seconds."""
        for subscription in self._subscriptions:
            self.peer.transport.unsubscribe(subscription)
        with self._quiet:
            return self._quiet.wait_for(lambda: self._in_hand == 0, timeout)

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
        try:
            self._serve(delivery)
        except Exception:  # the last resort, mostly of a broker that is away; a cast is counted when it comes back
            LOG.exception("a message on %s could not be handled", delivery.message.routing_key)
            delivery.ack() if delivery.message.expiration is not None else delivery.requeue()
        else:
            delivery.ack()
        finally:
            with self._quiet:
                self._in_hand -= 1
                self._quiet.notify_all()

    def _serve(self, delivery: Delivery) -> None:
        message, request = delivery.message, None
        try:
            request = envelope.read_request(envelope.unpack(message.body))
            self._seen("redelivered" if delivery.redelivered else "received", message, request)
            method, run = self._prepare(request)
            if delivery.redelivered and not method.idempotent:
                raise MessagingTimeout(f"a server of {self.topic} is lost that may have done {request.method}, or not")
        except Exception as error:  # whatever is wrong with the message is its sender's to hear
            return self._refuse(message, request, error)
        repeats = request.msg_id is None and method.idempotent and message.exchange != self._fanout
        if delivery.redelivered and repeats:
            return self._again(message, request, _LOST)  # and that may have been the message's doing
        began = time.monotonic()
        try:
            with self._in_sight(message, request):
                result, reply = self._work(delivery, request, run)
        except Exception as error:
            return self._failed(message, request, error, time.monotonic() - began, repeats)
        self._seen("replied", message, request, duration=time.monotonic() - began, result=result)
        if reply is not None:
            self._reply(message, request, reply)
        return None

    def _work(self, delivery: Delivery, request: Request, run: Callable[[], Any]) -> tuple[Any, bytes | None]:
        """Run a handler to its end; give its result, and the reply that a call gets."""
        with self._until(delivery, request), self._signs_of_life(delivery.message, request):
            result = self.peer.wrap(run())
        return result, envelope.pack_reply(Reply(msg_id=request.msg_id, result=result)) if request.msg_id else None

    @contextmanager
    def _watched(self, watch: Watch, message: Message, request: Request) -> Iterator[None]:
        with tracing.continuing(message.headers), watch.handling(self.topic, message, request):
            yield

    def _in_sight(self, message: Message, request: Request) -> AbstractContextManager[None]:
        """Work for the trace that a message belongs to, if it does, in the sight of whoever watches, if anybody."""
        if self.peer.watch is not None:
            return self._watched(self.peer.watch, message, request)
        return tracing.continuing(message.headers) if tracing.concerns(message.headers) else nullcontext()

    @staticmethod
    def _until(delivery: Delivery, request: Request) -> AbstractContextManager[None]:
        """Give the work what its caller gave it, less what the message has waited here."""
        given = delivery.message.expiration
        left = None if given is None else given - (time.monotonic() - delivery.arrived)
        if left is not None and left <= 0:
            raise MessagingTimeout(f"{request.method} was not begun: it had waited too long")
        return deadline.until(left)

    @contextmanager
    def _signs_of_life(self, message: Message, request: Request) -> Iterator[None]:
        """While the block runs, tell a caller who wants to know that it does (oslo.messaging's call monitor)."""
        if request.msg_id is None or not request.sign_within:
            yield
            return
        sign = envelope.pack_reply(Reply(msg_id=request.msg_id, ending=False))
        interval = min(max(request.sign_within / 2, _SHORTEST_INTERVAL), threading.TIMEOUT_MAX)
        done = threading.Event()

        def repeat() -> None:
            while not done.wait(interval):
                with suppress(RPCError):  # a broker that is away may be back for the next one
                    self._reply(message, request, sign)

        in_a_thread(repeat)
        try:
            yield
        finally:
            done.set()

    def _prepare(self, request: Request) -> tuple[Method, Callable[[], Any]]:
        """Find the method, decode its arguments; the function that comes back only needs to be run."""
        interface, manager = self._endpoint(request)
        method = interface.methods.get(request.method)
        if method is None:
            raise NoSuchMethod(f"{interface.__name__} declares no method {request.method}")
        arguments = method.read(self.peer.codec.unwrap(request.args))
        ctxt = self.peer.codec.context_from_wire(request.context)
        return method, lambda: getattr(manager, method.name)(ctxt, **arguments)

    def _endpoint(self, request: Request) -> tuple[type[Interface], object]:
        """Choose among the interfaces of the namespace: there may be several majors, and several of one name."""
        asked = Version.parse(request.version)
        served = [pair for pair in self.endpoints if pair[0].namespace == request.namespace]
        offered = [pair for pair in served if request.method in pair[0].methods] or served[:1]
        for interface, manager in offered:
            if Version.parse(interface.version).accepts(asked):
                return interface, manager
        spoken = ", ".join(f"{interface.__name__} {interface.version}" for interface, _ in offered) or "nothing"
        raise UnsupportedVersion(
            f"{self.topic} on {self.host} cannot run {request.method} {request.version}: it speaks {spoken}",
            service=self.topic, interface=request.namespace or self.topic, asked=request.version, offered=spoken,
        )  # fmt: skip

    # ---- how it ended

    def _refuse(self, message: Message, request: Request | None, error: Exception) -> None:
        """Tell the sender: a caller gets the error, the sender of a cast gets its cast back.

        A message that nobody can read may be either, so its sender gets both under the message's own id.
        """
        LOG.warning("refused a message from %s on %s: %s", message.app_id, message.routing_key, error)
        self._seen("rejected", message, request, error=error)
        failure = self.peer.codec.failure_of(error)
        if request is not None and request.msg_id is not None:
            self._reply(message, request, envelope.pack_reply(Reply(msg_id=request.msg_id, failure=failure)))
        elif message.reply_to is not None:
            rejection = Reply(msg_id=message.message_id, failure=failure, rejected=message.body)
            self._reply(message, request, envelope.pack_reply(rejection))

    def _failed(self, message: Message, request: Request, error: Exception, duration: float, repeats: bool) -> None:
        """A call answers with the error; a cast is tried again, and parked after MOST_DELIVERIES."""
        self._seen("replied", message, request, duration=duration, error=error)
        if request.msg_id is None or type(error).__name__ not in self.peer.codec.errors:
            traceback = None if message.deliveries else error  # the next ones say no more than the first
            LOG.error("%s failed, delivery %d: %s", request.method, message.deliveries + 1, error, exc_info=traceback)
        if request.msg_id is not None:
            failure = self.peer.codec.failure_of(error)
            self._reply(message, request, envelope.pack_reply(Reply(msg_id=request.msg_id, failure=failure)))
        elif repeats:
            self._again(message, request, error)

    def _again(self, message: Message, request: Request, error: Exception) -> None:
        """Have a cast delivered once more, after a pause in a queue of the broker's; or park it."""
        tried, key = message.deliveries + 1, message.routing_key
        headers = {**message.headers, **parking.notes(message, error)}
        if tried > len(self._pauses):
            return self._park(replace(message, deliveries=tried, headers=headers), request, error)
        self._seen("retried", message, request, error=error)
        if pause := self._pauses[message.deliveries]:
            back_to, key = key, f"{key}.pause.{pause:g}"
            self.peer.transport.declare_pause(key, self.peer.exchange, key, seconds=pause, back_to=back_to)
        return self.peer.resend(message, routing_key=key, deliveries=tried, headers=headers)

    def _park(self, message: Message, request: Request, error: Exception) -> None:
        LOG.critical(
            "parked %s %s in %s after %d deliveries: %s",
            request.method, message.message_id, parking.queue_of(self.topic), message.deliveries, error,
        )  # fmt: skip
        parking.park(self.peer, self.topic, message)
        self._seen("parked", message, request, error=error)

    def _reply(self, message: Message, request: Request | None, body: bytes) -> None:
        """Answer on the reply exchange; a foreign oslo.messaging caller reads from the default exchange."""
        exchange, key = self.peer.reply_exchange, message.reply_to
        if key is None:
            exchange, key = "", request.reply_q if request is not None else None
        self.peer.transport.publish(
            Message(
                body=body,
                exchange=exchange,
                routing_key=key or "",
                message_id=message.message_id,
                app_id=self.peer.name,
                user_id=self.peer.transport.user_id,
                expiration=message.expiration,  # a broker that is away is waited for as long as the caller waits
            )
        )

    def _seen(
        self,
        kind: str,
        message: Message,
        request: Request | None,
        *,
        duration: float | None = None,
        error: Exception | None = None,
        result: Any = None,
    ) -> None:
        self.peer.seen(
            kind, message, request,
            pattern="call" if request and request.msg_id else FANOUT if message.exchange == self._fanout else "cast",
            receiver=self.peer.name,
            duration=duration,
            error=None if error is None else f"{type(error).__name__}: {error}",
            **({"payload": {"result": result}} if kind == "replied" else {}),
        )  # fmt: skip


def _topic_of(endpoints: Sequence[tuple[type[Interface], object]]) -> str:
    topics = {interface.topic for interface, _ in endpoints}
    if len(topics) != 1:
        raise TypeError(f"a server serves one topic, not {len(topics)}: {', '.join(sorted(topics))}")
    return topics.pop()


def check_manager(interface: type[Interface], manager: object) -> None:
    """Compare a manager with the interface it is to implement.

    :raises TypeError: naming the method that is missing or takes other arguments
    """
    for method in interface.methods.values():
        implemented = getattr(manager, method.name, None)
        if implemented is None:
            raise TypeError(f"{type(manager).__name__} does not implement {interface.__name__}.{method.name}")
        takes = list(inspect.signature(implemented).parameters)[1:]
        if takes != [p.name for p in method.parameters]:
            raise TypeError(
                f"{type(manager).__name__}.{method.name} takes {takes}, "
                f"{interface.__name__} declares {[p.name for p in method.parameters]}"
            )


__all__ = ["MOST_DELIVERIES", "Method", "Server", "Spawn", "check_manager", "in_a_thread"]
