"""A connection speaks the dialect of the broker that greets it."""

import pytest

from mininova.rpc.transports.amqp import dialects


@pytest.mark.parametrize("greeting", [{"product": "RabbitMQ", "version": "3.10.8"}, {"product": "LavinMQ"}, {}])
def test_a_broker_that_we_do_not_know_is_spoken_to_as_rabbitmq(greeting):
    """Others that speak AMQP 0-9-1 mostly took RabbitMQ's words over."""
    assert dialects.spoken_by(greeting) is dialects.RABBITMQ
