"""What only a real broker does: it goes away and comes back, it refuses, it deletes a queue."""

import queue
import threading
import time
from urllib.parse import urlsplit
from uuid import uuid4

import amqp
import kombu
import pytest
from stack import ports
from stack.network import HALF_OPEN, Link, Network

from mininova import rpc
from mininova.rpc.errors import BrokerUnreachable
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.base import FANOUT, PATIENCE_S, TOPIC, Message, Subscription
from tests.fixtures.private_broker import ON_RABBITMQ
from tests.fixtures.rpc_bench import PATIENCE, AMQPBench, Gate, Keeper, Lamp, never


@pytest.fixture
def bench(any_broker):
    """Give names of one's own on the broker that all tests share."""
    made = AMQPBench(any_broker.url)
    yield made
    made.close()


def message_to(key, exchange="", **properties):
    """Make a message."""
    return Message(body=b"{}", exchange=exchange, routing_key=key, message_id=uuid4().hex, **properties)


# ---- it goes away and comes back


@ON_RABBITMQ
def test_all_is_restored_when_the_broker_comes_back(bench, any_broker):
    """After the broker was killed, servers read their queues again and replies arrive."""
    keeper = Keeper()
    bench.serve(keeper)
    client = bench.client()
    client.get({}, "before")

    any_broker.kill()
    any_broker.start()

    assert client.get({}, "after") == Lamp("after")
    client.dim({}, 20)  # a server that has answered reads all its queues, that of fanouts too
    heard = [bench.next(keeper.asked)]
    while heard[-1] != ("dim", 20):
        heard.append(bench.next(keeper.asked))
    assert set(heard[:-1]) == {("get", "before"), ("get", "after")}  # the latter perhaps twice: it is idempotent


class BreaksOnce(AMQPTransport):
    """A transport whose first connection breaks as soon as it is made."""

    def _connect(self):
        live = super()._connect()
        if not self._threads:
            live.link.cut()
        return live


def test_a_first_connection_that_breaks_at_once_is_made_again(bench, any_broker):
    """Its process starts, and is as well connected as any other (tools/chaos.py --database postgresql: seed 201)."""
    bench.serve(Keeper())
    peer = rpc.Peer(BreaksOnce(any_broker.url), name="late", codec=rpc.Codec(), exchange=bench.exchange)
    peer.start()
    try:
        assert bench.client(peer).get({}, "desk") == Lamp("desk")
    finally:
        peer.stop()


class Persevering(AMQPTransport):
    """Counts the times that it is not let in."""

    def __init__(self, url):
        super().__init__(url)
        self.failures = threading.Semaphore(0)

    def _connect(self):
        try:
            return super()._connect()
        except BrokerUnreachable:
            self.failures.release()
            raise


@ON_RABBITMQ
def test_each_outage_is_logged_once(any_broker, caplog):
    """The log says that the broker is lost, lets us in no more, and is back; it has no line for each try."""
    transport, restored = Persevering(any_broker.url), threading.Semaphore(0)
    transport.on_restored = restored.release
    transport.start()
    caplog.set_level("INFO", "mininova.rpc.transports")
    try:
        for _ in range(2):
            any_broker.kill()
            for _ in range(3):
                assert transport.failures.acquire(timeout=PATIENCE)
            any_broker.start()
            assert restored.acquire(timeout=PATIENCE)
    finally:
        transport.stop()

    said = [message.split(" at ")[0] for message in caplog.messages]
    assert said == 2 * ["the connection to the broker", "no broker lets us in", "connected to the broker again"]


def test_a_cast_outlives_the_broker(bench, any_broker):
    """Casts that were confirmed before the broker was killed are delivered after, and so are those sent meanwhile."""
    server = bench.serve(Keeper())
    client = bench.client()
    server.stop()
    client.switch({}, Lamp("before"))

    any_broker.kill()
    patient = client.within(3 * PATIENCE)  # on a busy machine a Qpid takes as long as PATIENCE to start
    meanwhile = threading.Thread(target=lambda: patient.switch({}, Lamp("meanwhile")))
    meanwhile.start()
    any_broker.start()
    meanwhile.join(3 * PATIENCE)
    heir = Keeper()
    bench.serve(heir, "b")

    assert {bench.next(heir.asked)[1][0].name for _ in range(2)} == {"before", "meanwhile"}


@ON_RABBITMQ
def test_a_queue_subscribed_to_while_the_broker_is_away_is_read_later(bench, any_broker):
    """A server that started without the broker serves when the broker is there."""
    peer, client = bench.peer("lamp.a"), bench.client()
    keeper = Keeper()

    any_broker.kill()
    bench.serve(keeper, peer=peer)
    any_broker.start()
    peer.transport.declare(bench.topic, bench.exchange, bench.topic)  # returns once the connection is there
    client.switch({}, Lamp("desk"))

    assert bench.next(keeper.asked)[0] == "switch"


@ON_RABBITMQ
def test_a_cast_does_not_wait_for_ever_for_a_broker_that_is_away(bench, any_broker):
    """A cast to a broker that is away fails at its deadline."""
    client = bench.client()
    any_broker.kill()
    try:
        with pytest.raises(rpc.MessagingTimeout):
            client.within(0.05).switch({}, Lamp("desk"))
    finally:
        any_broker.start()


@ON_RABBITMQ
def test_a_handler_that_ends_while_the_broker_is_away_does_no_harm(bench, any_broker):
    """A handler that ends after its connection acknowledges nothing; the message comes again, and is counted."""
    gate, keeper, events = Gate(), Keeper(), queue.Queue()
    keeper.does["switch"] = gate
    bench.serve(keeper, watch=rpc.Flow(events.put))
    bench.client().switch({}, Lamp("desk"))
    assert gate.entered.wait(PATIENCE)

    any_broker.kill()
    gate.may_leave.set()
    any_broker.start()

    kinds = [bench.next(events).kind for _ in range(6)]
    assert kinds == ["received", "replied", "redelivered", "retried", "received", "replied"]


# ---- it refuses


def test_a_broker_that_is_not_there_is_named_without_its_password():
    """The first connection is tried for a limited time, and its error may be shown to any reader."""
    transport = AMQPTransport("amqp://me:hidden@127.0.0.1:1/")

    with pytest.raises(BrokerUnreachable, match=r"127\.0\.0\.1:1.*refused") as caught:
        transport.start()
    assert "hidden" not in str(caught.value)


def test_a_wrong_password_is_said(any_broker):
    """The error is another than that of a broker that is not there."""
    transport = AMQPTransport(any_broker.url.replace("secret", "guess"))

    with pytest.raises(BrokerUnreachable, match=r"ACCESS_REFUSED|Authentication failed"):
        transport.start()


def test_the_next_of_several_brokers_is_tried(any_broker):
    """A URL may name more than one, as oslo.messaging has it."""
    transport = AMQPTransport(any_broker.url.replace("@", "@127.0.0.1:1,mininova:secret@"))

    transport.start()
    try:
        with pytest.raises(rpc.Undeliverable):
            transport.publish_confirmed(message_to("nowhere"), PATIENCE)
    finally:
        transport.stop()


def test_a_user_name_with_odd_letters_is_read_from_the_url():
    """Messages carry the user's name, and not its form in a URL."""
    assert AMQPTransport("amqp://a%40b:x@127.0.0.1/").user_id == "a@b"
    assert AMQPTransport("amqp://127.0.0.1/").user_id is None


def test_a_message_that_cannot_be_written_does_not_upset_those_after(bench):
    """Confirms are counted, and a message that could not be written does not count."""
    bench.serve(Keeper())
    transport = bench.peer().transport

    with pytest.raises(rpc.MalformedMessage, match="255 bytes"):
        transport.publish_confirmed(message_to("x" * 300), PATIENCE)
    transport.publish_confirmed(message_to(bench.topic, bench.exchange), PATIENCE)


def test_a_connection_that_is_lost_is_not_written_to_again(bench):
    """A second try waits for the next connection; one on the lost connection would, under eventlet, hold up the reader
    that makes it.
    """
    bench.serve(Keeper())
    transport = bench.peer().transport
    lost = transport._live

    lost.link.cut()
    (error,) = lost.publishing.publish_all([message_to(bench.topic, bench.exchange)], PATIENCE)
    assert isinstance(error, rpc.ConnectionLost)

    transport.publish_confirmed(message_to(bench.topic, bench.exchange), PATIENCE)
    assert transport._live is not lost


def test_many_threads_are_confirmed_each_its_own(bench):
    """A publisher to a queue learns that its message arrived, a publisher to none that it did not, all at once."""
    bench.serve(Keeper(), spawn=never)
    transport = bench.peer().transport
    outcomes = queue.Queue()

    def publish(number):
        try:
            transport.publish_confirmed(message_to(bench.topic if number % 2 else "nowhere", bench.exchange), PATIENCE)
            outcomes.put((number % 2, "arrived"))
        except rpc.Undeliverable:
            outcomes.put((number % 2, "undeliverable"))

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()

    told = [outcomes.get(timeout=PATIENCE) for _ in threads]
    assert set(told) == {(1, "arrived"), (0, "undeliverable")}


# ---- it deletes a queue


@ON_RABBITMQ
def test_a_queue_that_is_deleted_is_made_again(bench, any_broker):
    """The broker ends our subscription to a deleted queue; we declare it again, and the connection goes on."""
    transport = bench.peer("lamp.a").transport
    bench.serve(Keeper(), peer=bench.peers[0])
    live, restored = transport._live, threading.Event()
    transport.on_restored = restored.set

    with kombu.Connection(any_broker.url) as connection:
        connection.default_channel.queue_delete(f"{bench.topic}.a")
    assert restored.wait(PATIENCE)

    assert bench.client().on("a").get({}, "desk") == Lamp("desk")
    assert transport._live is live


def test_the_reader_outlives_what_it_calls(bench):
    """An exception in the callback of one subscription does not end the thread that reads for all."""
    bench.serve(Keeper())
    peer, heard = bench.peer(), queue.Queue()

    def stumble(delivery):
        heard.put(delivery)
        raise ValueError("not my day")

    name = f"stumble-{bench.mark}"
    peer.transport.subscribe(
        Subscription(queue=name, exchange=bench.exchange, kind=TOPIC, routing_key=name, on_delivery=stumble)
    )
    peer.transport.publish_confirmed(message_to(name, bench.exchange), PATIENCE)
    heard.get(timeout=PATIENCE)

    assert bench.client(peer).get({}, "desk") == Lamp("desk")


@pytest.mark.parametrize("name", ["message_id", "app_id", "reply_to", "correlation_id"])
def test_properties_that_are_no_text_are_left_out(bench, any_broker, name):
    """A message with such properties is handled like any other, and does not end the connection at each delivery."""
    heard = bench.listen(f"any-{bench.mark}")
    with kombu.Connection(any_broker.url) as connection:
        producer = kombu.Producer(connection.default_channel)
        for body in b"", b"{}":
            producer.publish(body, routing_key=f"any-{bench.mark}", **{name: b"\xff"})

    for body in b"", b"{}":
        message = bench.next(heard)
        assert (message.body, message.message_id, message.reply_to) == (body, "", None)


def test_headers_that_are_no_text_are_left_out(bench, any_broker):
    """A message with such headers is handled like any other."""
    heard = bench.listen(f"any-{bench.mark}")
    hostile = {"good": "yes", "n": 7, "b": b"\xff", "t": {"a": 1}, "l": [1], "none": None, "x-mininova-deliveries": "2"}
    with kombu.Connection(any_broker.url) as connection:
        producer = kombu.Producer(connection.default_channel)
        producer.publish(b"{}", routing_key=f"any-{bench.mark}", headers=hostile)

    assert bench.next(heard).headers == {"good": "yes"}


def test_a_routing_key_that_is_no_text_does_not_end_the_connection(bench, any_broker):
    """On an exchange for fanouts any routing key arrives; its text is read as far as it can be."""
    name = f"any-{bench.mark}"
    heard = bench.listen(name, exchange=f"{name}_fanout", kind=FANOUT)
    transport = bench.peers[-1].transport
    live = transport._live
    with kombu.Connection(any_broker.url) as connection:
        message = amqp.Message(b"{}")
        connection.default_channel.basic_publish(message, exchange=f"{name}_fanout", routing_key=b"caf\xe9")

    assert bench.next(heard).routing_key == "caf\ufffd"
    assert transport._live is live


@pytest.mark.parametrize("counted", ["many", -7, 2.5, None])
def test_a_count_of_deliveries_that_is_no_number_is_0(bench, any_broker, counted):
    """A header that holds no number counts as 0."""
    heard = bench.listen(f"any-{bench.mark}")
    with kombu.Connection(any_broker.url) as connection:
        producer = kombu.Producer(connection.default_channel)
        producer.publish(b"{}", routing_key=f"any-{bench.mark}", headers={"x-mininova-deliveries": counted})

    message = bench.next(heard)

    assert message.deliveries == 0
    assert message.body == b"{}"


# ---- the end


def test_stopping_ends_the_threads(bench):
    """A stopped transport leaves no thread behind, and opens no connection only to close it."""
    transport = bench.peer().transport

    transport.stop()

    assert not any(thread.is_alive() for thread in transport._threads)


def test_a_server_stops_in_time_though_the_broker_does_not_hear_it(bench, private_broker):
    """It waits once for all of its queues, and not for each: a storm saw a conductor that took too long to end."""
    port = urlsplit(private_broker.url).port
    network = Network({"lamp": Link(ports.pick(), port)})
    network.start()
    (link,) = network.links.values()
    way = private_broker.url.replace(f":{port}", f":{link.port}")
    peer = rpc.Peer(AMQPTransport(way), name="lamp", codec=rpc.Codec(), exchange=bench.exchange)
    peer.start()
    try:
        server = bench.serve(Keeper(), peer=peer)
        network.suffer("lamp", HALF_OPEN)
        began = time.monotonic()
        assert server.stop(timeout=0.3)  # since nothing is in hand
        assert time.monotonic() - began < PATIENCE_S
    finally:
        network.stop()
        peer.stop()


def test_a_call_that_waits_hears_that_its_process_stops(bench):
    """Each waiting caller gets an error, which says that the work may have been done."""
    taken = threading.Event()
    bench.serve(Keeper(), spawn=lambda *args: taken.set())
    peer, outcome = bench.peer(), queue.Queue()

    def call():
        try:
            bench.client(peer).get({}, "desk")
        except rpc.RPCError as error:
            outcome.put(error)

    threading.Thread(target=call).start()
    assert taken.wait(PATIENCE)
    peer.stop()

    assert isinstance(outcome.get(timeout=PATIENCE), rpc.ConnectionLost)
