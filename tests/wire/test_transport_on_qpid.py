"""What Qpid keeps less well than RabbitMQ: the sentences of mininova/trust/broker/qpid.py that a test can show."""

import queue
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kombu
import pytest
from kombu.exceptions import ChannelError
from stack.qpid import Node

from mininova import rpc
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.amqp.dialects import qpid
from mininova.rpc.transports.base import TOPIC, Message, Subscription
from mininova.rpc.trust.callers import ORIGIN
from mininova.trust.broker import definitions
from tests.fixtures.private_broker import PASSWORD, PrivateBroker, all_may_do_everything
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Gate, Keeper, Lamp, at_once


@pytest.fixture
def bench(private_qpid: PrivateBroker) -> Iterator[AMQPBench]:
    """Give names of one's own on the Qpid that all tests share."""
    made = AMQPBench(private_qpid.url)
    yield made
    made.close()


def test_a_refused_cast_costs_the_connection(bench: AMQPBench, private_qpid: PrivateBroker):
    """The sender of the only cast on its way hears at once that it is refused, and goes on by a new connection."""
    user, keys = f"limited-{bench.mark}", {"exchange": bench.exchange, "write": rf"^{bench.topic}\.a$", "read": ".*"}
    everything = dict.fromkeys(("configure", "write", "read"), ".*")
    private_qpid.define(
        {
            "users": [definitions.user(user, PASSWORD)],
            "permissions": [{"user": user, "vhost": "/", **everything}],
            "topic_permissions": [{"user": user, "vhost": "/", **keys}],
        }
    )
    bench.serve(Keeper())
    peer = bench.peer(user=user)
    live = peer.transport._live

    with pytest.raises(rpc.MessageRefused, match="denied"):
        bench.client(peer).on("b").switch(CTXT, Lamp("desk"))

    assert bench.client(peer).on("a").get(CTXT, "desk") == Lamp("desk")
    assert peer.transport._live is not live


def test_a_full_queue_refuses_more_and_one_for_others_keeps_the_latest(qpid_jars: Path):
    """The bounds come from the definitions, though Qpid has no policies by names: here they are 3 messages."""
    bounded = definitions.places()
    for policy in bounded["policies"]:
        policy["definition"] = {**policy["definition"], "max-length": 3}
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    defined = definitions.merged(all_may_do_everything(), bounded)
    node = PrivateBroker(folder, qpid_jars, definitions=defined, kind=Node)
    node.start()
    transport = AMQPTransport(node.url)
    transport.start()

    def send(key: str) -> list[type[Exception] | None]:
        messages = [Message(body=b"{}", exchange="E", routing_key=key, message_id=f"{number}") for number in range(5)]
        return [error and type(error) for error in transport.publish_all(messages, PATIENCE)]

    lamp = Subscription(queue="lamp", exchange="E", kind=TOPIC, routing_key="lamp", on_delivery=lambda delivery: None)
    try:
        transport.subscribe(lamp)
        transport.declare("lamp.dead", "E", "lamp.dead")
        assert send("lamp") == [None, None, None, rpc.Undeliverable, rpc.Undeliverable]
        assert send("lamp.dead") == [None] * 5
        assert [delivery.message.message_id for delivery in transport.waiting("lamp.dead")] == ["2", "3", "4"]
    finally:
        transport.stop()
        node.kill()
        shutil.rmtree(folder)


def test_a_call_of_a_sender_whose_clock_is_late_is_dropped(bench: AMQPBench, monkeypatch: pytest.MonkeyPatch):
    """The broker takes an expiration for a time of day, and by its own clock that is over."""
    keeper = Keeper()
    bench.serve(keeper)
    now = qpid.time.time
    monkeypatch.setattr(qpid.time, "time", lambda: now() - 60)

    with pytest.raises(rpc.MessagingTimeout):
        bench.client().within(1).toggle(CTXT, "desk")
    assert keeper.asked.empty()


def test_a_queue_of_replies_goes_with_its_connection(bench: AMQPBench):
    """An answer that comes while its caller connects again is lost; an idempotent call is sent again."""
    peer = bench.peer()
    with kombu.Connection(bench.url) as connection:
        connection.default_channel.queue_declare(peer.reply_queue, passive=True)
        peer.stop()
        with pytest.raises(ChannelError):
            connection.default_channel.queue_declare(peer.reply_queue, passive=True)


# ---- what we make up for


def bind(bench: AMQPBench, queue: str, exchange: str, key: str) -> None:
    """Bind a queue of others, as any user can."""
    with kombu.Connection(bench.url) as connection:
        connection.default_channel.queue_bind(queue, exchange, key)


def test_an_empty_user_id_is_none(bench: AMQPBench):
    """Qpid delivers a message with an empty name; its handler knows no caller, and a second try names none either."""
    callers = queue.Queue[str | None]()
    before = bench.listen(f"{bench.topic}.pause.0.02")

    def fail(*args: object) -> None:
        callers.put(rpc.caller())
        raise LookupError("no such lamp")

    bench.serve(Keeper(switch=fail), pauses=(0.02,))
    with kombu.Connection(bench.url) as connection:
        kombu.Producer(connection.default_channel).publish(
            bench.payload("switch", {"lamp": Lamp("desk")}, version="1.0"), exchange=bench.exchange,
            routing_key=bench.topic, user_id="", content_type="application/json", content_encoding="utf-8",
        )  # fmt: skip

    assert bench.next(callers) is None
    again = bench.next(before)
    assert (again.user_id, again.headers.get(ORIGIN)) == (None, None)


def test_an_answer_to_another_caller_is_dropped(bench: AMQPBench):
    """A user asks a server something under the id of another's call, and has the answer come into that one's queue."""
    gate, sent = Gate(), queue.Queue[rpc.MessageEvent]()
    bench.serve(Keeper(toggle=lambda name: gate() or True, get=lambda name: Lamp("forged")))
    caller, attacker = bench.peer(watch=rpc.Flow(sent.put)), bench.peer("attacker")
    answered = bench.listen(theirs := f"reply_attacker_{bench.mark}", f"{bench.exchange}.reply")
    bind(bench, caller.reply_queue, f"{bench.exchange}.reply", theirs)

    with ThreadPoolExecutor(1) as user:
        asked = user.submit(bench.client(caller).toggle, CTXT, "desk")
        call = bench.next(sent).message_id
        body = bench.payload("get", {"name": "desk"}, version="1.0", _msg_id=call)
        bench.request(attacker, body, message_id=call, reply_to=theirs)
        assert b"forged" in bench.next(answered).body
        gate.may_leave.set()

        assert asked.result(PATIENCE) is True


@pytest.mark.parametrize("bound", ["to its host", "to a lane", "to its fanouts"])
def test_a_request_is_done_once_whatever_is_bound(bench: AMQPBench, bound: str):
    """A user has what is sent to a server come into another queue of it, too, where it is dropped."""
    keeper, user = Keeper(), "compute.host-1"
    server = bench.serve(keeper, "a", spawn=at_once)
    server.hear([user])
    client, confined = bench.client(), bench.client(bench.peer(user, user=user, confined=True))
    copies, mark = {
        "to its host": (f"{bench.topic}.a", lambda: client.on("a").get(CTXT, "mark")),
        "to a lane": (f"{bench.topic}.from.{user}", lambda: confined.get(CTXT, "mark")),
        "to its fanouts": (server._subscriptions[-1].queue, lambda: client.dim(CTXT, 20)),
    }[bound]
    bind(bench, copies, bench.exchange, bench.topic)

    client.toggle(CTXT, "desk")
    mark()  # comes after the copy

    assert bench.next(keeper.asked) == ("toggle", "desk")
    assert bench.next(keeper.asked)[0] != "toggle"
