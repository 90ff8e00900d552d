"""AMQP 0-9-1: RabbitMQ, and what else speaks it.

Read it from the top: transport (one process's connection, made again when it breaks), connect with address and tls
(getting in), link (one connection while it lives) with wire and frames (its bytes), and what it is for: places with
dialects (what each broker calls things), publishing, reading.
"""

from mininova.rpc.transports.amqp.address import Address
from mininova.rpc.transports.amqp.tls import TLS
from mininova.rpc.transports.amqp.transport import AMQPTransport

__all__ = ["TLS", "AMQPTransport", "Address"]
