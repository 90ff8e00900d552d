"""Our places, messages and errors in kombu's terms: exchanges, queues, and the properties beside the bytes.

They are the same as those of amqp/, so both transports can be used at one RabbitMQ.
"""

from typing import Any

from kombu import Exchange, Queue

from mininova.rpc.errors import ConnectionLost, MessageRefused, MessagingTimeout, RPCError
from mininova.rpc.transports.amqp.dialects import RABBITMQ
from mininova.rpc.transports.amqp.frames import DELIVERIES, deliveries_in
from mininova.rpc.transports.base import TOPIC, Message

_NOT_FOUND = 404  # AMQP's reply code


def exchange(name: str, kind: str = TOPIC) -> Exchange:
    """Name an exchange; one for fanouts goes with the last queue that reads from it."""
    durable = kind == TOPIC
    return Exchange(name, type=kind, durable=durable, auto_delete=not durable)


def queue(name: str, exchange_name: str, key: str, *, kind: str = TOPIC, durable: bool = True) -> Queue:
    """Name a queue, and the binding that fills it."""
    arguments = {} if durable else RABBITMQ.passing
    return Queue(name, exchange(exchange_name, kind), routing_key=key, durable=durable, queue_arguments=arguments)


def pause(name: str, exchange_name: str, key: str, *, seconds: float, back_to: str) -> Queue:
    """Name a queue in which messages wait, and then go to the exchange again under another key."""
    arguments = RABBITMQ.pause(exchange_name, back_to, seconds)
    return Queue(name, exchange(exchange_name), routing_key=key, durable=True, queue_arguments=arguments)


def properties(message: Message) -> dict[str, Any]:
    """Give what ``Producer.publish`` is told of a message beside its bytes and where it goes."""
    counted = {DELIVERIES: message.deliveries} if message.deliveries else {}
    return {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2 if message.persistent else 1,
        "headers": {**message.headers, **counted},
        "message_id": message.message_id,
        "reply_to": message.reply_to,
        "app_id": message.app_id,
        "user_id": message.user_id,
        "expiration": message.expiration,
    }


def message(came: Any, *, vouched: bool) -> Message:
    """Read a message; what is no text in it is left out.

    :param came: kombu's
    :param vouched: whether the broker vouches for the user that it names
    """
    found, headers = came.properties, came.headers or {}
    expiration = _text(found, "expiration") or ""
    return Message(
        body=came.body if isinstance(came.body, bytes) else str(came.body).encode(),
        exchange=came.delivery_info["exchange"],
        routing_key=came.delivery_info["routing_key"],
        message_id=_text(found, "message_id") or "",
        reply_to=_text(found, "reply_to"),
        app_id=_text(found, "app_id") or "",
        user_id=_text(found, "user_id") or None if vouched else None,
        expiration=int(expiration) / 1000 if expiration.isdecimal() else None,
        persistent=found.get("delivery_mode") == 2,
        deliveries=deliveries_in(headers),
        headers={name: value for name, value in headers.items() if name != DELIVERIES and isinstance(value, str)},
    )


def redelivered(came: Any) -> bool:
    """Tell whether a message has been delivered before.

    What kombu puts back itself it marks in the message as it was stored, which has no public name.
    """
    return bool(came.delivery_info.get("redelivered") or getattr(came, "_raw", {}).get("redelivered"))


def _text(found: Any, name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) else None


def leads_nowhere(channel: Any, sent: Message) -> bool:
    """Tell whether no queue takes a message: a broker that returns none would drop it without a word."""
    if not sent.exchange:
        return False
    table = channel.get_table(sent.exchange)
    return not channel.typeof(sent.exchange).lookup(table, sent.exchange, sent.routing_key, None)


def error(caught: Exception, sent: Message | None, *, definite: bool) -> RPCError:
    """Give our own error for one of kombu's."""
    if isinstance(caught, MessagingTimeout):
        return caught
    code, key = getattr(caught, "reply_code", None), sent.routing_key if sent is not None else ""
    if isinstance(caught, TimeoutError):
        return MessagingTimeout(f"the broker did not confirm a message to {key} in time", definite=definite)
    if code and code != _NOT_FOUND and sent is not None:
        why = f"the broker refuses a message to {key} on the exchange {sent.exchange!r}: {caught}"
        return MessageRefused(why, target=key, exchange=sent.exchange, code=code)
    return ConnectionLost(f"the broker went away before it confirmed: {caught}", definite=definite)
