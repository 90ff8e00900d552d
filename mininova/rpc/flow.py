"""What the RPC layer says about each message, for whoever wants to see the flow.

An event is a plain record of one thing that happened to one message.  A Reporter gathers events and publishes
them, many in one AMQP message, to a fanout exchange; nothing waits for it, and when the broker is away the
events are dropped rather than kept.
"""

import threading
from collections.abc import Callable
from typing import Any

import msgspec

EXCHANGE = "mininova.flow"
_MOST_WAITING = 10_000
_SECRET = ("password", "passwd", "admin_pass", "adminpass", "token", "secret", "user_data", "private_key")


class MessageEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to one message.

    :param kind: ``sent``, ``received``, ``replied`` (handled, for a cast), ``rejected``, ``redelivered``, ``http``
    :param at: when, in seconds since the epoch
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


def without_secrets(value: Any) -> Any:
    """Copy plain data with every value under a secret's name replaced by ``***``."""
    if isinstance(value, dict):
        return {k: "***" if _is_secret(k) and v is not None else without_secrets(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_secrets(item) for item in value]
    return value


def _is_secret(key: Any) -> bool:
    lowered = str(key).lower()
    return any(word in lowered for word in _SECRET)


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
                events, self._events = self._events, []
            if not events:
                return
            self._publish(msgspec.json.encode([_clean(event) for event in events]))


def _clean(event: MessageEvent) -> MessageEvent:
    return msgspec.structs.replace(event, payload=without_secrets(event.payload))
