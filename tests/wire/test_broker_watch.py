"""What RabbitMQ has no bound for is found by ``mininova-manage broker watch``, which cuts off the compute behind it."""

import shlex
from collections.abc import Iterator

import amqp
import pytest

from mininova import conf
from mininova.manage.broker_admin import BrokerAdmin
from mininova.manage.broker_watch import MOST_HELD_BYTES, Watch
from tests.fixtures.hoards import HOARDS, hoarding
from tests.fixtures.private_broker import PASSWORD, PrivateBroker
from tests.fixtures.taken_over import PATIENCE, REFUSALS, connect

USER, LANE = "compute.host-1", "mininova.from.compute.host-1"
TOO_MUCH_MIB = 2 * MOST_HELD_BYTES // 1024**2  # more than twice of what a queue may have, too


@pytest.fixture
def watch(private_broker: PrivateBroker) -> Watch:
    """Watch a broker."""
    command = {"broker_admin.command": shlex.quote(str(private_broker.tool))}
    return Watch(BrokerAdmin(conf.for_tests("manage", **command)), "/")


@pytest.fixture
def lane(private_broker: PrivateBroker) -> Iterator[amqp.Channel]:
    """Make a lane, and take the user's queue away in the end."""
    connection = connect(private_broker.url)
    channel = connection.channel()
    channel.exchange_declare(LANE, "topic", durable=True, auto_delete=False)
    yield channel
    channel.queue_delete(USER)
    channel.exchange_delete(LANE)
    connection.close()


def until_it_ends(connection: amqp.Connection) -> None:
    """Read what the broker sends, of which some was on its way."""
    while True:
        connection.drain_events(timeout=PATIENCE)


@pytest.mark.parametrize("how", HOARDS)
def test_a_compute_that_has_the_broker_hold_too_much_is_cut_off(
    private_broker: PrivateBroker, watch: Watch, lane: amqp.Channel, how: str
):
    """Its connection ends, what was held for it is gone, and another compute stays connected."""
    other = connect(private_broker.url_of("compute.host-2", PASSWORD))
    connection = hoarding(private_broker.url_of(USER, PASSWORD), USER, LANE, how, TOO_MUCH_MIB)

    watch.act(watch.look())

    with pytest.raises(REFUSALS, match=r"CONNECTION_FORCED|reset|closed|Broken pipe"):
        until_it_ends(connection)
    connection.collect()
    watch.act(watch.look())  # what was not acknowledged is in the queue again
    held = watch.look()
    assert held.users.get(USER, 0) < MOST_HELD_BYTES
    assert [queue.messages for queue in held.queues if queue.name == USER and queue.messages] == []
    other.channel().close()
    other.close()


def test_a_compute_that_works_stays(private_broker: PrivateBroker, watch: Watch, lane: amqp.Channel):
    """What is within the bounds is left alone, and so is a service of the controller."""
    small = hoarding(private_broker.url_of(USER, PASSWORD), USER, LANE, "transactions", 32)
    service = hoarding(private_broker.url_of("conductor", PASSWORD), "conductor", LANE, "transactions", TOO_MUCH_MIB)

    watch.act(watch.look())

    for connection in (small, service):
        connection.channel().close()
        connection.close()


def test_a_stream_of_a_compute_is_deleted(private_broker: PrivateBroker, watch: Watch, lane: amqp.Channel):
    """A stream keeps what was read, and no bound of queues holds there."""
    connection = connect(private_broker.url_of(USER, PASSWORD))
    with connection.channel() as channel:
        channel.queue_declare(USER, durable=True, auto_delete=False, arguments={"x-queue-type": "stream"})

    watch.act(watch.look())

    assert [queue for queue in watch.look().queues if queue.name == USER] == []
    connection.close()
