"""The libraries that benchmarks/rpc.py compares: for each, how a server is started and how a client makes its load.

Every server echoes the text of a call and counts casts.  A client gives, for each call or cast it made, the seconds
that the caller waited.  Each library is imported only in the processes that measure it.
"""

import os
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

from msgspec.structs import replace

Load = tuple[float, list[float]]  # when it began, and how long each call took

CONTEXT = {"request_id": "req-5c2e4f0a-6f1b-4a53-9d55-0d0f8a1c7b11", "user_id": "demo", "project_id": "demo"}
MOST_IN_FLIGHT = 64


class Tally:
    """The casts that a server has handled.

    :ivar last: the moment of the last one (the monotonic clock is the same for all processes)
    """

    def __init__(self) -> None:
        self._count, self.last, self._news = 0, 0.0, threading.Condition()

    def add(self) -> None:
        """Count one cast."""
        with self._news:
            self._count, self.last = self._count + 1, time.monotonic()
            self._news.notify()

    def wait(self, total: int) -> None:
        """Wait until a number of casts have been handled."""
        with self._news:
            if not self._news.wait_for(lambda: self._count >= total, 60):
                raise TimeoutError(f"{self._count} of {total} casts were handled")


class Threads:
    """A client with one call at a time in each of its threads; subclasses have ``call`` and ``cast``."""

    def calls(self, in_flight: int, text: str, seconds: float) -> Load:
        """Call from a number of threads at once."""
        return self._load(self.call, in_flight, text, seconds)

    def casts(self, in_flight: int, text: str, seconds: float) -> Load:
        """Cast from a number of threads at once."""
        return self._load(self.cast, in_flight, text, seconds)

    def call(self, text: str) -> Any:
        """Have the text echoed."""
        raise NotImplementedError

    def cast(self, text: str) -> Any:
        """Have the text counted."""
        raise NotImplementedError

    @staticmethod
    def _load(send: Any, in_flight: int, text: str, seconds: float) -> Load:
        began = time.monotonic()

        def work() -> list[float]:
            waits, now = [], began
            while now < began + seconds:
                send(text)
                now, before = time.monotonic(), now
                waits.append(now - before)
            return waits

        with ThreadPoolExecutor(in_flight) as threads:
            working = [threads.submit(work) for _ in range(in_flight)]
            return began, [wait for done in working for wait in done.result()]


# ---- py-amqp alone


class Bare:
    """The floor: bytes to a queue and back, in one thread at each end, without any promise."""

    @staticmethod
    def connect(url: str) -> Any:
        """Give a connection and a channel."""
        import amqp
        from kombu.utils.url import parse_url

        parts = parse_url(url)
        connection = amqp.Connection(f"127.0.0.1:{parts['port']}", parts["userid"], parts["password"])
        connection.connect()
        return connection, connection.channel()

    @classmethod
    def serve(cls, url: str, tally: Tally) -> None:
        """Echo calls, and count casts."""
        import amqp

        connection, channel = cls.connect(url)

        def take(message: Any) -> None:
            to = message.properties.get("reply_to")
            if to is None:
                tally.add()
            else:
                answer = amqp.Message(message.body, correlation_id=message.properties["correlation_id"])
                channel.basic_publish(answer, "", to)

        channel.queue_declare("bare", auto_delete=False)
        channel.basic_consume("bare", no_ack=True, callback=take)

        def drain() -> None:
            while True:
                connection.drain_events()

        threading.Thread(target=drain, daemon=True).start()

    def __init__(self, url: str) -> None:
        self._connection, self._channel = self.connect(url)
        self._channel.queue_declare("bare_reply", auto_delete=False)
        self._channel.basic_consume("bare_reply", no_ack=True, callback=self._take)
        self._sent: dict[str, float] = {}
        self._next = lambda: None

    client = classmethod(lambda cls, url: cls(url))

    def calls(self, in_flight: int, text: str, seconds: float) -> Load:
        """Keep a number of messages in flight."""
        import amqp

        began, number = time.monotonic(), 0
        self._waits: list[float] = []

        def send() -> None:
            nonlocal number
            number += 1
            self._sent[str(number)] = time.monotonic()
            asked = amqp.Message(text, reply_to="bare_reply", correlation_id=str(number))
            self._channel.basic_publish(asked, "", "bare")

        while True:
            while len(self._sent) < in_flight and time.monotonic() < began + seconds:
                send()
            if not self._sent:
                return began, self._waits
            self._connection.drain_events()

    def _take(self, message: Any) -> None:
        self._waits.append(time.monotonic() - self._sent.pop(message.properties["correlation_id"]))

    def casts(self, in_flight: int, text: str, seconds: float) -> Load:
        """Publish, one after the other."""
        import amqp

        return Threads._load(lambda text: self._channel.basic_publish(amqp.Message(text), "", "bare"), 1, text, seconds)


# ---- oslo.messaging


class Oslo(Threads):
    """oslo.messaging; its casts are confirmed and not persistent, and acknowledged before the work."""

    executor: ClassVar[str]

    @staticmethod
    def transport(url: str) -> Any:
        """Give its transport, with a connection for every caller."""
        import oslo_messaging
        from oslo_config import cfg

        os.environ["OS_OSLO_MESSAGING_RABBIT__RPC_CONN_POOL_SIZE"] = str(MOST_IN_FLIGHT)
        cfg.CONF([])  # the global one: its tracing options are registered nowhere else
        return oslo_messaging.get_rpc_transport(cfg.CONF, url=url.replace("amqp://", "rabbit://"))

    @classmethod
    def serve(cls, url: str, tally: Tally) -> None:
        """Start its server with this executor."""
        import oslo_messaging

        class Endpoint:
            def echo(self, ctxt: Any, text: str) -> str:
                return text

            def count(self, ctxt: Any, text: str) -> None:
                tally.add()

        target = oslo_messaging.Target(topic=cls.__name__, server="bench")
        oslo_messaging.get_rpc_server(cls.transport(url), target, [Endpoint()], executor=cls.executor).start()

    def __init__(self, url: str) -> None:
        import oslo_messaging

        self._client = oslo_messaging.get_rpc_client(
            self.transport(url), oslo_messaging.Target(topic=type(self).__name__)
        )

    client = classmethod(lambda cls, url: cls(url))

    def call(self, text: str) -> Any:
        """See Threads."""
        return self._client.call(CONTEXT, "echo", text=text)

    def cast(self, text: str) -> Any:
        """See Threads."""
        return self._client.cast(CONTEXT, "count", text=text)


class OsloThreads(Oslo):
    """In threads."""

    executor = "threading"


class OsloEventlet(Oslo):
    """Under eventlet's monkey patch."""

    executor = "eventlet"


# ---- nameko


class Nameko:
    """nameko; it has no cast, and its client keeps several calls in flight from one thread."""

    @staticmethod
    def serve(url: str, tally: Tally) -> None:
        """Run a service."""
        from nameko.containers import ServiceContainer
        from nameko.rpc import rpc

        class Service:
            name = "nameko"

            @rpc
            def echo(self, text: str) -> str:
                return text

        ServiceContainer(Service, {"AMQP_URI": url, "max_workers": MOST_IN_FLIGHT}).start()

    def __init__(self, url: str) -> None:
        from nameko.standalone.rpc import ClusterRpcProxy

        self._service = ClusterRpcProxy({"AMQP_URI": url}).start().nameko

    client = classmethod(lambda cls, url: cls(url))

    def calls(self, in_flight: int, text: str, seconds: float) -> Load:
        """Keep a number of calls in flight, and wait for the oldest."""
        began = now = time.monotonic()
        waits: list[float] = []
        sent: deque[tuple[float, Any]] = deque()
        while sent or now < began + seconds:
            while now < began + seconds and len(sent) < in_flight:
                sent.append((time.monotonic(), self._service.echo.call_async(text)))
            since, answer = sent.popleft()
            answer.result()
            now = time.monotonic()
            waits.append(now - since)
        return began, waits


# ---- ours


def _api(topic: str) -> Any:
    from mininova import rpc

    name = topic

    class EchoAPI(rpc.Interface):
        """Echo and count."""

        topic, version = name, "1.0"

        @rpc.call(since="1.0")
        def echo(self, ctxt: Any, text: str) -> str:
            """Give the text back."""

        @rpc.cast(since="1.0")
        def count(self, ctxt: Any, text: str) -> None:
            """Count it."""

    return EchoAPI


class OursThreads(Threads):
    """mininova.rpc in plain threads."""

    @staticmethod
    def spawn() -> Any:
        """Give the function that runs a handler: the server's own default."""
        return None

    @staticmethod
    def transport(url: str) -> Any:
        """Give its transport, as it is."""
        from mininova.rpc.transports.amqp import AMQPTransport

        return AMQPTransport(url)

    @classmethod
    def serve(cls, url: str, tally: Tally) -> None:
        """Serve."""
        from mininova import rpc

        class Manager:
            def echo(self, ctxt: Any, text: str) -> str:
                return text

            def count(self, ctxt: Any, text: str) -> None:
                tally.add()

        peer = rpc.Peer(cls.transport(url), name="ours.server", exchange="bench")
        peer.start()
        rpc.Server(peer, "bench", [(_api(cls.__name__), Manager())], spawn=cls.spawn()).start()

    def __init__(self, url: str) -> None:
        from mininova import rpc

        peer = rpc.Peer(self.transport(url), name="ours.client", exchange="bench")
        peer.start()
        self._api = _api(type(self).__name__)(peer)

    client = classmethod(lambda cls, url: cls(url))

    def call(self, text: str) -> Any:
        """See Threads."""
        return self._api.echo(CONTEXT, text)

    def cast(self, text: str) -> Any:
        """See Threads."""
        return self._api.count(CONTEXT, text)


class OursGreen(OursThreads):
    """mininova.rpc as our services run it, under eventlet's monkey patch."""

    @staticmethod
    def spawn() -> Any:
        """Give the function that runs a handler."""
        import eventlet

        return eventlet.spawn_n


class KombuThreads(OursThreads):
    """mininova.rpc by plain kombu: the same promises without frames of our own."""

    @staticmethod
    def transport(url: str) -> Any:
        """Give its transport."""
        from mininova.rpc.transports.kombu import KombuTransport

        return KombuTransport(f"kombu+{url}")


class KombuGreen(KombuThreads, OursGreen):
    """The same under eventlet's monkey patch."""


class OursUnsafe(OursGreen):
    """The same without confirms and persistence for casts. Only for comparison."""

    @staticmethod
    def transport(url: str) -> Any:
        """Give a transport that confirms nothing."""
        from mininova.rpc.transports.amqp import AMQPTransport

        class Careless(AMQPTransport):
            def publish_confirmed(self, message: Any, timeout: float) -> None:
                self.publish(replace(message, persistent=False))

        return Careless(url)


LIBRARIES: dict[str, Any] = {
    "py-amqp, bare": Bare,
    "oslo, threads": OsloThreads,
    "oslo, eventlet": OsloEventlet,
    "nameko": Nameko,
    "kombu, threads": KombuThreads,
    "kombu, green": KombuGreen,
    "ours, threads": OursThreads,
    "ours, green": OursGreen,
    "ours, unsafe casts": OursUnsafe,
}
