"""What a transport by kombu does where its broker goes away, and beside a transport with frames of its own."""

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mininova import rpc
from mininova.rpc.transports.kombu import KombuTransport
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.private_redis import PrivateRedis
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Bench, Keeper, KombuBench, Lamp

ROOT = Path(__file__).parents[4]

Broker = PrivateBroker | PrivateRedis


@pytest.fixture(params=["private_broker", "private_redis"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give a broker that can go away: RabbitMQ or Redis."""
    given: Broker = request.getfixturevalue(request.param)
    return given


@pytest.fixture
def bench(broker: Broker) -> Iterator[Bench]:
    """Give names of one's own on it."""
    made = KombuBench(broker.url if isinstance(broker, PrivateRedis) else f"kombu+{broker.url}")
    yield made
    made.close()


def test_all_is_restored_when_the_broker_comes_back(bench: Bench, broker: Broker):
    """Servers read their queues again, replies arrive, and the transport says that it was restored."""
    keeper, peer, restored = Keeper(), bench.peer(), threading.Event()
    bench.serve(keeper)
    peer.on_restored = restored.set
    client = bench.client(peer)
    client.get(CTXT, "before")

    broker.kill()
    broker.start()

    assert restored.wait(PATIENCE)
    assert client.get(CTXT, "after") == Lamp("after")
    client.dim(CTXT, 20)
    while bench.next(keeper.asked) != ("dim", 20):
        pass


def test_a_queue_subscribed_to_while_the_broker_is_away_is_read_later(bench: Bench, broker: Broker):
    """A server that started without the broker serves when the broker is there."""
    peer, client, keeper = bench.peer("lamp.a"), bench.client(), Keeper()

    broker.kill()
    bench.serve(keeper, peer=peer)
    broker.start()
    peer.transport.declare(bench.topic, bench.exchange, bench.topic)  # returns once the connection is there
    client.switch(CTXT, Lamp("desk"))

    assert bench.next(keeper.asked)[0] == "switch"


def test_a_cast_does_not_wait_for_ever_for_a_broker_that_is_away(bench: Bench, broker: Broker):
    """A cast to a broker that is away fails at its deadline."""
    client = bench.client()
    broker.kill()
    try:
        with pytest.raises(rpc.MessagingTimeout):
            client.within(0.05).switch(CTXT, Lamp("desk"))
    finally:
        broker.start()


def test_a_stop_ends_the_wait_for_a_broker_that_is_away(bench: Bench, broker: Broker):
    """Who waits to send gets an error, and not only when the time is up."""
    peer, ended = bench.peer(), queue.Queue[Exception]()
    client = bench.client(peer)

    def send() -> None:
        try:
            client.within(600).switch(CTXT, Lamp("desk"))
        except rpc.RPCError as error:
            ended.put(error)

    broker.kill()
    try:
        threading.Thread(target=send).start()
        peer.stop()
        assert isinstance(ended.get(timeout=PATIENCE), rpc.MessagingTimeout)
    finally:
        broker.start()


def test_no_broker_is_an_error_without_a_password():
    """A first connection that cannot be made says where, and not with what."""
    with pytest.raises(rpc.BrokerUnreachable, match=r"127\.0\.0\.1:1") as caught:
        KombuTransport("kombu+amqp://me:hidden@127.0.0.1:1/").start()
    assert "hidden" not in str(caught.value)


def test_a_wrong_password_is_said(private_broker: PrivateBroker):
    """To try again with these settings would be of no use."""
    with pytest.raises(rpc.BrokerRefused):
        KombuTransport(f"kombu+{private_broker.url}".replace("secret", "guess")).start()


@pytest.mark.parametrize("server_by_kombu", [True, False])
def test_both_transports_can_be_used_at_one_broker(private_broker: PrivateBroker, server_by_kombu: bool):
    """Places and properties are the same: a server by the one answers a client by the other."""
    kombu, ours = KombuBench(f"kombu+{private_broker.url}"), AMQPBench(private_broker.url)
    ours.exchange, ours.api = kombu.exchange, kombu.api
    keeper = Keeper()
    there, here = (kombu, ours) if server_by_kombu else (ours, kombu)
    there.serve(keeper)
    client = here.client()

    assert client.get(CTXT, "desk") == Lamp("desk")
    client.switch(CTXT, Lamp("desk"))
    client.dim(CTXT, 20)

    assert [here.next(keeper.asked)[0] for _ in range(3)] == ["get", "switch", "dim"]
    kombu.close()
    ours.close()


GREEN = """
import eventlet
eventlet.monkey_patch()
import sys
from mininova import rpc
from tests.fixtures.rpc_bench import CTXT, Keeper, KombuBench, Lamp

bench, keeper = KombuBench(sys.argv[1]), Keeper()
bench.serve(keeper, spawn=eventlet.spawn_n)
client = bench.client()
asked = [eventlet.spawn(client.get, CTXT, f"lamp {number}") for number in range(20)]
assert [each.wait() for each in asked] == [Lamp(f"lamp {number}") for number in range(20)]
client.switch(CTXT, Lamp("desk"))
client.dim(CTXT, 20)
assert {bench.next(keeper.asked)[0] for _ in range(22)} == {"get", "switch", "dim"}
bench.close()
print("done")
"""


@pytest.mark.parametrize("scheme", ["kombu+amqp", "kombu+redis", "kombu+filesystem", "kombu+memory"])
def test_green_threads_do(scheme: str, kombu_url):
    """Under eventlet's monkey patch many callers wait at once, and calls, casts and fanouts arrive."""
    command = [sys.executable, "-W", "ignore", "-c", GREEN, kombu_url(scheme)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert ran.stdout == "done\n", ran.stderr
