"""Sums up one request: the line that ``list`` shows, and the names by which ``show`` finds it."""

from collections.abc import Sequence

import msgspec

from mininova.flow.payload import servers
from mininova.rpc.watch.flow import MessageEvent


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a request without reading its messages.

    :param began: seconds since the epoch
    :param last: when the last thing happened, likewise
    :param what: the HTTP request that began it, or the first message of one that began inside
    :param status: what the HTTP request was answered with; None for a request that began inside
    :param servers: uuid → name of each instance it touched
    :param size: bytes of its file, so that a summary that is behind its file is noticed
    """

    request_id: str
    began: float
    last: float
    what: str = ""
    status: int | None = None
    http: bool = False
    servers: dict[str, str] = {}
    messages: int = 0
    events: int = 0
    errors: int = 0
    size: int = 0

    def touched(self, server: str) -> bool:
        """Tell whether the request had to do with an instance, given by uuid or by name."""
        return server in self.servers or server in self.servers.values()


def of(request_id: str, events: Sequence[MessageEvent], before: Summary | None = None) -> Summary:
    """Sum up a request, or go on summing up one of which more has become known."""
    http = next((event for event in events if event.kind == "http"), None)
    first = min(events, key=lambda event: event.at)
    known = before or Summary(request_id=request_id, began=first.at, last=first.at, what=first.method)
    status = http.payload.get("status") if http else known.status
    return msgspec.structs.replace(
        known,
        began=min(known.began, first.at),
        last=max(known.last, *(_end(event) for event in events)),
        what=http.method if http else known.what,
        status=status if isinstance(status, int) else None,
        http=known.http or http is not None,
        servers=_joined(known.servers, events),
        messages=known.messages + sum(map(_is_message, events)),
        events=known.events + len(events),
        errors=known.errors + sum(1 for event in events if event.error),
    )


def _end(event: MessageEvent) -> float:
    return event.at + (event.duration or 0.0) if event.kind == "http" else event.at


def _is_message(event: MessageEvent) -> bool:
    """Count what travelled: a request, and the reply to a call."""
    return event.kind in ("sent", "http") or (event.kind == "replied" and event.pattern == "call")


def _joined(known: dict[str, str], events: Sequence[MessageEvent]) -> dict[str, str]:
    joined = dict(known)
    for event in events:
        for uuid, name in servers(event).items():
            if name or uuid not in joined:
                joined[uuid] = name
    return joined
