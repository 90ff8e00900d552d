"""The flow: an event for each thing that happens to a message, for people who want to see the messages of a request.

A Flow is the Watch that makes the events, plain records.  A Reporter gathers the events of GATHER_S and publishes them
in one AMQP message, to an exchange of their own: a report costs this process, the broker and all readers more than
another event in it.  Nothing waits for it; while the broker is away, events are dropped.  What is in a message was
chosen by its sender, so an event has a bound, and an event that cannot be written is dropped alone.
"""

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from mininova.rpc import plain
from mininova.rpc.envelope import Request
from mininova.rpc.transports.base import Message
from mininova.rpc.trust.callers import caller
from mininova.rpc.watch import tracing
from mininova.rpc.watch.base import Watch

LOG = logging.getLogger(__name__)

EXCHANGE, KEY = "mininova.flow", "events"
MAX_EVENT_BYTES = 256 * 1024  # of one event; arguments or a result that are longer are left out of it
MAX_REPORT_BYTES = 1024 * 1024  # of one AMQP message with many events
GATHER_S = 0.2  # from the first event of a report until it is published; or until there is enough for one
GATHER_BYTES = 384 * 1024  # of one: the queue in which those of a compute wait takes 512 KiB (trust/broker)
MAX_WAITING_BYTES = 32 * 1024 * 1024  # of the events that wait to be published; what is more is dropped
_DEEPEST, _MAX_LOOKED_AT = 20, 100  # levels of lists and mappings in an event; lists and mappings in one
_LEAVES = frozenset({str, int, float, bool, type(None)})  # most of what is sent: a call for each would cost most
_WRITABLE = _LEAVES | {datetime}
_SECRET = re.compile("password|passwd|admin_?pass|token|secret|user_data|private_key|credential", re.IGNORECASE)

_encode = msgspec.json.Encoder(enc_hook=str).encode


class MessageEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to one message.

    :param kind: ``sent``, ``http``, or one of those that ``Watch.happened`` lists
    :param at: when, in seconds since the epoch
    :param trace_id: the W3C trace that the message belongs to, if to any
    :param message_id: the same for all events of one message; a reply has its call's
    :param pattern: ``call``, ``cast``, ``fanout``, ``notification`` or ``http``
    :param sender: a service and its host, ``conductor.ctl-1``
    :param user: the broker user behind it, as the broker vouches for it: the one in whose message's handler the message
        was sent, or else the sender
    :param size: bytes of the body
    :param duration: seconds in the handler (``replied``), or for the whole request (``http``)
    :param error: class and message of what went wrong
    :param payload: the arguments, or ``{"result": …}``, with secrets removed
    """

    kind: str
    at: float
    request_id: str | None = None
    trace_id: str | None = None
    message_id: str = ""
    pattern: str = ""
    sender: str = ""
    user: str = ""
    receiver: str = ""
    exchange: str = ""
    routing_key: str = ""
    interface: str = ""
    method: str = ""
    version: str = ""
    size: int = 0
    duration: float | None = None
    error: str | None = None
    payload: dict[str, Any] = {}


Report = Callable[[MessageEvent], None]


def heartbeat(sender: str, user: str, **said: Any) -> MessageEvent:
    """Make the event of a process that says of itself that it is there, or is about to stop, without a message.

    :param sender: the service and its host, ``api.ctl-1``
    :param user: its broker user
    """
    return MessageEvent(
        kind="sent", at=time.time(), message_id=uuid4().hex, pattern="heartbeat", sender=sender, user=user,
        receiver="database", method="report_state", payload=without_secrets(said),
    )  # fmt: skip


class Flow(Watch):
    """Report an event for each message that is sent, and for each thing that happens to one.

    :param report: takes the events, such as a Reporter; it must not wait
    """

    def __init__(self, report: Report) -> None:
        self._report = report

    def sending(self, pattern: str, topic: str, message: Message, request: Request) -> AbstractContextManager[Message]:
        """Report a message as ``sent``."""
        self.happened("sent", message, request, pattern=pattern, receiver=message.routing_key or topic)
        return nullcontext(message)

    def happened(
        self,
        kind: str,
        message: Message,
        request: Request | None,
        *,
        pattern: str = "",
        receiver: str = "",
        duration: float | None = None,
        error: Exception | None = None,
        result: Any = UNSET,
    ) -> None:
        """Report it."""
        event = MessageEvent(
            kind=kind,
            at=time.time(),
            trace_id=tracing.trace_id(message.headers),
            message_id=message.message_id,
            pattern=pattern,
            sender=message.app_id,
            user=caller() or message.user_id or "",
            receiver=receiver,
            exchange=message.exchange,
            routing_key=message.routing_key,
            size=len(message.body),
            duration=duration,
            error=None if error is None else f"{type(error).__name__}: {plain.outside(error)}",
            **({} if request is None else _asked(message, request, result)),
        )
        self._report(event)


def _asked(message: Message, request: Request, result: Any) -> dict[str, Any]:
    """Give the fields of an event that tell what a message asks for, or what its handler returned."""
    request_id = request.context.get("request_id")
    return {
        "request_id": request_id if isinstance(request_id, str) else None,
        "interface": request.namespace or message.routing_key.partition(".")[0] or message.exchange,
        "method": request.method,
        "version": request.version,
        "payload": _payload(message, request) if result is UNSET else _harmless({"result": result}),
    }


def _payload(message: Message, request: Request) -> dict[str, Any]:
    """Give the arguments of a message; a sender of long ones must not make us copy them."""
    return left_out(len(message.body)) if len(message.body) > MAX_EVENT_BYTES else _harmless(request.args)


def _harmless(payload: dict[str, Any]) -> dict[str, Any]:
    """Give a payload without secrets: itself if it has none, for to copy it takes twice as long as to see that."""
    left: list[Any] = [payload]
    for _ in range(_MAX_LOOKED_AT):
        value = left.pop()
        if type(value) is dict and not any(map(_is_secret, value)):
            value = value.values()
        elif type(value) is not list:
            break
        left += [item for item in value if type(item) not in _WRITABLE]
        if not left:
            return payload
    made: dict[str, Any] = without_secrets(payload)
    return made


def left_out(size: int) -> dict[str, Any]:
    """Say in the place of a payload how long it was, in bytes."""
    return {"left_out": f"{size} bytes"}


def without_secrets(value: Any, depth: int = _DEEPEST) -> Any:
    """Make plain data of a value, with everything under a secret's name replaced by ``***``.

    :param depth: how many levels are copied; a hostile sender may nest a message without end
    """
    if isinstance(value, (dict, list, tuple)) and depth == 0:
        return "…"
    if isinstance(value, dict):
        return {
            k: "***" if _is_secret(k) and v is not None else v if type(v) in _LEAVES else without_secrets(v, depth - 1)
            for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [v if type(v) in _LEAVES else without_secrets(v, depth - 1) for v in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return without_secrets(msgspec.to_builtins(value, enc_hook=str), depth - 1)


class _Secrets(dict[Any, bool]):
    """Which names are those of secrets.  A sender chooses names, so it remembers so many, and no long ones."""

    def __missing__(self, name: Any) -> bool:
        text = str(name)
        found = _SECRET.search(text) is not None
        if len(self) < 4096 and len(text) <= 64:
            self[name] = found
        return found


_is_secret = _Secrets().__getitem__


class Reporter:
    """Publish events in the background.

    :param publish: sends bytes to the flow exchange, best effort
    """

    def __init__(self, publish: Callable[[bytes], None]) -> None:
        self._publish = publish
        self._events, self._waiting_bytes = deque[bytes](), 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="flow-reporter", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Publish what is left and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout=5)

    def __call__(self, event: MessageEvent) -> None:
        """Take one event; never waits."""
        if (written := _written(event)) is None:
            return
        with self._wake:
            if self._waiting_bytes + len(written) <= MAX_WAITING_BYTES:
                self._events.append(written)
                self._waiting_bytes += len(written)
                if len(self._events) == 1 or self._waiting_bytes >= GATHER_BYTES:
                    self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._events or self._stopping)
                self._wake.wait_for(lambda: self._waiting_bytes >= GATHER_BYTES or self._stopping, GATHER_S)
                events = self._next()
            if not events:
                return
            try:
                self._publish(b"[" + b",".join(events) + b"]")
            except Exception:  # the next events are still published
                LOG.exception("%d events of the flow could not be published", len(events))

    def _next(self) -> list[bytes]:
        """Take the events of the next report."""
        events, left = list[bytes](), GATHER_BYTES - 2
        while self._events and len(self._events[0]) < left:
            events.append(self._events.popleft())
            left -= len(events[-1]) + 1
        self._waiting_bytes -= sum(map(len, events))
        return events


def _written(event: MessageEvent) -> bytes | None:
    """Write an event, without its payload if it is too long; None for one that cannot be written."""
    try:
        written = _encode(event)
        if len(written) > MAX_EVENT_BYTES:
            written = _encode(replace(event, payload=left_out(len(written))))
    except Exception as error:  # half a character in a name that a sender chose, a list in itself
        LOG.debug("an event of the flow cannot be written: %s", error)
        return None
    return written if len(written) <= MAX_EVENT_BYTES else None
