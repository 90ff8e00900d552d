"""The frames of AMQP 0-9-1: a message and its properties as bytes and back, and the methods that go with it.

Everything a Link writes is made here, and what it hears is read here.  py-amqp's own serialization does the rare
methods and tables; what each message needs is written out, because it is most of what a message costs
(docs/adr/0012).  The numbers of sections are those of the AMQP 0-9-1 specification.
"""

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from amqp.serialization import dumps, loads

from mininova.rpc.errors import MalformedMessage
from mininova.rpc.transports.base import Message

# The channels of a connection: to publish plainly, to publish confirmed, to read, and to declare places.
PLAIN, CONFIRMING, READING, DECLARING = 1, 2, 3, 4
LAST_FIXED = DECLARING

# ---- frames (4.2.3): kind, channel and size of the payload; the payload; an end mark

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
HEAD = struct.Struct(">BHI")
END = 0xCE
_END = bytes([END])
_AROUND = HEAD.size + 1  # bytes of a frame that are not its payload


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """Put a payload into a frame."""
    return HEAD.pack(kind, channel, len(payload)) + payload + _END


# ---- methods (4.2.4): a number for the class and one for the method, then the arguments


def number(of_class: int, method: int) -> bytes:
    """Write the number of a method."""
    return struct.pack(">HH", of_class, method)


CONNECTION_CLOSE, CONNECTION_CLOSE_OK = number(10, 50), number(10, 51)
BLOCKED, UNBLOCKED = number(10, 60), number(10, 61)  # https://www.rabbitmq.com/docs/connection-blocked
CHANNEL_OPEN, CHANNEL_CLOSE, CHANNEL_CLOSE_OK = number(20, 10), number(20, 40), number(20, 41)
EXCHANGE_DECLARE, EXCHANGE_DECLARE_OK = number(40, 10), number(40, 11)
QUEUE_DECLARE, QUEUE_DECLARE_OK = number(50, 10), number(50, 11)
QUEUE_BIND, QUEUE_BIND_OK = number(50, 20), number(50, 21)
QOS, CONSUME, CANCEL, CANCEL_OK = number(60, 10), number(60, 20), number(60, 30), number(60, 31)
PUBLISH, RETURN, DELIVER = number(60, 40), number(60, 50), number(60, 60)
GET, GET_OK, GET_EMPTY = number(60, 70), number(60, 71), number(60, 72)
ACK, REJECT, NACK = number(60, 80), number(60, 90), number(60, 120)
CONFIRM_SELECT = number(85, 10)  # https://www.rabbitmq.com/docs/confirms

WITH_CONTENT = frozenset([RETURN, DELIVER, GET_OK])


def method(channel: int, number: bytes, types: str = "", *arguments: Any) -> bytes:
    """Write any method.

    :param types: of the arguments, a letter for each, as py-amqp's ``dumps`` has them
    """
    return frame(METHOD, channel, number + (dumps(types, arguments) if types else b""))


def arguments(types: str, payload: bytes) -> list[Any]:
    """Read the arguments of any method, which follow its number."""
    found: list[Any] = loads(types, payload, 4)[0]
    return found


_SETTLE = struct.Struct(">BHI4sQBB")


def settlement(channel: int, number: bytes, tag: int, flag: bool = False) -> bytes:
    """Write a Basic.Ack, whose flag says that all up to the tag are meant, or a Basic.Reject, whose flag requeues."""
    return _SETTLE.pack(METHOD, channel, 13, number, tag, flag, END)


_TAG = struct.Struct(">Q?")


def settled(payload: bytes) -> tuple[int, bool]:
    """Read a Basic.Ack or Basic.Nack: the tag, and whether all up to it are meant."""
    tag, multiple = _TAG.unpack_from(payload, 4)
    return tag, multiple


# ---- a message on its way to the broker

DELIVERIES = "x-mininova-deliveries"
MOST_DELIVERIES = 1_000

#: Of all headers of a message; longer ones are not read.  What we send on with them, and with more, must fit into a
#: frame: the broker ends a connection over one that is too long.
MAX_HEADERS_BYTES = 16 * 1024

# Which properties a header has: a bit for each, in the order in which they follow (4.2.6.1).
_CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS, _DELIVERY_MODE = 1 << 15, 1 << 14, 1 << 13, 1 << 12
_PRIORITY, _CORRELATION_ID, _REPLY_TO, _EXPIRATION = 1 << 11, 1 << 10, 1 << 9, 1 << 8
_MESSAGE_ID, _TIMESTAMP, _TYPE, _USER_ID, _APP_ID = 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 3

_JSON = b"\x10application/json\x05utf-8"
_ALWAYS = _CONTENT_TYPE | _CONTENT_ENCODING | _DELIVERY_MODE | _MESSAGE_ID | _APP_ID
_SIZE_AND_FLAGS = struct.Struct(">4xQH")
_BASIC = 60
_HEADER = struct.Struct(">BHIHHQH")


def published(channel: int, message: Message, mandatory: bool, most: int) -> bytes:
    """Write a message to publish.

    :param most: how many bytes the broker takes in a frame
    :raises MalformedMessage: when a name in it is too long for the wire
    """
    flags, properties = _properties(message)
    size, body = len(message.body), message.body
    pieces = [
        _publish(channel, message.exchange, message.routing_key, mandatory),
        _HEADER.pack(HEADER, channel, 14 + len(properties), _BASIC, 0, size, flags),
        properties,
        _END,
    ]
    for at in range(0, size, most - _AROUND):
        piece = body[at : at + most - _AROUND]
        pieces += HEAD.pack(BODY, channel, len(piece)), piece, _END
    return b"".join(pieces)


@lru_cache(maxsize=1024)
def _publish(channel: int, exchange: str, key: str, mandatory: bool) -> bytes:
    return frame(METHOD, channel, PUBLISH + b"\0\0" + _short(exchange) + _short(key) + bytes([mandatory]))


def _properties(message: Message) -> tuple[int, bytes]:
    flags, pieces = _ALWAYS, [_JSON]
    if message.headers or message.deliveries:
        counted = {DELIVERIES: message.deliveries} if message.deliveries else {}
        flags |= _HEADERS
        pieces.append(dumps("F", [{**message.headers, **counted}]))
    pieces.append(b"\2" if message.persistent else b"\1")
    if message.reply_to:
        flags |= _REPLY_TO
        pieces.append(_short(message.reply_to))
    if message.expiration is not None:
        flags |= _EXPIRATION
        pieces.append(_short(str(int(message.expiration * 1000))))
    pieces.append(_short(message.message_id))
    if message.user_id:
        flags |= _USER_ID
        pieces.append(_short(message.user_id))
    pieces.append(_short(message.app_id))
    return flags, b"".join(pieces)


def _short(text: str) -> bytes:
    """Write a short string (4.2.5.3)."""
    encoded = text.encode()
    if len(encoded) > 255:
        raise MalformedMessage(f"a name on the wire has at most 255 bytes: {text[:40]}… is too long")
    return bytes([len(encoded)]) + encoded


# ---- a message on its way to us


class Content:
    """A message that comes frame by frame: a method, a header with the properties, and pieces of the body."""

    def __init__(self, payload: bytes) -> None:
        self.method = payload
        self.missing = 0
        self.body = b""
        self._header = b""
        self._pieces: list[bytes] = []

    def take_header(self, payload: bytes) -> None:
        """Take the second frame."""
        self._header = payload
        self.missing, _ = _SIZE_AND_FLAGS.unpack_from(payload)

    def take_body(self, payload: bytes) -> None:
        """Take one of those that follow."""
        self._pieces.append(payload)
        self.missing -= len(payload)
        if self.missing <= 0:
            self.body = b"".join(self._pieces)

    def message(self, exchange: str, routing_key: str) -> Message:
        """Give all of it.  What is no text is left out, so that no message can end the connection."""
        found = _read_properties(self._header)
        headers, expiration = found.get(_HEADERS) or {}, found.get(_EXPIRATION) or ""
        return Message(
            body=self.body,
            exchange=exchange,
            routing_key=routing_key,
            message_id=found.get(_MESSAGE_ID) or "",
            reply_to=found.get(_REPLY_TO),
            app_id=found.get(_APP_ID) or "",
            user_id=found.get(_USER_ID) or None,  # Qpid takes an empty one from anyone
            expiration=int(expiration) / 1000 if expiration.isdecimal() else None,
            persistent=found.get(_DELIVERY_MODE) == 2,
            deliveries=deliveries_in(headers),
            headers={name: value for name, value in headers.items() if name != DELIVERIES and _is_text(name, value)},
        )


def deliveries_in(headers: Mapping[Any, Any]) -> int:
    """Read how often a message was tried before; a number that none of our receivers writes is none."""
    tried = headers.get(DELIVERIES)
    return tried if type(tried) is int and 0 < tried <= MOST_DELIVERIES else 0


def _is_text(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _read_properties(header: bytes) -> dict[int, Any]:
    """Read what a header says, as far as it can be read; the broker sees to it that the strings are whole."""
    _, flags = _SIZE_AND_FLAGS.unpack_from(header)
    at, found = _SIZE_AND_FLAGS.size, dict[int, Any]()
    for flag in _IN_ORDER:
        if flags & flag:
            found[flag], at = _READERS.get(flag, _read_short)(header, at)
    return found


def _read_short(payload: bytes, at: int) -> tuple[str | None, int]:
    begin = at + 1
    end = begin + payload[at]
    try:
        return payload[begin:end].decode(), end
    except UnicodeDecodeError:
        return None, end


def _read_octet(payload: bytes, at: int) -> tuple[int, int]:
    return payload[at], at + 1


def _read_table(payload: bytes, at: int) -> tuple[Mapping[Any, Any], int]:
    size = int.from_bytes(payload[at : at + 4], "big")
    end = at + 4 + size
    if size > MAX_HEADERS_BYTES:
        return {}, end
    try:
        table: dict[Any, Any] = loads("F", payload, at)[0][0]
        return table, end
    except Exception:  # of a type that py-amqp does not know, a time far away, tables in tables a thousand deep
        return {}, end


def _read_timestamp(payload: bytes, at: int) -> tuple[None, int]:
    return None, at + 8


_IN_ORDER = (
    _CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS, _DELIVERY_MODE, _PRIORITY, _CORRELATION_ID, _REPLY_TO, _EXPIRATION,
    _MESSAGE_ID, _TIMESTAMP, _TYPE, _USER_ID, _APP_ID,
)  # fmt: skip
_READERS: Mapping[int, Any] = {
    _HEADERS: _read_table,
    _DELIVERY_MODE: _read_octet,
    _PRIORITY: _read_octet,
    _TIMESTAMP: _read_timestamp,
}


def delivered(payload: bytes) -> tuple[str, int, bool, str, str]:
    """Read a Basic.Deliver: the consumer's tag, the delivery's, whether it came before, the exchange and the key."""
    consumer, at = _name(payload, 4)
    tag, redelivered = _TAG.unpack_from(payload, at)
    exchange, at = _name(payload, at + _TAG.size)
    return consumer, tag, redelivered, exchange, _name(payload, at)[0]


def got(payload: bytes) -> tuple[int, bool, str, str]:
    """Read a Basic.GetOk: the delivery's tag, whether it came before, the exchange and the key."""
    tag, redelivered = _TAG.unpack_from(payload, 4)
    exchange, at = _name(payload, 4 + _TAG.size)
    return tag, redelivered, exchange, _name(payload, at)[0]


def _name(payload: bytes, at: int) -> tuple[str, int]:
    """Read a short string that must be there: what is no text in it is marked as such."""
    begin = at + 1
    end = begin + payload[at]
    return payload[begin:end].decode(errors="replace"), end
