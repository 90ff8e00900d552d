"""A broker in memory, for tests: the same places as a real one, and every message still goes through bytes.

It has no threads.  A call is delivered while its caller waits; casts and fanouts wait in their queues until
``MemoryBroker.run`` delivers them, in order, to the last one.  Time is its own, too: it passes, at once, when
nothing else is left to do, so a test that pauses for half a minute takes none.  The same test gives the same messages
in the same order every time, also when they are to be lost, doubled or late: ``memory_faults`` says what may be.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count

from msgspec.structs import replace

from mininova.rpc.errors import ConnectionLost, MessagingTimeout, Undeliverable
from mininova.rpc.transports.base import (
    FANOUT,
    PATIENCE_S,
    TOPIC,
    Delivery,
    Message,
    Subscription,
    Transport,
    Waiter,
)
from mininova.rpc.transports.memory_faults import Dice, Faults

_CONNECT_WAIT = 10.0  # seconds that an unconfirmed message waits for a broker that is away, as over AMQP


@dataclass(eq=False)
class _Held:
    """A message in a queue, until it expires by the broker's clock."""

    message: Message
    redelivered: bool = False
    until: float = math.inf


@dataclass(eq=False)
class _Queue:
    """Messages and their readers.

    :ivar pause: seconds after which a message goes to the exchange again, and the key it then has
    """

    readers: list[tuple["MemoryTransport", Subscription]] = field(default_factory=list)
    messages: deque[_Held] = field(default_factory=deque)
    turn: int = 0
    pause: tuple[float, str] | None = None


May = Callable[[Message, "MemoryTransport"], bool]


class MemoryBroker:
    """Queues by name, which keys lead to them, and a clock.

    :ivar now: seconds since the beginning, in virtual time
    :ivar peers: the transports that are started
    """

    def __init__(self, faults: Faults | None = None) -> None:
        self.queues: dict[str, _Queue] = {}
        self.now = 0.0
        self.peers: list[MemoryTransport] = []
        self._bindings: dict[tuple[str, str], list[str]] = {}
        self._led_on: dict[tuple[str, str], str] = {}
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._next_expiry = math.inf
        self.suffer(faults or Faults())

    # ---- what goes wrong

    def suffer(self, faults: Faults) -> None:
        """Have these faults from now on; ``Faults()`` ends them, but heals no partition."""
        self.dice = Dice(faults)

    def partition(self, *names: str) -> None:
        """Cut peers off from the broker, which takes back what they have not settled."""
        for peer in self.peers:
            if peer.name in names:
                peer.cut = True
                peer.give_back()

    def heal(self, *names: str) -> None:
        """Let peers reach the broker again, and tell them so; without a name, all of them."""
        for peer in [peer for peer in self.peers if peer.cut and (not names or peer.name in names)]:
            peer.cut = False
            peer.on_restored()

    def _partition_somebody(self) -> None:
        name = self.dice.one_of([peer.name for peer in self.peers if not peer.cut])
        self.partition(name)
        self.later(self.dice.duration(), lambda: self.heal(name))

    # ---- messages in

    def bind(self, queue: str, exchange: str, key: str) -> _Queue:
        """Make sure of a queue and its binding."""
        bound = self._bindings.setdefault((exchange, key), [])
        if queue not in bound:
            bound.append(queue)
        return self.queues.setdefault(queue, _Queue())

    def lead_on(self, exchange: str, key: str, to: str) -> None:
        """Have what comes to an exchange under a key go to another exchange."""
        self._led_on[exchange, key] = to

    def route(self, message: Message, kind: str) -> bool:
        """Put a message into the queues that its key leads to, and tell whether there was one."""
        key = "" if kind == FANOUT else message.routing_key
        if (to := self._led_on.get((message.exchange, key))) is not None:
            return self.route(replace(message, exchange=to), kind)
        names = self._bindings.get((message.exchange, key), [])
        if message.exchange == "" and key in self.queues:
            names = [key]
        for queue in [self.queues[name] for name in names]:
            for _ in range(self.dice.copies(message)):
                arrive = partial(self._put, queue, message)
                if late := self.dice.delay(message):
                    self.later(late, arrive)
                else:
                    arrive()
        return bool(names)

    def _put(self, queue: _Queue, message: Message) -> None:
        held = _Held(message)
        if message.expiration is not None:
            held.until = self.now + message.expiration
            self._next_expiry = min(self._next_expiry, held.until)
        queue.messages.append(held)
        if queue.pause is not None:
            seconds, key = queue.pause
            self.later(seconds, partial(self._send_on, queue, held, key))

    def _send_on(self, queue: _Queue, held: _Held, key: str) -> None:
        if held in queue.messages:  # it was not taken out meanwhile
            queue.messages.remove(held)
            self.route(replace(held.message, routing_key=key), TOPIC)

    # ---- messages out

    def run(self) -> None:
        """Deliver until nothing is left to deliver, and nothing more to wait for."""
        while self.deliver_one() or self.pass_time():
            pass

    def come_to_rest(self, patience: float, which: Callable[[Message], bool]) -> bool:
        """Deliver all that there is, also what comes while time passes; tell whether no such message is in hand."""
        self.run()
        return self._is_at_rest(which)

    def _is_at_rest(self, which: Callable[[Message], bool]) -> bool:
        """Tell whether none of these messages is in a queue that is read, or in hand, if it asks for work.

        Replies do not: one that answers no call stays in hand until its sender is asked again (see ReplyLanes).
        """
        waiting = (held.message for queue in self.queues.values() if queue.readers for held in queue.messages)
        in_hand = (held.message for peer in self.peers for _, held in peer._unsettled.values())
        working = (message for message in in_hand if message.persistent or message.reply_to)
        return not any(map(which, chain(waiting, working)))

    def drop(self, which: Callable[[Message], bool]) -> None:
        """Lose the persistent messages for which that is true, also those that wait for their time or are parked."""
        for queue in self.queues.values():
            queue.messages = deque(it for it in queue.messages if not (it.message.persistent and which(it.message)))

    def deliver_one(self, may: May = lambda message, reader: True) -> bool:
        """Deliver the first message that may be delivered and has a reader; tell whether there was one."""
        deliverable = self._deliverable(may)
        chosen = next(deliverable, None)
        if chosen is None:
            return False
        if self.dice.partitions():
            self._partition_somebody()
            return True
        queue, held = self.dice.one_of([chosen, *deliverable]) if self.dice.reorders() else chosen
        queue.messages.remove(held)
        self._hand_over(queue, held, may)
        return True

    def _deliverable(self, may: May) -> Iterator[tuple[_Queue, _Held]]:
        for queue in list(self.queues.values()):
            if not queue.messages:
                continue
            readers = [transport for transport, _ in queue.readers if not transport.cut]
            for held in list(queue.messages) if readers else ():
                if any(may(held.message, transport) for transport in readers):
                    yield queue, held

    def _hand_over(self, queue: _Queue, held: _Held, may: May) -> None:
        able = [reader for reader in queue.readers if not reader[0].cut and may(held.message, reader[0])]
        transport, subscription = able[queue.turn % len(able)]
        queue.turn += 1
        delivery = transport.take(queue, held, acknowledges=not subscription.no_ack)
        if not self.dice.loses(held.message):
            transport.hand(subscription, delivery)
        elif not subscription.no_ack:
            transport.reconnect()

    # ---- time

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after some seconds of the broker's clock."""
        heapq.heappush(self._later, (self.now + seconds, next(self._numbers), action))

    def pass_time(self, until: float = math.inf) -> bool:
        """Let time pass to the next thing that is to happen, and do it; tell whether there was one so early."""
        if not self._later or self._later[0][0] > until:
            self._move_to(until if until < math.inf else self.now)
            return False
        due, _, action = heapq.heappop(self._later)
        self._move_to(due)
        action()
        return True

    def _move_to(self, time: float) -> None:
        self.now = max(self.now, time)
        if self.now <= self._next_expiry:
            return
        self._next_expiry = math.inf
        for queue in self.queues.values():
            queue.messages = deque(held for held in queue.messages if held.until >= self.now)
            self._next_expiry = min([self._next_expiry, *(held.until for held in queue.messages)])


class MemoryTransport(Transport):
    """One process's connection to a MemoryBroker.

    :param name: what ``MemoryBroker.partition`` calls it; the default is its user
    """

    def __init__(self, broker: MemoryBroker, user_id: str | None = None, *, name: str | None = None) -> None:
        self.broker, self.user_id, self.name = broker, user_id, name or user_id or ""
        self.cut = False
        self._unsettled: dict[Delivery, tuple[_Queue, _Held]] = {}
        self._subscriptions: list[Subscription] = []
        self._waits = 0

    @property
    def is_connected(self) -> bool:
        """Tell whether it is not cut off."""
        return not self.cut

    def start(self) -> None:
        """Connect."""
        self.broker.peers.append(self)

    def stop(self) -> None:
        """Stop reading; what is unsettled goes back to its queue."""
        for subscription in list(self._subscriptions):
            self.unsubscribe(subscription)
        self.give_back()
        if self in self.broker.peers:
            self.broker.peers.remove(self)

    # ---- reading

    def subscribe(self, subscription: Subscription) -> None:
        """Read a queue."""
        self._subscriptions.append(subscription)
        queue = self.broker.bind(subscription.queue, subscription.exchange, subscription.routing_key)
        queue.readers.append((self, subscription))

    def unsubscribe(self, subscription: Subscription, timeout: float = PATIENCE_S) -> None:
        """Stop reading a queue; one that was the reader's own goes with its messages."""
        self._subscriptions.remove(subscription)
        queue = self.broker.queues[subscription.queue]
        queue.readers.remove((self, subscription))
        if not subscription.durable:
            queue.messages.clear()

    def waiting(self, queue: str) -> Sequence[Delivery]:
        """Take what waits in a queue."""
        self._connected(_CONNECT_WAIT)
        if (found := self.broker.queues.get(queue)) is None:
            raise Undeliverable(f"there is no queue {queue}", target=queue)
        taken = [self.take(found, held) for held in found.messages]
        found.messages.clear()
        return taken

    def take(self, queue: _Queue, held: _Held, *, acknowledges: bool = True) -> Delivery:
        """Have a message in hand; it goes back to its queue, flagged, unless it is acknowledged."""
        delivery = Delivery(held.message, held.redelivered, lambda done: self._settle(delivery, done))
        if acknowledges:
            self._unsettled[delivery] = (queue, held)
        return delivery

    def hand(self, subscription: Subscription, delivery: Delivery) -> None:
        """Let the reader have what it was sent."""
        subscription.on_delivery(delivery)

    def _settle(self, delivery: Delivery, done: bool) -> None:
        if delivery not in self._unsettled:  # it was settled before, or the broker has taken it back
            return
        if done and self.broker.dice.loses(delivery.message):
            self.reconnect()
        else:
            queue, held = self._unsettled.pop(delivery)
            if not done:
                queue.messages.appendleft(_Held(held.message, redelivered=True, until=held.until))

    def give_back(self) -> None:
        """Put all that is unsettled back where it was."""
        for delivery in reversed(list(self._unsettled)):
            delivery.requeue()

    def reconnect(self) -> None:
        """Lose the connection and have it again at once."""
        self.give_back()
        self.on_restored()

    # ---- writing

    def declare(self, queue: str, exchange: str, routing_key: str) -> None:
        """Make a queue to be read later."""
        self._connected(_CONNECT_WAIT)
        self.broker.bind(queue, exchange, routing_key)

    def declare_pause(self, queue: str, exchange: str, routing_key: str, *, seconds: float, back_to: str) -> None:
        """Make a queue from which messages go on by themselves, when the broker's clock says so."""
        self._connected(_CONNECT_WAIT)
        self.broker.bind(queue, exchange, routing_key).pause = (seconds, back_to)

    def publish(self, message: Message, *, kind: str = TOPIC, mandatory: bool = False) -> None:
        """Route it."""
        self._connected(_CONNECT_WAIT if message.expiration is None else message.expiration)
        self._check_user(message)
        if self.broker.dice.loses(message):
            return
        if not self.broker.route(message, kind) and mandatory:
            self.on_return(message.message_id)

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Route it, or say that it cannot be."""
        self._connected(timeout)
        self._check_user(message)
        self._lose_connection_over(message)
        if not self.broker.route(message, TOPIC):
            raise Undeliverable(f"nothing serves {message.routing_key}", target=message.routing_key)
        self._lose_connection_over(message)

    def _check_user(self, message: Message) -> None:
        """Refuse a message in another user's name, and end the connection, where RabbitMQ only ends the channel."""
        if message.user_id not in (None, self.user_id):
            self.reconnect()
            raise ConnectionLost(f"the broker takes no message of {message.user_id} from {self.user_id}", definite=True)

    def _lose_connection_over(self, message: Message) -> None:
        if self.broker.dice.loses(message):
            self.reconnect()
            raise ConnectionLost("the broker went away before it confirmed")

    # ---- waiting

    def wait(self, waiter: Waiter, timeout: float) -> bool:
        """Deliver calls and replies until the wait is over or nothing more can end it."""
        return self._until(lambda: waiter.done, timeout)

    def _connected(self, timeout: float) -> None:
        if not self._until(lambda: not self.cut, timeout):
            raise MessagingTimeout("the broker is away, and did not come back in time", definite=True)

    def _until(self, over: Callable[[], bool], timeout: float) -> bool:
        # The caller's clock is a real one, on which a little has passed already; no run is to depend on how much.
        broker, until = self.broker, self.broker.now + math.ceil(timeout * 10) / 10
        self._waits += 1
        try:
            while not over():
                may = self._what_cannot_wait if not broker.dice.reorders() else self._what_the_idle_take
                if not broker.deliver_one(may) and not broker.pass_time(until):
                    break
        finally:
            self._waits -= 1
        return over()

    def _what_cannot_wait(self, message: Message, reader: "MemoryTransport") -> bool:
        return not message.persistent

    def _what_the_idle_take(self, message: Message, reader: "MemoryTransport") -> bool:
        """Let what can wait go only to a process that waits for nothing itself: one that does may hold a lock."""
        return not message.persistent or not reader._waits
