"""How each broker spells what AMQP 0-9-1 has no words for: a pause, a queue that goes by itself, a quorum.

The protocol says how to declare a queue, and leaves to the broker what its arguments mean.  A broker has one module
here with one Dialect in it; a connection speaks that of the broker that it reaches, which says in its greeting what it
is.  One that says a name that we do not know is spoken to as RabbitMQ.  docs/adr/0020 has why.
"""

from collections.abc import Mapping
from typing import Any

from mininova.rpc.transports.amqp.dialects.dialect import Arguments, Dialect
from mininova.rpc.transports.amqp.dialects.qpid import QPID
from mininova.rpc.transports.amqp.dialects.rabbitmq import RABBITMQ

__all__ = ["QPID", "RABBITMQ", "Arguments", "Dialect", "spoken_by"]

_KNOWN = (RABBITMQ, QPID)


def spoken_by(greeting: Mapping[str, Any]) -> Dialect:
    """Choose the dialect of a broker by its server-properties."""
    product = str(greeting.get("product", ""))
    return next((dialect for dialect in _KNOWN if dialect.product in product), RABBITMQ)
