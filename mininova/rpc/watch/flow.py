"""The flow: an event for each thing that happens to a message, for people who want to see the messages of a request.

A Flow is the Watch that makes the events, plain records.  A Reporter gathers events and publishes them, many in one
AMQP message, to an exchange of their own.  Nothing waits for it; while the broker is away, events are dropped.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from mininova.rpc import plain
from mininova.rpc.envelope import Request
from mininova.rpc.transports.base import Message
from mininova.rpc.watch import tracing
from mininova.rpc.watch.base import Watch

LOG = logging.getLogger(__name__)

EXCHANGE, KEY = "mininova.flow", "events"
_MOST_WAITING, _MOST_AT_ONCE = 10_000, 500
_DEEPEST = 20
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
            receiver=receiver,
            exchange=message.exchange,
            routing_key=message.routing_key,
            size=len(message.body),
            duration=duration,
            error=None if error is None else f"{type(error).__name__}: {plain.text(error)}",
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
        "payload": without_secrets(request.args if result is UNSET else {"result": result}),
    }


def without_secrets(value: Any, depth: int = _DEEPEST) -> Any:
    """Make plain data of a value, with everything under a secret's name replaced by ``***``.

    :param depth: how many levels are copied; a hostile sender may nest a message without end
    """
    if isinstance(value, (dict, list, tuple)) and depth == 0:
        return "…"
    if isinstance(value, dict):
        return {
            k: "***" if _is_secret(k) and v is not None else without_secrets(v, depth - 1) for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_secrets(item, depth - 1) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return without_secrets(msgspec.to_builtins(value, enc_hook=str), depth - 1)


@lru_cache(maxsize=4096)
def _is_secret(key: Any) -> bool:
    return _SECRET.search(str(key)) is not None


class Reporter:
    """Publish events in the background.

    :param publish: sends bytes to the flow exchange, best effort
    """

    def __init__(self, publish: Callable[[bytes], None]) -> None:
        self._publish = publish
        self._events: list[MessageEvent] = []
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
        with self._wake:
            if len(self._events) < _MOST_WAITING:
                self._events.append(event)
                self._wake.notify()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._events or self._stopping)
                events, self._events = self._events[:_MOST_AT_ONCE], self._events[_MOST_AT_ONCE:]
            if not events:
                return
            try:
                self._publish(_encode(events))
            except Exception:  # the next events are still published
                LOG.exception("%d events of the flow could not be published", len(events))
