"""A broker in memory, for tests: the same places as a real one, and every message still goes through bytes.

It has no threads.  A call is delivered while its caller waits; casts and fanouts wait in their queues until
``MemoryBroker.run`` delivers them, in order, to the last one.  The same test gives the same messages in the same
order every time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from mininova.rpc.errors import Undeliverable
from mininova.rpc.transport import FANOUT, TOPIC, Delivery, Message, Subscription, Transport, Waiter


@dataclass
class _Queue:
    readers: list[tuple["MemoryTransport", Subscription]] = field(default_factory=list)
    messages: deque[tuple[Message, bool]] = field(default_factory=deque)
    turn: int = 0


class MemoryBroker:
    """Queues by name, and which keys lead to them.

    :param copies: asked about each message: how often it arrives, 0 when it is lost on its way
    """

    def __init__(self, copies: Callable[[Message], int] = lambda message: 1) -> None:
        self.queues: dict[str, _Queue] = {}
        self._bindings: dict[tuple[str, str], list[str]] = {}
        self.copies = copies

    def bind(self, queue: str, exchange: str, key: str) -> _Queue:
        """Make sure of a queue and its binding."""
        bound = self._bindings.setdefault((exchange, key), [])
        if queue not in bound:
            bound.append(queue)
        return self.queues.setdefault(queue, _Queue())

    def route(self, message: Message, kind: str) -> bool:
        """Put a message into the queues that its key leads to, and tell whether there was one."""
        key = "" if kind == FANOUT else message.routing_key
        names = self._bindings.get((message.exchange, key), [])
        if message.exchange == "" and key in self.queues:
            names = [key]
        for name in names:
            self.queues[name].messages.extend([(message, False)] * self.copies(message))
        return bool(names)

    def deliver_one(self, wanted: Callable[[Message], bool] = lambda message: True) -> bool:
        """Deliver the first message that is wanted and has a reader; tell whether there was one."""
        for queue in list(self.queues.values()):
            for position, (message, redelivered) in enumerate(queue.messages):
                if queue.readers and wanted(message):
                    del queue.messages[position]
                    self._hand_over(queue, message, redelivered)
                    return True
        return False

    def _hand_over(self, queue: _Queue, message: Message, redelivered: bool) -> None:
        transport, subscription = queue.readers[queue.turn % len(queue.readers)]
        queue.turn += 1

        def settle(done: bool) -> None:
            if delivery in transport.unsettled:
                transport.unsettled.remove(delivery)
                if not done:
                    queue.messages.appendleft((message, True))

        delivery = Delivery(message, redelivered, settle)
        if not subscription.no_ack:
            transport.unsettled.append(delivery)
        subscription.on_delivery(delivery)

    def run(self) -> None:
        """Deliver until nothing is left to deliver."""
        while self.deliver_one():
            pass


class MemoryTransport(Transport):
    """One process's connection to a MemoryBroker."""

    def __init__(self, broker: MemoryBroker, user_id: str | None = None) -> None:
        self.broker, self.user_id = broker, user_id
        self.unsettled: list[Delivery] = []
        self._subscriptions: list[Subscription] = []

    def start(self) -> None:
        """There is nothing to connect."""

    def stop(self) -> None:
        """Stop reading; what is unsettled goes back to its queue."""
        for subscription in list(self._subscriptions):
            self.unsubscribe(subscription)
        for delivery in reversed(list(self.unsettled)):
            delivery.requeue()

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue."""
        self._subscriptions.append(subscription)
        queue = self.broker.bind(subscription.queue, subscription.exchange, subscription.routing_key)
        queue.readers.append((self, subscription))

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop reading a queue; one that was the reader's own goes with its messages."""
        self._subscriptions.remove(subscription)
        queue = self.broker.queues[subscription.queue]
        queue.readers.remove((self, subscription))
        if not subscription.durable:
            queue.messages.clear()

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a queue that somebody may read later."""
        self.broker.bind(queue, exchange, routing_key)

    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """No time passes here: a message that is to wait goes to where it would come back to, last in line."""
        for name in self.broker._bindings.get((exchange, back_to), []):
            self.broker.bind(name, exchange, routing_key)

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take what waits in a queue."""
        raise NotImplementedError

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Route it."""
        if not self.broker.route(replace(message, user_id=self.user_id), kind) and mandatory:
            self.on_return(message.message_id)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Route it, or say that it cannot be."""
        if not self.broker.route(replace(message, user_id=self.user_id), TOPIC):
            raise Undeliverable(f"nobody serves {message.routing_key}", target=message.routing_key)

    def wait(self, waiter: Waiter, timeout: float) -> bool:
        """Deliver calls and replies until the wait is over or nothing more can end it."""
        while not waiter.done and self.broker.deliver_one(lambda message: not message.persistent):
            pass
        return waiter.done
