"""Reads a report: who is behind each event in it, and what of it can be kept and shown.

Any compute may write into the flow, and a compute may be taken over.  The broker vouches for one thing, the user that
sent a report.  A service of the controller is believed, and says of each event which user is behind it; a compute is
not, so all that it reports is about itself, and it cannot announce a request.  Each user has a share of the store
(share.py), so that one fills no other's.  A sender that reports faster than a compute works is not read for a while.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from mininova.rpc.transports.base import Message
from mininova.rpc.watch.flow import MAX_EVENT_BYTES, MAX_REPORT_BYTES, MessageEvent, without_secrets
from mininova.rpc.watch.sparing import about
from mininova.trust import identities

LOG = logging.getLogger(__name__)

MAX_SENDER_BYTES_PER_S = 2 * 1024 * 1024  # that are read of a sender which is not believed: some 20 boots
MAX_BURST_BYTES = 4 * MAX_SENDER_BYTES_PER_S
WORK_BYTES = 2 * 1024  # that each event counts for beside its own: many small ones take the most time
MAX_TEXT_CHARACTERS = 255  # of a name in an event; what is longer is cut
MAX_ERROR_CHARACTERS = 8_192
MAX_LEVELS = 100  # of lists and mappings in an event; a payload that may have more is cut
MAX_CLOCK_ERROR_S = 3_600.0  # that the clock of a compute may be ahead or behind of ours
MAX_TIME = 32_503_680_000.0  # the year 3000, in seconds since the epoch: every clock can show it

#: Who is behind events: these two, or a compute by its name.
SERVICES, OTHERS = "services", "others"

# A request id becomes the name of a file, and comes from a message: it may have nothing that leads elsewhere.
_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

#: Who is behind events → the events.
Told = Mapping[str, list[MessageEvent]]

BY_THE_SENDER = frozenset({"sent", "resent", "lost"})  # kinds of events; the receiver of a message reports all others
_UNREADABLE = (ValueError, RecursionError)
_events = msgspec.json.Decoder(list[msgspec.Raw])
_event = msgspec.json.Decoder(MessageEvent)
_TEXTS = [
    (field.name, MAX_ERROR_CHARACTERS if field.name == "error" else MAX_TEXT_CHARACTERS)
    for field in msgspec.structs.fields(MessageEvent)
    if field.type in (str, str | None)
]


class Reports:
    """Read the reports of all senders.

    :param enforce: whether each service is a broker user of its own (``[identities] enforce``); else all are believed
    """

    def __init__(
        self,
        *,
        enforce: bool,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._enforce, self._clock, self._now = enforce, clock, now
        self._budgets: dict[str, tuple[float, float]] = {}  # of a sender: the bytes that it had left, and when

    def read(self, report: Message) -> Told:
        """Give the events of a report by who is behind them; nothing after the first that cannot be read."""
        told: dict[str, list[MessageEvent]] = {}
        try:
            self._spend(report.user_id, len(report.body))
            for raw in _raw(report.body):
                self._spend(report.user_id, WORK_BYTES)
                sender, event = self._behind(report.user_id, bounded(_event.decode(raw), raw))
                told.setdefault(sender, []).append(event)
        except _UNREADABLE as error:
            sparing = about(report.user_id, "flow")
            LOG.warning("a report of %s is dropped: %.200s", report.user_id, error, extra=sparing)
        return told

    def _believes(self, user: str | None) -> bool:
        return not self._enforce or user in identities.TRUSTED

    def _behind(self, reporter: str | None, event: MessageEvent) -> tuple[str, MessageEvent]:
        """Name who is behind an event; a compute is shown by the broker's name for it, not by its own."""
        if self._believes(reporter):
            share = self._share_of(reporter if event.kind == "http" else event.user)
            is_its_own = share == SERVICES or event.kind in BY_THE_SENDER
            return share, event if is_its_own else replace(event, sender=share)
        if event.kind == "http":
            raise ValueError("no request came to it by HTTP")
        share, now = self._share_of(reporter), self._now()
        at = min(max(event.at, now - MAX_CLOCK_ERROR_S), now + MAX_CLOCK_ERROR_S)
        return share, replace(event, at=at, **{"sender" if event.kind in BY_THE_SENDER else "receiver": share})

    def _share_of(self, user: str | None) -> str:
        return SERVICES if self._believes(user) else user if user and identities.is_compute(user) else OTHERS

    def _spend(self, reporter: str | None, size: int) -> None:
        """Take bytes out of what a sender may report now.

        :raises ValueError: it reports too much in a short time
        """
        sender = self._share_of(reporter)
        if sender != SERVICES:
            now = self._clock()
            left, then = self._budgets.get(sender, (MAX_BURST_BYTES, now))
            left = min(MAX_BURST_BYTES, left + (now - then) * MAX_SENDER_BYTES_PER_S)
            if left < size:
                raise ValueError(f"its sender reports more than {MAX_SENDER_BYTES_PER_S} bytes a second")
            self._budgets[sender] = left - size, now


def _raw(body: bytes) -> Iterator[bytes]:
    if len(body) > MAX_REPORT_BYTES:
        raise ValueError(f"it has {len(body)} bytes")
    for raw in map(bytes, _events.decode(body)):
        if len(raw) > MAX_EVENT_BYTES:
            raise ValueError(f"an event has {len(raw)} bytes")
        yield raw


def bounded(event: MessageEvent, raw: bytes) -> MessageEvent:
    """Give an event that can be kept and shown, with any text or number from its sender.

    :param raw: the event as it came
    :raises ValueError: it happened at no time
    """
    if not 0 <= event.at <= MAX_TIME:
        raise ValueError("an event happened at no time that a clock shows")
    changes = {name: _cut(text, most) for name, most in _TEXTS if (text := getattr(event, name)) and len(text) > most}
    more: dict[str, Any] = {}
    if event.request_id is not None and not _GOOD_ID.fullmatch(event.request_id):
        more["request_id"] = None
    if event.duration is not None and not 0 <= event.duration <= MAX_TIME:
        more["duration"] = None
    if raw.count(b"[") + raw.count(b"{") > MAX_LEVELS:
        more["payload"] = without_secrets(event.payload)  # which cuts it
    return replace(event, **{**changes, **more}) if changes or more else event


def _cut(text: str, most: int) -> str:
    return f"{text[: most - 1]}…"
