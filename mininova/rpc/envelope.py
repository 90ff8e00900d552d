"""A message on the wire: oslo.messaging's own format, version 2.0.

A message is a JSON object with the envelope's version and the payload as a JSON *string*.  In the payload are
``method``, ``args``, ``version``, ``namespace``, one ``_context_…`` key for each field of the context, a
``_unique_id``, and for a call the ``_msg_id`` to answer to and the ``_reply_q`` to answer on; a foreign call may
have a ``_timeout``, too (``sign_within``).  A reply has ``result``, ``failure`` and ``ending``.

Source: oslo.messaging, ``_drivers/common.py`` and ``_drivers/amqpdriver.py``.  What mininova adds to it
travels in AMQP properties and headers, which other implementations ignore (transports.base.Message).
"""

from typing import Any
from uuid import uuid4

import msgspec

from mininova.rpc import plain
from mininova.rpc.errors import InvalidArguments, MalformedMessage, MessageTooLong, UnsupportedVersion
from mininova.rpc.versions import Version

ENVELOPE = Version(2, 0)
_CONTEXT = "_context_"

MAX_BODY_BYTES = 1024 * 1024  # of a message; brokers are told to take no longer ones, which would cost the connection
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError)

_encode = msgspec.json.Encoder().encode


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A method to run: a call if it has a ``msg_id``, else a cast.

    :param sign_within: seconds in which a foreign caller wants a sign of life while its call is worked on
    """

    method: str
    args: dict[str, Any]
    version: str = "1.0"
    namespace: str | None = None
    context: dict[str, Any] = {}
    unique_id: str = msgspec.field(default_factory=lambda: uuid4().hex)
    msg_id: str | None = None
    reply_q: str | None = None
    sign_within: float | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a call; or, with ``rejected``, word that a cast was refused.

    :param failure: the error as ``{"class", "module", "message", "kwargs"}``, or None
    :param ending: False for a sign of life, after which the answer is still to come
    :param rejected: the refused cast itself, byte for byte, so that its sender need not remember it
    """

    msg_id: str
    result: Any = None
    failure: dict[str, Any] | None = None
    ending: bool = True
    rejected: bytes | None = None


def pack(payload: dict[str, Any]) -> bytes:
    """Put a payload into an envelope.

    :raises MessageTooLong: when it is longer than MAX_BODY_BYTES
    :raises Unsendable: naming what in it cannot be written
    """
    body = _encode({"oslo.version": str(ENVELOPE), "oslo.message": plain.encoded(payload).decode()})
    _check_length(body)
    return body


def unpack(body: bytes | str) -> dict[str, Any]:
    """Take the payload out of its envelope; a message without one is its own payload, as oslo.messaging has it.

    :raises MessageTooLong: when it is longer than MAX_BODY_BYTES; it is not read
    :raises MalformedMessage: when it is not JSON, or not an object
    :raises UnsupportedVersion: when the envelope is of a version we do not read
    """
    _check_length(body)
    try:
        outer = msgspec.json.decode(body)
        if isinstance(outer, dict) and "oslo.message" in outer:
            _check(outer.get("oslo.version", "1.0"))
            outer = msgspec.json.decode(outer["oslo.message"])
    except _UNREADABLE as error:
        raise MalformedMessage(f"this is not a message: {error}") from None
    if not isinstance(outer, dict):
        raise MalformedMessage(f"a message is a JSON object, not {type(outer).__name__}")
    return outer


def _check_length(body: bytes | str) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise MessageTooLong(f"a message of {len(body)} bytes is too long: {MAX_BODY_BYTES} are the most")


def _check(version: Any) -> None:
    try:
        known = ENVELOPE.accepts(Version.parse(version))
    except (ValueError, AttributeError, TypeError):
        known = False
    if not known:
        raise UnsupportedVersion(
            f"envelope version {version} is not understood here: {ENVELOPE} is",
            asked=str(version),
            offered=str(ENVELOPE),
        )


def pack_request(request: Request) -> bytes:
    """Write a request.

    :raises InvalidArguments: naming what in the arguments cannot be written
    """
    payload: dict[str, Any] = {
        "method": request.method,
        "args": request.args,
        "version": request.version,
        "_unique_id": request.unique_id,
    }
    if request.namespace is not None:
        payload["namespace"] = request.namespace
    if request.msg_id is not None:
        payload["_msg_id"], payload["_reply_q"] = request.msg_id, request.reply_q
    for name, value in request.context.items():
        payload[_CONTEXT + name] = value
    try:
        return pack(payload)
    except plain.Unsendable as error:
        raise InvalidArguments(f"{request.method}: {error.place.removeprefix('args.')} {error.why}") from None


def read_request(payload: dict[str, Any]) -> Request:
    """Read a request; a missing version means 1.0.

    :raises MalformedMessage: naming the field that is missing or wrong
    """
    fields = {
        "method": payload.get("method"),
        "args": payload.get("args", {}),
        "version": payload.get("version") or "1.0",
        "namespace": payload.get("namespace"),
        "context": {key[len(_CONTEXT) :]: value for key, value in payload.items() if key.startswith(_CONTEXT)},
        "unique_id": payload.get("_unique_id") or uuid4().hex,
        "msg_id": payload.get("_msg_id"),
        "reply_q": payload.get("_reply_q"),
        "sign_within": payload.get("_timeout"),
    }
    try:
        Version.parse(fields["version"])
        return msgspec.convert(fields, Request)
    except (msgspec.ValidationError, ValueError, AttributeError, TypeError) as error:
        raise MalformedMessage(f"this is not a request: {error}") from None


def pack_reply(reply: Reply) -> bytes:
    """Write a reply; as in oslo.messaging its failure is a JSON string of its own."""
    failure = None if reply.failure is None else _encode(reply.failure).decode()
    payload = {
        "result": reply.result,
        "failure": failure,
        "ending": reply.ending,
        "_msg_id": reply.msg_id,
        "_unique_id": uuid4().hex,
    }
    if reply.rejected is not None:
        payload["rejected"] = reply.rejected
    return pack(payload)


def read_reply(payload: dict[str, Any]) -> Reply | None:
    """Read a reply; None for a heartbeat of one that is still to come (oslo.messaging's call monitor).

    :raises MalformedMessage: when it answers nothing
    """
    if payload.get("ending") is False:
        return None
    try:
        failure = payload.get("failure")
        return msgspec.convert(
            {
                "msg_id": payload.get("_msg_id"),
                "result": payload.get("result"),
                "failure": msgspec.json.decode(failure) if isinstance(failure, str) else failure,
                "rejected": payload.get("rejected"),
            },
            Reply,
        )
    except _UNREADABLE as error:
        raise MalformedMessage(f"this is not a reply: {error}") from None
