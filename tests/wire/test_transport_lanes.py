"""Lanes: a sender that we do not trust has an exchange of its own, where it holds up no other sender.

On both transports; floods are tried on RabbitMQ only, for the memory broker does one thing at a time.
"""

import logging
import queue
import threading

import pytest

from mininova import rpc
from mininova.rpc.transports.base import Message
from mininova.rpc.transports.kombu.brokers import VOUCHES
from mininova.rpc.trust import lanes
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Bench, Gate, Keeper, Lamp, bench, benches, needs

__all__ = ["bench", "real"]

real = benches("amqp", "qpid")
pytestmark = needs(VOUCHES)
ONE, TWO = "compute.host-1", "compute.host-2"
FLOOD = 300


def lane_of(key: str) -> str | None:
    """Name the lane of host ``a`` of the lamps: the first compute's."""
    return ONE if key.endswith(".a") else None


def confined(bench: Bench, user: str = ONE, **how: object) -> rpc.Peer:
    """Start a peer that sends by a lane."""
    return bench.peer(user, user=user, confined=True, **how)


# ---- requests


def test_a_sender_with_a_lane_is_served(bench: Bench):
    """Its calls and casts are served like any sender's, and the server knows its user."""
    callers = list[str | None]()
    keeper = Keeper(get=lambda name: callers.append(rpc.caller()) or Lamp(name))
    bench.serve(keeper, user="conductor").hear([ONE])
    client = bench.client(confined(bench))

    assert client.get(CTXT, "desk") == Lamp("desk")
    client.switch(CTXT, Lamp("desk"))

    assert [bench.next(keeper.asked)[0] for _ in range(2)] == ["get", "switch"]
    assert callers == [ONE]


def test_a_lane_that_is_not_read_keeps_what_comes(bench: Bench):
    """The messages of a lane that the server has stopped reading wait until it reads the lane again."""
    keeper = Keeper()
    server = bench.serve(keeper, user="conductor")
    server.hear([ONE, TWO])
    server.hear([TWO])
    first, second = bench.client(confined(bench)), bench.client(confined(bench, TWO))

    first.switch(CTXT, Lamp("desk"))
    assert second.get(CTXT, "hall") == Lamp("hall")
    server.hear([ONE, TWO])

    assert [bench.next(keeper.asked)[0] for _ in range(2)] == ["get", "switch"]


def test_a_message_in_anothers_lane_is_denied(bench: Bench):
    """A sender in another's lane is denied: its user is not the lane's."""
    keeper, told = Keeper(), queue.Queue[rpc.Denial]()
    bench.serve(keeper, user="conductor", on_denied=told.put).hear([ONE])
    stranger, way = bench.peer(user=TWO), lanes.exchange_of(bench.exchange, ONE)

    bench.request(stranger, bench.payload("switch", {"lamp": Lamp("desk")}, version="1.0"), exchange=way)

    denial = bench.next(told)
    assert (denial.caller, denial.method, denial.object) == (TWO, "switch", way)
    assert keeper.asked.empty()


def test_a_cast_that_fails_keeps_its_sender(bench: Bench):
    """After a pause the cast comes by the server's own queue, and still has its first sender."""
    callers = queue.Queue[str | None]()

    def fail(*args: object) -> None:
        callers.put(rpc.caller())
        if callers.qsize() < 3:
            raise LookupError("no such lamp")

    bench.serve(Keeper(switch=fail), user="conductor").hear([ONE])

    bench.client(confined(bench)).switch(CTXT, Lamp("desk"))
    bench.deliver()

    assert [callers.get(timeout=PATIENCE) for _ in range(3)] == [ONE] * 3


# ---- replies by a lane


def test_an_answer_comes_by_a_lane(bench: Bench):
    """A caller gets its replies by the server's lane, and its refused casts."""
    refused = queue.Queue[str]()
    bench.serve(Keeper(), "a", peer=confined(bench, alone=True))
    caller = bench.peer(lane_of=lane_of, on_rejected=lambda ctxt, request, why: refused.put(type(why).__name__))
    client = bench.client(caller).on("a")

    assert client.get(CTXT, "desk") == Lamp("desk")
    bench.request(caller, bench.payload("paint", {}, version="1.0"), routing_key=f"{bench.topic}.a")

    assert bench.next(refused) == "NoSuchMethod"


def test_a_confined_server_tries_again_by_its_lane(bench: Bench):
    """A failed cast waits in a pause queue of its own, and comes back by its own lane."""
    failures = iter([LookupError("no such lamp")] * 3)

    def fail(*args: object) -> None:
        for failure in failures:
            raise failure

    keeper = Keeper(switch=fail)
    bench.serve(keeper, "a", peer=confined(bench, alone=True))

    bench.client(bench.peer(lane_of=lane_of)).on("a").switch(CTXT, Lamp("desk"))

    assert [bench.next(keeper.asked)[0] for _ in range(4)] == ["switch"] * 4


def unasked(peer: rpc.Peer, caller: rpc.Peer, number: int) -> Message:
    """Make a reply to no call."""
    body = rpc.envelope.pack_reply(rpc.envelope.Reply(msg_id=f"made up {number}", result=None))
    return Message(
        body=body, exchange=peer.lane or "", routing_key=caller.reply_queue, message_id=str(number), user_id=ONE
    )


class Heard(logging.Handler):
    """Passes each line of the log to the test."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = queue.Queue[str]()

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a line on."""
        self.lines.put(record.getMessage())


@pytest.fixture
def log():
    """Give what peers log from here on."""
    heard, logger = Heard(), logging.getLogger("mininova.rpc.inbox")
    before = logger.level
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    yield heard.lines
    logger.removeHandler(heard)
    logger.setLevel(before)


def test_a_server_with_unexpected_replies_is_not_read_until_the_next_call(real: AMQPBench, log: "queue.Queue[str]"):
    """The caller reads a few unexpected replies of a server, and then none until its next call to that server."""
    host = confined(real, alone=True)
    real.serve(Keeper(), "a", peer=host)
    real.serve(Keeper(), "b")
    caller = real.peer(lane_of=lane_of)
    client = real.client(caller)
    assert client.on("a").get(CTXT, "desk") == Lamp("desk")

    for number in range(lanes.PATIENCE + 1):
        host.transport.publish_confirmed(unasked(host, caller, number), PATIENCE)

    assert f"'made up {lanes.PATIENCE - 1}'" in [log.get(timeout=PATIENCE) for _ in range(lanes.PATIENCE)][-1]
    assert client.on("b").get(CTXT, "hall") == Lamp("hall")
    assert log.empty()
    assert client.on("a").get(CTXT, "desk") == Lamp("desk")
    assert f"'made up {lanes.PATIENCE}'" in log.get(timeout=PATIENCE)


# ---- floods


def flood(real: AMQPBench) -> None:
    """Send more casts by the first lane than a server handles at once."""
    sender = confined(real)
    for number in range(FLOOD):
        body = real.payload("switch", {"lamp": Lamp(str(number))}, version="1.0")
        sender.transport.publish(
            Message(
                body=body, exchange=sender.lane or "", routing_key=real.topic, message_id=str(number), user_id=ONE,
                persistent=True,
            )
        )  # fmt: skip


def test_a_flood_does_not_hold_up_another_sender(real: AMQPBench):
    """While the server handles a limited part of the flood, it answers another sender; then it finishes the flood."""
    gate, busy, lock = Gate(), [], threading.Lock()
    most_busy = queue.Queue[int]()

    def work(lamp: Lamp, colour: str) -> None:
        with lock:
            busy.append(lamp)
        gate()
        with lock:
            most_busy.put(len(busy))
            busy.pop()

    real.serve(Keeper(switch=work), user="conductor").hear([ONE, TWO])
    flood(real)
    assert gate.entered.wait(PATIENCE)

    assert real.client(confined(real, TWO)).get(CTXT, "desk") == Lamp("desk")

    gate.may_leave.set()
    assert max(most_busy.get(timeout=PATIENCE) for _ in range(FLOOD)) <= lanes.HANDS


def test_a_server_that_stops_gives_back_what_waits(real: AMQPBench):
    """Another server handles what this one had not begun, so all of the flood is done."""
    gate, done = Gate(), queue.Queue[str]()

    def work(lamp: Lamp, colour: str) -> None:
        gate()
        done.put(lamp.name)

    server = real.serve(Keeper(switch=work), user="conductor")
    server.hear([ONE])
    flood(real)
    assert gate.entered.wait(PATIENCE)
    gate.may_leave.set()
    server.stop()
    server.peer.stop()
    real.serve(Keeper(switch=work), "b", user="conductor").hear([ONE])

    names = set[str]()
    while len(names) < FLOOD:
        names.add(done.get(timeout=PATIENCE))
