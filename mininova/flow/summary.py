"""Sums up one request: the line that ``list`` shows, and the names by which ``show`` finds it."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from mininova.flow.payload import servers
from mininova.rpc.watch.flow import MessageEvent

MAX_SERVERS = 1_000  # that are known of one request
MAX_NAME_CHARACTERS = 255  # as many as a name has in the REST API


class Summary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a request, or of some of its events, without reading its messages.

    :param began: seconds since the epoch
    :param last: when the last thing happened, likewise
    :param what: the HTTP request that began it, or the first message of one that began inside
    :param status: what the HTTP request was answered with; None for a request that began inside
    :param announced: an api reported the HTTP request that began it
    :param by: who is behind its events; only a Reader knows
    :param servers: uuid → name of each instance it touched
    :param size: bytes of its file, so that a summary that is behind its file is noticed
    :param gone: it made room for a newer one
    """

    request_id: str
    began: float
    last: float
    what: str = ""
    status: int | None = None
    announced: bool = False
    by: str = ""
    servers: dict[str, str] = {}
    messages: int = 0
    errors: int = 0
    size: int = 0
    gone: bool = False

    def touched(self, server: str) -> bool:
        """Tell whether the request had to do with an instance, given by uuid or by name."""
        return server in self.servers or server in self.servers.values()


def of(request_id: str, events: Sequence[MessageEvent]) -> Summary:
    """Sum up some events of a request."""
    http = next((event for event in events if event.kind == "http"), None)
    first = min(events, key=lambda event: event.at)
    status = http.payload.get("status") if http else None
    return Summary(
        request_id=request_id,
        began=first.at,
        last=max(_end(event) for event in events),
        what=(http or first).method,
        status=status if isinstance(status, int) else None,
        announced=http is not None,
        servers=_named({}, (servers(event) for event in events)),
        messages=sum(map(_is_message, events)),
        errors=sum(1 for event in events if event.error),
    )


def joined(known: Summary | None, more: Summary) -> Summary:
    """Go on summing up a request of which more has become known."""
    if known is None or known.gone or more.gone:
        return more
    names_it = more if (more.status is not None, -more.began) > (known.status is not None, -known.began) else known
    return replace(
        with_others(known, more),
        began=min(known.began, more.began),
        what=names_it.what,
        status=known.status if more.status is None else more.status,
        announced=known.announced or more.announced,
        size=known.size + more.size,
    )


def with_others(known: Summary, others: Summary) -> Summary:
    """Add what others reported of a request: what it is, and when it began, is not for them to say."""
    return replace(
        known,
        last=max(known.last, others.last),
        servers=_named(known.servers, [others.servers]),
        messages=known.messages + others.messages,
        errors=known.errors + others.errors,
    )


def _end(event: MessageEvent) -> float:
    return event.at + (event.duration or 0.0) if event.kind == "http" else event.at


def _is_message(event: MessageEvent) -> bool:
    """Count what travelled: a request, and the reply to a call."""
    return event.kind in ("sent", "http") or (event.kind == "replied" and event.pattern == "call")


def _named(known: dict[str, str], more: Iterable[dict[str, str]]) -> dict[str, str]:
    named = dict(known)
    for each in more:
        for uuid, name in each.items():
            if uuid in named or len(named) < MAX_SERVERS:
                named[uuid] = name[:MAX_NAME_CHARACTERS] or named.get(uuid, "")
    return named
