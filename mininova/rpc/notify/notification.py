"""A notification: what it says, and how it is written in oslo.messaging's format.

A Notifier makes one and gives it to its drivers; a Listener reads one from a queue and gives it to its handler.

Source: oslo.messaging, ``notify/notifier.py`` (``_notify``) and ``notify/dispatcher.py``.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from mininova.rpc.codec import Codec
from mininova.rpc.errors import MalformedMessage

#: From the least urgent to the most; the last two are apart from that order.
PRIORITIES = ("debug", "info", "warn", "error", "critical", "audit", "sample")

_CONTEXT = "_context_"


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, to whom it may concern.

    :param event_type: ``compute.instance.create.end``: what listeners choose by
    :param payload: what there is to say of it
    :param publisher_id: ``service.host``, as ``compute.host-1``
    :param priority: one of PRIORITIES
    :param message_id: the same on every copy, so that a listener knows one that comes twice
    :param context: on whose behalf it happened, as the application's codec has it
    :param sender: of one that was heard, the broker user that sent it, as the broker vouches for it; None when it does
        not.  What else is in a notification its sender can make up, ``publisher_id`` too
    """

    event_type: str
    payload: Any
    publisher_id: str
    priority: str
    timestamp: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    message_id: str = msgspec.field(default_factory=lambda: str(uuid4()))
    context: Any = None
    sender: str | None = None


def write(notification: Notification, context: dict[str, Any], payload: Any) -> dict[str, Any]:
    """Give what goes into the envelope.

    :param context: the fields of its context that travel
    :param payload: its payload as plain data
    """
    return {
        "message_id": notification.message_id,
        "publisher_id": notification.publisher_id,
        "event_type": notification.event_type,
        "priority": notification.priority.upper(),
        "payload": payload,
        "timestamp": notification.timestamp.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "_unique_id": notification.message_id.replace("-", ""),
        **{f"{_CONTEXT}{name}": value for name, value in context.items()},
    }


def read(fields: dict[str, Any], codec: Codec, sender: str | None = None) -> Notification:
    """Read what came out of an envelope, from us or from oslo.messaging.

    :param sender: as the broker vouches for it
    :raises MalformedMessage: naming what is missing or wrong
    """
    try:
        context = {name[len(_CONTEXT) :]: value for name, value in fields.items() if name.startswith(_CONTEXT)}
        return Notification(
            event_type=_text(fields, "event_type"),
            payload=codec.unwrap(fields.get("payload")),
            publisher_id=_text(fields, "publisher_id"),
            priority=_text(fields, "priority").lower(),
            timestamp=datetime.fromisoformat(_text(fields, "timestamp")).replace(tzinfo=UTC),
            message_id=_text(fields, "message_id"),
            context=codec.context_from_wire(context),
            sender=sender,
        )
    except Exception as error:  # the application's codec may raise what it likes
        raise MalformedMessage(f"this is not a notification: {error}") from error


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise MalformedMessage(f"its {name} is {value!r}")
    return value
