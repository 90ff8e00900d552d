"""What a sender puts beside a message cannot end the connection of the service that sends the message on."""

import amqp
import pytest

from mininova.rpc import parking
from mininova.rpc.transports.amqp.frames import DELIVERIES
from tests.fixtures.private_broker import PrivateBroker
from tests.fixtures.rpc_bench import AMQPBench, Keeper, Lamp, broken
from tests.fixtures.taken_over import connect


@pytest.mark.parametrize(
    "headers",
    [{"large": "x" * 130_000}, {"x-mininova-seal": "x" * 130_000}, {DELIVERIES: 2**63 - 1}, {DELIVERIES: 2**40}],
    ids=["a large one", "a large seal", "a count that has no next", "a count that no message has"],
)
def test_a_cast_that_fails_is_parked(private_broker: PrivateBroker, headers: dict[str, object]):
    """The server tries it again and parks it, whatever its headers are, and serves what follows."""
    bench = AMQPBench(private_broker.url)
    keeper = Keeper(switch=broken)
    server = bench.serve(keeper, pauses=(0,))
    body = bench.payload("switch", {"lamp": {"name": "desk"}})
    by_hand = connect(private_broker.url)
    with by_hand.channel() as channel:
        message = amqp.Message(body, application_headers=headers, delivery_mode=2, message_id="1")
        channel.basic_publish(message, exchange=bench.exchange, routing_key=bench.topic)
    by_hand.close()

    assert [bench.next(keeper.asked)[0] for _ in range(2)] == ["switch"] * 2

    assert bench.client().get({}, "desk") == Lamp("desk")
    assert server.stop()
    (one,) = parking.parked(bench.peer(), bench.topic)
    assert one.message.deliveries == 2
    bench.close()
