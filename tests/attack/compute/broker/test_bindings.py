"""Binding its own queue to what is others'."""

import pytest

from tests.fixtures.taken_over import EXCHANGE, REPLIES, TOLD, lane_of

OWN = "compute.host-1"
THEIR_LANE = lane_of("compute.host-2")


@pytest.mark.parametrize(
    "key",
    ["#", "*", "*.*", "compute.*", "compute.#", "#.host-2", "compute.host-2", "compute.host-1.annex",
     "compute.host-1.#", "conductor", "scheduler", "compute", "notifications.info", "notifications.*",
     "conductor.dead", ""],
)  # fmt: skip
def test_requests(attacker, observe, key):
    """Binds its queue to the requests of others, by their keys or by a pattern that has them."""
    with observe(EXCHANGE), attacker.channel() as channel:
        channel.queue_bind(OWN, EXCHANGE, key)


@pytest.mark.parametrize("key", ["#", "*", "reply_api.#", "reply_conductor.*", "reply_compute.host-2_0", "the api's"])
def test_replies(attacker, observe, reply_queues, key):
    """Binds its queue to the replies to others."""
    key = reply_queues["api"] if key == "the api's" else key
    with observe(REPLIES), attacker.channel() as channel:
        channel.queue_bind(OWN, REPLIES, key)


def test_its_own_replies(attacker, observe):
    """Binds many queues of its own to its own replies, so that each takes the conductor the time of many."""
    with observe(REPLIES), attacker.channel() as channel:
        for name in (f"{OWN}.dead", f"{OWN}.pause.5"):
            channel.queue_declare(name, durable=True, auto_delete=False)
            channel.queue_bind(name, REPLIES, attacker.reply_queue)


def test_its_own_requests(attacker, observe):
    """Binds many queues of its own to what it is asked, so that each takes the conductor the time of many."""
    with observe(EXCHANGE), attacker.channel() as channel:
        channel.queue_bind(OWN, EXCHANGE, OWN)


@pytest.mark.parametrize("key", ["#", "*", "*.*", "compute.#", "conductor", "notifications.info", "", "x"])
def test_its_own_lane(attacker, observe, key):
    """Binds its queue to its own lane by patterns, each of which takes the broker time, or to what is others' there."""
    with observe(attacker.lane), attacker.channel() as channel:
        channel.queue_bind(OWN, attacker.lane, key)


@pytest.mark.parametrize("key", ["#", "conductor", "notifications.info"])
def test_what_another_compute_sends(attacker, observe, key):
    """Binds its queue to the lane of another compute, to read what that one sends."""
    with observe(THEIR_LANE), attacker.channel() as channel:
        channel.queue_bind(OWN, THEIR_LANE, key)


@pytest.mark.parametrize("exchange", ["mininova.flow", "amq.rabbitmq.trace", "amq.rabbitmq.log", "amq.topic"])
def test_what_everybody_does(attacker, observe, exchange):
    """Binds its queue to the flow, in which is every message, or to what the broker tells its operator."""
    with observe(exchange), attacker.channel() as channel:
        channel.queue_bind(OWN, exchange, "#")


@pytest.mark.parametrize("source", [EXCHANGE, REPLIES, TOLD, "mininova.flow", THEIR_LANE])
@pytest.mark.parametrize("destination", [EXCHANGE, REPLIES, TOLD, "compute.host-1.pause.30", THEIR_LANE])
def test_an_exchange_to_an_exchange(attacker, observe, source, destination):
    """Binds an exchange behind another, so that what is for others comes by where it may listen."""
    with observe(), attacker.channel() as channel:
        if destination.startswith(OWN):
            channel.exchange_declare(destination, "fanout", durable=False, auto_delete=True)
        channel.exchange_bind(destination, source, "#")


@pytest.mark.parametrize("exchange", ["", "amq.direct", "amq.topic", EXCHANGE, REPLIES, TOLD, THEIR_LANE])
def test_dead_letters_elsewhere(attacker, observe, exchange):
    """Makes a queue whose dead letters go through the default exchange, or another that it may not write to."""
    letters = {"x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": "compute.host-2"}
    with observe(), attacker.channel() as channel:
        channel.queue_declare(f"{OWN}.pause.1", durable=True, auto_delete=False, arguments=letters)
