"""Reading, emptying and removing what is others'."""

import pytest

from tests.fixtures.taken_over import EXCHANGE, REPLIES, TOLD, lane_of

OTHERS = [
    "compute.host-2", "compute.host-1.annex", "conductor", "conductor.from.compute.host-1",
    "conductor.from.compute.host-2", "scheduler", "notifications.info", "the api's replies",
]  # fmt: skip
OWN_LANE, THEIR_LANE = lane_of("compute.host-1"), lane_of("compute.host-2")

others = pytest.mark.parametrize("queue", OTHERS)


@pytest.fixture(autouse=True)
def names(request, reply_queues):
    """Put the name of the api's reply queue, made anew at each start, where its place is held."""
    held = getattr(request.node, "callspec", None)
    if held is not None and held.params.get("queue") == OTHERS[-1]:
        request.node.funcargs["queue"] = reply_queues["api"]


@others
def test_consume(attacker, observe, queue):
    """Reads another's queue."""
    with observe(queue), attacker.channel() as channel:
        channel.basic_consume(queue, callback=print)


@others
def test_get(attacker, observe, queue):
    """Takes one message from another's queue."""
    with observe(queue), attacker.channel() as channel:
        channel.basic_get(queue)


@others
def test_purge(attacker, observe, queue):
    """Empties another's queue."""
    with observe(queue), attacker.channel() as channel:
        channel.queue_purge(queue)


@others
def test_delete(attacker, observe, queue):
    """Deletes another's queue."""
    with observe(queue), attacker.channel() as channel:
        channel.queue_delete(queue)


@others
def test_unbind(attacker, observe, queue):
    """Unbinds another's queue from the exchange that fills it."""
    exchange = REPLIES if queue.startswith("reply") else EXCHANGE
    with observe(queue), attacker.channel() as channel:
        channel.queue_unbind(queue, exchange, queue)


@others
def test_bind(attacker, observe, queue):
    """Binds another's queue to a key of its own, to fill it."""
    with observe(queue), attacker.channel() as channel:
        channel.queue_bind(queue, EXCHANGE, f"compute.{attacker.host}")


@others
def test_declare(attacker, observe, queue):
    """Declares another's queue anew, so that it expires, or its messages go elsewhere."""
    games = {"x-expires": 1, "x-message-ttl": 0, "x-dead-letter-exchange": EXCHANGE, "x-max-length": 0}
    with observe(queue), attacker.channel() as channel:
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=games)


@pytest.mark.parametrize("queue", ["compute.host-9", "compute.host-2.pause.5", "conductor.dead", "compute.host-1x", ""])
def test_declare_what_is_not_there_yet(attacker, observe, queue):
    """Declares, before others do, a queue that will be theirs, or one that the broker is to name."""
    with observe(queue), attacker.channel() as channel:
        channel.queue_declare(queue, durable=True, auto_delete=False)


@pytest.mark.parametrize(
    "name", ["compute.host-2\r\n", "\ncompute.host-2", "COMPUTE.host-1", "compute.host-1.", "compute.host-1/x"]
)
def test_names_that_are_almost_its_own(attacker, observe, name):
    """Hides another's queue behind a line break, capitals, or a dot too many."""
    with observe(), attacker.channel() as channel:
        channel.queue_declare(name, durable=True, auto_delete=False)


@others
def test_the_queue_named_last(attacker, observe, queue):
    """Has another's queue named by the broker, and then reads "the queue that was named last"."""
    with observe(queue), attacker.channel() as channel:
        channel.queue_declare(queue, passive=True)
        channel.basic_get("")


@pytest.mark.sees("whether a queue is there, how many messages wait in it, and how many read it")
def test_whether_it_is_there(attacker, observe):
    """Asks the broker whether a queue of another's is there, which changes nothing."""
    with observe(), attacker.channel() as channel:
        found = channel.queue_declare("compute.host-2", passive=True)
    assert found._fields == ("queue", "message_count", "consumer_count")


@pytest.mark.parametrize("exchange", [EXCHANGE, REPLIES, TOLD, "mininova.flow", OWN_LANE, THEIR_LANE])
def test_delete_an_exchange(attacker, observe, exchange):
    """Deletes an exchange that all go through."""
    with observe(exchange), attacker.channel() as channel:
        channel.exchange_delete(exchange)


@pytest.mark.parametrize("exchange", [EXCHANGE, REPLIES, TOLD, "mininova.flow", OWN_LANE, THEIR_LANE, "anything"])
def test_declare_an_exchange(attacker, observe, exchange):
    """Declares an exchange that all go through anew, with an alternate of its own, or any other exchange."""
    alternate = {"alternate-exchange": f"compute.{attacker.host}.dead"}
    with observe(exchange), attacker.channel() as channel:
        channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False, arguments=alternate)
