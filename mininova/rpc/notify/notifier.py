"""Tell the world what happened: notifications in oslo.messaging's format, for whoever listens.

A notification never breaks the operation that it tells of: one that cannot be sent is logged and dropped.
"""

import logging
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from mininova.rpc import envelope
from mininova.rpc.envelope import Request
from mininova.rpc.peer import Peer
from mininova.rpc.transport import Message

LOG = logging.getLogger(__name__)


class Notifier:
    """Emit notifications as one publisher.

    :param publisher_id: ``service.host``, as ``compute.host-1``
    :param topic: the first part of the routing key; the priority is the second
    """

    def __init__(self, peer: Peer, publisher_id: str, *, topic: str = "notifications") -> None:
        self.peer, self.publisher_id, self.topic = peer, publisher_id, topic
        self._declared: set[str] = set()

    def info(self, ctxt: Any, event_type: str, payload: dict[str, Any]) -> None:
        """Tell that something happened as it should."""
        self._emit(ctxt, "INFO", event_type, payload)

    def error(self, ctxt: Any, event_type: str, payload: dict[str, Any]) -> None:
        """Tell that something went wrong."""
        self._emit(ctxt, "ERROR", event_type, payload)

    def _emit(self, ctxt: Any, priority: str, event_type: str, payload: dict[str, Any]) -> None:
        try:
            self._send(ctxt, priority, event_type, payload)
        except Exception as error:  # the operation that it tells of goes on, whatever this was
            LOG.warning("notification %s was not sent: %s", event_type, error)

    def _send(self, ctxt: Any, priority: str, event_type: str, payload: dict[str, Any]) -> None:
        key = f"{self.topic}.{priority.lower()}"
        context = self.peer.codec.context_to_wire(ctxt)
        message_id = str(uuid4())
        body = {
            "message_id": message_id,
            "publisher_id": self.publisher_id,
            "event_type": event_type,
            "priority": priority,
            "payload": self.peer.codec.wrap(payload),
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
            "_unique_id": uuid4().hex,
            **{f"_context_{name}": value for name, value in context.items()},
        }
        message = Message(
            body=envelope.pack(body),
            exchange=self.peer.exchange,
            routing_key=key,
            message_id=message_id,
            app_id=self.peer.name,
            user_id=self.peer.transport.user_id,
            persistent=True,
        )
        seen_as = Request(method=event_type, args=body["payload"], context=context, version="")
        self.peer.seen("sent", message, seen_as, pattern="notification", receiver=key)
        if key not in self._declared:
            self.peer.transport.declare(key, self.peer.exchange, key)
            self._declared.add(key)
        self.peer.transport.publish(message)
