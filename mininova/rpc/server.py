"""Serve interfaces: decode, check, run, answer, and only then let the broker forget the message."""

import inspect
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from mininova.rpc import deadline, envelope
from mininova.rpc.envelope import Reply, Request
from mininova.rpc.errors import InvalidArguments, NoSuchMethod, RPCError, UnsupportedVersion
from mininova.rpc.interface import Interface, Method
from mininova.rpc.peer import Peer
from mininova.rpc.transport import FANOUT, TOPIC, Delivery, Message, Subscription
from mininova.rpc.versions import Version

LOG = logging.getLogger(__name__)

MOST_DELIVERIES = 5

Spawn = Callable[..., Any]


def in_a_thread(function: Callable[..., None], *args: Any) -> None:
    """Run a handler in a thread of its own; a service under eventlet gives the server its own spawn instead."""
    threading.Thread(target=function, args=args, daemon=True).start()


class Server:
    """Serve one topic on one host.

    :param endpoints: each interface with the manager that implements it
    :param spawn: runs a handler aside, so that a slow one holds nobody up
    :raises TypeError: when a manager does not implement its interface as declared
    """

    def __init__(
        self,
        peer: Peer,
        host: str,
        endpoints: Sequence[tuple[type[Interface], object]],
        *,
        spawn: Spawn = in_a_thread,
    ) -> None:
        for interface, manager in endpoints:
            check_manager(interface, manager)
        self.peer, self.host, self.endpoints = peer, host, list(endpoints)
        self.topic = endpoints[0][0].topic
        self._spawn = spawn
        self._in_hand, self._quiet = 0, threading.Condition()
        self._subscriptions = [
            self._subscription(self.topic, peer.exchange, TOPIC, self.topic, durable=True),
            self._subscription(f"{self.topic}.{host}", peer.exchange, TOPIC, f"{self.topic}.{host}", durable=True),
            self._subscription(f"{self.topic}_fanout_{uuid4().hex}", f"{self.topic}_fanout", FANOUT, "", durable=False),
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

    # ---- one message

    def _take(self, delivery: Delivery) -> None:
        with self._quiet:
            self._in_hand += 1
        self._spawn(self._handle, delivery)

    def _handle(self, delivery: Delivery) -> None:
        try:
            self._serve(delivery)
        except Exception:  # the last resort: the message goes back, the process lives on
            LOG.exception("a message on %s could not be handled", delivery.message.routing_key)
            delivery.requeue()
        finally:
            with self._quiet:
                self._in_hand -= 1
                self._quiet.notify_all()

    def _serve(self, delivery: Delivery) -> None:
        message = delivery.message
        try:
            request = envelope.read_request(envelope.unpack(message.body))
        except RPCError as error:
            LOG.warning("refused a message from %s on %s: %s", message.app_id, message.routing_key, error)
            self._seen("rejected", message, None, error=error)
            return delivery.ack()
        self._seen("redelivered" if delivery.redelivered else "received", message, request)
        try:
            run = self._prepare(request)
        except Exception as error:  # whatever is wrong with the message is its sender's to hear
            self._refuse(message, request, error)
            return delivery.ack()
        began = time.monotonic()
        try:
            with deadline.until(message.expiration):
                result = run()
        except Exception as error:
            self._failed(delivery, request, error, time.monotonic() - began)
        else:
            if request.msg_id is not None:
                self._reply(message, request, Reply(msg_id=request.msg_id, result=self.peer.codec.wrap(result)))
            self._seen("replied", message, request, duration=time.monotonic() - began, result=result)
            delivery.ack()

    def _prepare(self, request: Request) -> Callable[[], Any]:
        """Find the method, decode its arguments; what comes back only needs to be run."""
        interface, manager = self._endpoint(request)
        method = interface.methods.get(request.method)
        if method is None:
            raise NoSuchMethod(f"{interface.__name__} declares no method {request.method}")
        if not isinstance(request.args, dict):
            raise InvalidArguments(f"{request.method}: arguments are an object")
        arguments = method.read(self.peer.codec.unwrap(request.args))
        ctxt = self.peer.codec.context_from_wire(request.context)
        return lambda: getattr(manager, method.name)(ctxt, **arguments)

    def _endpoint(self, request: Request) -> tuple[type[Interface], object]:
        asked = Version.parse(request.version)
        offered = [pair for pair in self.endpoints if pair[0].namespace == request.namespace]
        for interface, manager in offered:
            if Version.parse(interface.version).accepts(asked):
                return interface, manager
        spoken = ", ".join(f"{interface.__name__} {interface.version}" for interface, _ in offered) or "nothing"
        raise UnsupportedVersion(
            f"{self.topic} on {self.host} cannot run {request.method} {request.version}: it speaks {spoken}",
            service=self.topic, interface=request.namespace or self.topic, asked=request.version, offered=spoken,
        )  # fmt: skip

    # ---- how it ended

    def _refuse(self, message: Message, request: Request, error: Exception) -> None:
        """Tell the sender: a caller gets the error, the sender of a cast gets its cast back."""
        LOG.warning("refused %s %s from %s: %s", request.method, request.version, message.app_id, error)
        self._seen("rejected", message, request, error=error)
        failure = self.peer.codec.failure_of(error)
        if request.msg_id is not None:
            self._reply(message, request, Reply(msg_id=request.msg_id, failure=failure))
        elif message.reply_to is not None:
            rejected = envelope.unpack(message.body)
            self._reply(message, request, Reply(msg_id=request.unique_id, failure=failure, rejected=rejected))

    def _failed(self, delivery: Delivery, request: Request, error: Exception, duration: float) -> None:
        """A call answers with the error; a cast is tried again, and parked after MOST_DELIVERIES."""
        message = delivery.message
        self._seen("replied", message, request, duration=duration, error=error)
        if request.msg_id is not None:
            if type(error).__name__ not in self.peer.codec.errors:
                LOG.error("%s failed", request.method, exc_info=error)
            self._reply(message, request, Reply(msg_id=request.msg_id, failure=self.peer.codec.failure_of(error)))
        else:
            LOG.error("%s failed, delivery %d", request.method, message.deliveries + 1, exc_info=error)
            self._again(message)
        delivery.ack()

    def _again(self, message: Message) -> None:
        if message.deliveries + 1 < MOST_DELIVERIES:
            return self.peer.resend(message, deliveries=message.deliveries + 1)
        parked = f"{self.topic}.dead"
        LOG.critical("parked a message in %s after %d deliveries", parked, MOST_DELIVERIES)
        self.peer.transport.declare(parked, self.peer.exchange, parked)
        return self.peer.resend(message, routing_key=parked, deliveries=MOST_DELIVERIES)

    def _reply(self, message: Message, request: Request, reply: Reply) -> None:
        """Answer on the reply exchange; a foreign oslo.messaging caller reads from the default exchange."""
        ours = message.reply_to is not None
        self.peer.transport.publish(
            Message(
                body=envelope.pack_reply(reply),
                exchange=self.peer.reply_exchange if ours else "",
                routing_key=(message.reply_to if ours else request.reply_q) or "",
                message_id=reply.msg_id,
                app_id=self.peer.name,
                user_id=self.peer.transport.user_id,
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
        if self.peer.report is None:
            return
        self.peer.seen(
            kind, message, request,
            pattern="call" if request and request.msg_id else "cast",
            receiver=self.peer.name,
            duration=duration,
            error=None if error is None else f"{type(error).__name__}: {error}",
            payload={"result": self.peer.codec.wrap(result)} if kind == "replied" else {},
        )  # fmt: skip


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
