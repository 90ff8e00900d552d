"""Peers and servers around one broker, for the tests of the RPC library: the same over memory and over AMQP.

The library knows none of mininova's objects, so neither do these tests: they switch lamps.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import pytest

from mininova import rpc
from mininova.rpc import deadline, envelope
from mininova.rpc.amqp import AMQPTransport
from mininova.rpc.memory import MemoryBroker, MemoryTransport
from mininova.rpc.transport import TOPIC, Delivery, Message, Subscription, Transport

CTXT: dict[str, Any] = {"request_id": "req-1"}
PATIENCE = 20.0  # seconds that a real broker has for what takes it a millisecond


class Lamp(msgspec.Struct, frozen=True):
    """What travels here."""

    name: str
    watts: int = 40


class LampBroken(Exception):
    """An error with a registered name."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


class LampAPI(rpc.Interface):
    """Switch lamps.  1.1: dim; 1.2: colour."""

    topic, version = "lamp", "1.2"

    @rpc.call(since="1.0", idempotent=True)
    def get(self, ctxt: Any, name: str) -> Lamp:
        """Look at a lamp."""

    @rpc.call(since="1.0")
    def toggle(self, ctxt: Any, name: str) -> bool:
        """Switch a lamp over: twice is not once."""

    @rpc.cast(since="1.0")
    def switch(self, ctxt: Any, lamp: Lamp, colour: Annotated[str, rpc.since("1.2")] = "white") -> None:
        """Switch a lamp on."""

    @rpc.fanout(since="1.1")
    def dim(self, ctxt: Any, percent: int = 50) -> None:
        """Dim every lamp."""


class Keeper:
    """Implements LampAPI: writes down what it is asked, and does what it was told to do then.

    :ivar asked: what was asked, in order: the method's name and its arguments
    :ivar left: the seconds that each had
    :ivar does: method → what it does; the default is to answer
    """

    def __init__(self, **does: Callable[..., Any]) -> None:
        self.asked: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.left: list[float] = []
        self.does = {"get": Lamp, "toggle": lambda name: True, **does}

    def _do(self, method: str, *args: Any) -> Any:
        self.left.append(deadline.left(1000.0))
        self.asked.put((method, args[0] if len(args) == 1 else args))
        return self.does.get(method, lambda *args: None)(*args)

    def get(self, ctxt, name):
        """See LampAPI."""
        return self._do("get", name)

    def toggle(self, ctxt, name):
        """See LampAPI."""
        return self._do("toggle", name)

    def switch(self, ctxt, lamp, colour):
        """See LampAPI."""
        return self._do("switch", lamp, colour)

    def dim(self, ctxt, percent):
        """See LampAPI."""
        return self._do("dim", percent)

    def _private(self, ctxt):
        raise AssertionError("nobody may reach this")


def at_once(function: Callable[..., None], *args: Any) -> None:
    """Run a handler where it was delivered."""
    function(*args)


def never(function: Callable[..., None], *args: Any) -> None:
    """Take a message and die before anything is done with it."""


class Bench:
    """A broker with names of its own for everything, so that no test meets the messages of another."""

    def __init__(self) -> None:
        self.mark = uuid4().hex[:8]
        self.exchange = f"bench-{self.mark}"
        self.api = type("LampAPI", (LampAPI,), {"topic": f"lamp-{self.mark}"})
        self.topic: str = self.api.topic
        self.peers: list[rpc.Peer] = []

    # ---- what the transports differ in

    spawn: rpc.server.Spawn

    def transport(self, user: str | None = None) -> Transport:
        """Make one process's connection.

        :param user: as whom, one of private_broker.OTHERS; the default is whoever everybody is
        """
        raise NotImplementedError

    def deliver(self) -> None:
        """Have the broker deliver what it has, if it does not by itself."""

    def kill(self, peer: rpc.Peer) -> None:
        """End a process as SIGKILL would."""
        raise NotImplementedError

    # ---- parts

    def peer(self, name: str = "client", **how: Any) -> rpc.Peer:
        """Start a peer."""
        codec = how.pop("codec", rpc.Codec(errors={"LampBroken": LampBroken}))
        how = {"call_timeout": PATIENCE, **how}
        user = how.pop("user", None)
        transport = self.transport(user) if user else self.transport()
        peer = rpc.Peer(transport, name=name, codec=codec, exchange=self.exchange, **how)
        peer.start()
        self.peers.append(peer)
        return peer

    def serve(self, keeper: Any, host: str = "a", *, peer: rpc.Peer | None = None, **how: Any) -> rpc.Server:
        """Start a server of the lamps; what a Server takes, it gets, and its peer the rest."""
        spawn, api = how.pop("spawn", self.spawn), how.pop("api", self.api)
        pauses = how.pop("pauses", (0, 0.02, 0.01, 0.02))
        served = {name: how.pop(name) for name in ("admit", "on_denied", "alone") if name in how}
        peer = peer or self.peer(f"lamp.{host}", **how)
        server = rpc.Server(peer, host, [(api, keeper)], spawn=spawn, pauses=pauses, **served)
        server.start()
        return server

    def client(self, peer: rpc.Peer | None = None, **how: Any) -> Any:
        """Make a client."""
        return self.api(peer or self.peer(), **how)

    def listen(self, name: str, exchange: str | None = None, kind: str = TOPIC) -> "queue.Queue[Message]":
        """Read a queue; what comes is acknowledged."""
        arrived: queue.Queue[Message] = queue.Queue()

        def take(delivery: Delivery) -> None:
            delivery.ack()
            arrived.put(delivery.message)

        exchange = self.exchange if exchange is None else exchange
        listener = self.peer("listener").transport
        listener.subscribe(
            Subscription(queue=name, exchange=exchange, kind=kind, routing_key=name, on_delivery=take, durable=True)
        )
        return arrived

    def next(self, arrived: "queue.Queue[Any]") -> Any:
        """Wait for the next thing to arrive."""
        self.deliver()
        return arrived.get(timeout=PATIENCE)

    def request(self, peer: rpc.Peer, body: bytes, **properties: Any) -> None:
        """Send the servers of the lamps some bytes, sealed as the peer's own casts are."""
        message = Message(
            **{
                "body": body,
                "exchange": self.exchange,
                "routing_key": self.topic,
                "message_id": uuid4().hex,
                "reply_to": peer.reply_queue,
                "user_id": peer.transport.user_id,
                "persistent": True,
                **properties,
            }
        )
        peer.transport.publish_confirmed(peer.sealed(message), PATIENCE)

    def payload(self, method: str, args: Any, **more: Any) -> bytes:
        """Write a request by hand."""
        return envelope.pack({"method": method, "args": args, **more})

    def close(self) -> None:
        """Stop every peer."""
        for peer in self.peers:
            peer.stop()


class MemoryBench(Bench):
    """Over the broker in memory."""

    spawn = staticmethod(at_once)

    def __init__(self) -> None:
        super().__init__()
        self.broker = MemoryBroker()

    def transport(self, user: str | None = None) -> Transport:
        """Make one process's connection."""
        return MemoryTransport(self.broker, user_id=user or "mininova")

    def deliver(self) -> None:
        """Deliver until nothing is left."""
        self.broker.run()

    def kill(self, peer: rpc.Peer) -> None:
        """End a process as SIGKILL would."""
        peer.transport.stop()


class _Killable(AMQPTransport):
    def kill(self) -> None:
        self._stopping.set()
        if self._live is not None:
            self._live.link.cut()


class AMQPBench(Bench):
    """Over RabbitMQ.

    :param how: for each transport
    """

    spawn = staticmethod(rpc.server.in_a_thread)

    def __init__(self, url: str, **how: Any) -> None:
        super().__init__()
        self.url, self.how = url, how

    def transport(self, user: str | None = None) -> Transport:
        """Make one process's connection; all users of a private broker have one password."""
        return _Killable(self.url.replace("://mininova:", f"://{user}:") if user else self.url, **self.how)

    def kill(self, peer: rpc.Peer) -> None:
        """End a process as SIGKILL would."""
        assert isinstance(peer.transport, _Killable)
        peer.transport.kill()


def benches(*kinds: str) -> Any:
    """Make a fixture that gives a broker of each kind: memory, amqp, or quorum for RabbitMQ with quorum queues."""

    @pytest.fixture(params=kinds)
    def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
        if request.param == "memory":
            made: Bench = MemoryBench()
        else:
            made = AMQPBench(request.getfixturevalue("private_broker").url, quorum=request.param == "quorum")
        yield made
        made.close()

    return bench


bench = benches("memory", "amqp")


# ---- what handlers do


def broken(*args: Any) -> None:
    """Fail with an error that has a registered name."""
    raise LampBroken("the filament is gone", name="desk")


class Gate:
    """A handler that says that it was entered, and goes on when it is let."""

    def __init__(self) -> None:
        self.entered, self.may_leave = threading.Event(), threading.Event()

    def __call__(self, *args: Any) -> None:
        """Wait at the gate."""
        self.entered.set()
        assert self.may_leave.wait(PATIENCE)
