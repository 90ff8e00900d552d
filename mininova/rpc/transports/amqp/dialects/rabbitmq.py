"""RabbitMQ.

Source: https://www.rabbitmq.com/docs/queues#optional-arguments
"""

from mininova.rpc.transports.amqp.dialects.dialect import Arguments, Dialect

_UNREAD_FOR = 600_000  # ms after which the broker removes a queue that is not durable and has no reader


def _pause(exchange: str, back_to: str, seconds: float) -> Arguments:
    """Describe a queue that sends what has waited to the exchange again, under another key.

    The broker removes it when nothing has been declared here for longer than any message waits.
    """
    return {
        "x-message-ttl": round(seconds * 1000),
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": back_to,
        "x-expires": round(seconds * 1000) + _UNREAD_FOR,
    }


RABBITMQ = Dialect(
    product="RabbitMQ",
    passing={"x-expires": _UNREAD_FOR},
    for_others={},  # policies bound it, see mininova/trust/broker/definitions.py
    pause=_pause,
    quorum={"x-queue-type": "quorum"},
    priority="x-priority",
    # These can see to it that a message has arrived before it is gone from the pause.
    quorum_pause={"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"},
)
