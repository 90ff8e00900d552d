"""Several brokers: when the one in use dies, the next is used, and our queues are declared there again."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mininova.rpc.errors import BrokerUnreachable
from mininova.rpc.transports.amqp import AMQPTransport
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Keeper, Lamp


@pytest.fixture
def other_broker(rabbitmq_server: Path) -> Iterator[PrivateBroker]:
    """Run a second node, which knows nothing of the first."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    node = PrivateBroker(folder, rabbitmq_server)
    node.start()
    yield node
    node.kill()
    shutil.rmtree(folder)


def urls(*nodes: PrivateBroker) -> str:
    """Write a URL with the addresses of several nodes."""
    places = [node.url.removeprefix("amqp://").rstrip("/") for node in nodes]
    return f"rabbit://{','.join(places)}/"


def test_when_one_broker_dies_the_next_is_used(private_broker: PrivateBroker, other_broker: PrivateBroker):
    """Calls, casts and fanouts go on there, as the same user, and the transport reports that it was restored."""
    bench = AMQPBench(urls(other_broker, private_broker))
    transports = [bench.transport() for _ in range(2)]
    for transport in transports:
        assert isinstance(transport, AMQPTransport)
        while transport._addresses[0].port != int(other_broker.url.rstrip("/").rpartition(":")[2]):
            transport._addresses.rotate()  # which one is first is left to chance
    coming = iter(transports)
    bench.transport = lambda: next(coming)  # type: ignore[method-assign]
    keeper, peer = Keeper(), bench.peer()
    bench.serve(keeper)
    client = bench.client(peer)
    assert client.get(CTXT, "before") == Lamp("before")
    restored = [threading.Event() for _ in transports]
    for transport, event in zip(transports, restored, strict=True):
        transport.on_restored = event.set

    other_broker.kill()
    assert all(event.wait(PATIENCE) for event in restored)

    client.switch(CTXT, Lamp("after"))
    assert client.toggle(CTXT, "after") is True
    client.dim(CTXT, 20)
    assert [bench.next(keeper.asked)[0] for _ in range(4)] == ["get", "switch", "toggle", "dim"]
    assert peer.transport.user_id == "mininova"
    bench.close()


def test_the_first_broker_may_be_away(private_broker: PrivateBroker):
    """Each broker is tried in turn, beginning anywhere."""
    url = private_broker.url.replace("@", "@127.0.0.1:1,mininova:secret@")

    for _ in range(4):
        transport = AMQPTransport(url)
        transport.start()
        transport.stop()


def test_when_no_broker_lets_us_in_each_is_named():
    """The error names each broker with the reason, and no password."""
    with pytest.raises(BrokerUnreachable) as caught:
        AMQPTransport("amqp://me:hidden@127.0.0.1:1,me:hidden@127.0.0.1:2/").start()

    assert "127.0.0.1:1: " in str(caught.value)
    assert "127.0.0.1:2: " in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_not_all_begin_with_the_same_broker():
    """A thousand processes spread over the brokers of a cluster."""
    firsts = {AMQPTransport("amqp://u:p@a,u:p@b,u:p@c/")._addresses[0].host for _ in range(200)}

    assert firsts == {"a", "b", "c"}
