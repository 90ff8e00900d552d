"""Quorum queues, by one option; test_transport_losses.py and …_places.py show that they keep the promises, too."""

from collections.abc import Iterator

import kombu
import pytest

from mininova.rpc.transports.amqp.places import Refused
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import CTXT, AMQPBench, Keeper, Lamp


@pytest.fixture
def bench(private_broker: PrivateBroker) -> Iterator[AMQPBench]:
    """Give a broker on which durable queues are quorum queues."""
    made = AMQPBench(private_broker.url, quorum=True)
    yield made
    made.close()


def test_durable_queues_are_quorum_queues(bench: AMQPBench, private_broker: PrivateBroker):
    """The queues of topics and hosts are quorum queues, and the broker agrees."""
    bench.serve(Keeper(), "a")

    with kombu.Connection(private_broker.url) as connection:
        for name in bench.topic, f"{bench.topic}.a":
            quorum = {"x-queue-type": "quorum"}
            connection.default_channel.queue_declare(name, durable=True, auto_delete=False, arguments=quorum)


@pytest.mark.parametrize("first", [True, False])
def test_a_queue_of_the_other_kind_is_refused_by_name(bench: AMQPBench, first: bool):
    """Its reader gets an error that says what kind the queue is and which option to set; other subscriptions go on."""
    bench.how["quorum"] = first
    bench.serve(Keeper(), "a")
    bench.how["quorum"] = not first
    peer = bench.peer()

    kind = "quorum" if first else "classic"
    with pytest.raises(Refused, match=rf"queue {bench.topic} exists and is a {kind} queue.*rabbit_quorum_queue"):
        bench.serve(Keeper(), "b", peer=peer)

    assert bench.client(peer).get(CTXT, "desk") == Lamp("desk")


def test_a_process_with_a_refused_queue_does_not_start(bench: AMQPBench):
    """It ends with that error, instead of connecting again and again."""
    bench.serve(Keeper(), "a")
    bench.how["quorum"] = False
    transport = bench.transport()
    reader = bench.peers[0].transport._subscriptions  # type: ignore[attr-defined]
    transport.subscribe(next(subscription for subscription in reader if subscription.durable))

    with pytest.raises(Refused, match="rabbit_quorum_queue"):
        transport.start()

    assert transport._stopping.is_set()  # type: ignore[attr-defined]
