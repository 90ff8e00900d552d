"""Messages by plain kombu: over RabbitMQ, Redis, a folder of files, or in memory.

brokers.py says which brokers, and which promises each of them cannot keep; transport.py moves the messages.
"""

from mininova.rpc.transports.kombu.transport import KombuTransport

__all__ = ["KombuTransport"]
