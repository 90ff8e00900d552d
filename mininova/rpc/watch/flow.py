"""What the RPC layer says about each message, for whoever wants to see the flow.

An event is a plain record of one thing that happened to one message.  A Reporter gathers events and publishes
them, many in one AMQP message, to an exchange of their own; nothing waits for it, and when the broker is away the
events are dropped rather than kept.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from mininova.rpc.envelope import Request
from mininova.rpc.transports.base import Message
from mininova.rpc.watch import tracing

LOG = logging.getLogger(__name__)

EXCHANGE, KEY = "mininova.flow", "events"
_MOST_WAITING, _MOST_AT_ONCE = 10_000, 500
_DEEPEST = 20
_SECRET = re.compile("password|passwd|admin_?pass|token|secret|user_data|private_key|credential", re.IGNORECASE)

_encode = msgspec.json.Encoder(enc_hook=str).encode


class MessageEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to one message.

    :param kind: ``sent``, ``received``, ``replied`` (handled, for a cast), ``rejected``, ``denied``, ``redelivered``,
        ``parked``, ``http``
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


def event_of(kind: str, message: Message, request: Request | None, **more: Any) -> MessageEvent:
    """Say what happened to a message just now.

    :param more: what is known beyond the message, by the names of the event's fields
    """
    if request is not None:
        asked = request.context.get("request_id")
        more = {
            "request_id": asked if isinstance(asked, str) else None,
            "interface": request.namespace or message.routing_key.partition(".")[0] or message.exchange,
            "method": request.method,
            "version": request.version,
            "payload": request.args,
            **more,
        }
    return MessageEvent(
        kind=kind,
        at=time.time(),
        trace_id=tracing.trace_id(message.headers),
        message_id=message.message_id,
        exchange=message.exchange,
        routing_key=message.routing_key,
        size=len(message.body),
        sender=message.app_id,
        **{**more, "payload": without_secrets(more.get("payload", {}))},
    )


def without_secrets(value: Any, depth: int = _DEEPEST) -> Any:
    """Make plain data of a value, with everything under a secret's name replaced by ``***``.

    :param depth: how many levels are copied; nobody reads deeper, and a hostile sender may have gone much deeper
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
            except Exception:  # whatever is wrong with these, the next are told
                LOG.exception("%d events of the flow could not be told", len(events))
