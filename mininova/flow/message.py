"""Joins the events that several processes reported about one message, and gives the messages in the order of sending.

Pure functions.  A call makes two lines, since its reply is a message of its own; a cast makes one.  What went
wrong (a refusal, a failure, another delivery) makes a line of its own at the time it happened.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mininova.flow import changes
from mininova.flow.payload import at, plain, servers
from mininova.flow.reports import OTHERS
from mininova.rpc.watch.flow import MessageEvent
from mininova.trust.identities import COMPUTE

MAX_CHANGE_CHARACTERS = 8_192  # of what a line says of a state or an answer


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message, as a reader sees it.

    :param at: when, in seconds since the epoch
    :param kind: http, call, cast, fanout, reply or notification; failed, rejected, denied, lost,
        resent, redelivered, retried, parked
    :param change: what it did to a state, or the answer it brings
    :param took: seconds in the handler; for http, of the whole request
    :param wrong: it tells of something that went wrong
    :param server: the name of the one instance it is about, or ""
    :param payload: the arguments, or the result, as plain data
    :param interface: whose method it is
    :param message_id: the same for all lines of one message; a reply has its call's
    :param size: bytes of the message; of a reply none is known
    """

    at: float
    source: str
    target: str
    kind: str
    method: str
    version: str = ""
    change: str = ""
    took: float | None = None
    error: str = ""
    wrong: bool = False
    server: str = ""
    payload: Any = None
    interface: str = ""
    message_id: str = ""
    size: int | None = None


def messages(events: Iterable[MessageEvent], *, complete: bool = True) -> list[Line]:
    """Bring the events of each message together, and give the messages in the order of time.

    :param complete: no more events are to come, so that a message without a receiver is worth a word
    """
    grouped: dict[str, list[MessageEvent]] = {}
    names: dict[str, str] = {}
    for event in sorted(events, key=lambda event: event.at):
        grouped.setdefault(event.message_id, []).append(event)
        names |= {uuid: name for uuid, name in servers(event).items() if name}
    made = [line for group in grouped.values() for line in _Message(group, names, complete).lines()]
    return sorted(made, key=lambda line: line.at)


class _Message:
    """What became of one message.

    :param group: its events, in the order of time
    :param names: the uuid and the name of each instance known
    """

    def __init__(self, group: Sequence[MessageEvent], names: dict[str, str], complete: bool) -> None:
        begun = (event for event in group if event.kind in ("sent", "http"))
        self.first = min(begun, key=_is_told_by_a_compute, default=group[0])
        self.receipts = [event for event in group if event.kind in ("received", "redelivered")]
        self.refusals = [event for event in group if event.kind in ("rejected", "denied")]
        self.ends = [event for event in group if event.kind == "replied"]
        self.resendings = [event for event in group if event.kind in ("lost", "resent")]
        self.retries = [event for event in group if event.kind == "retried"]
        self.parkings = [event for event in group if event.kind == "parked"]
        self.args = plain(self.first.payload)
        self.result = plain(self.ends[0].payload.get("result")) if self.ends else None
        about = list(servers(self.first))
        self.server = names.get(about[0], about[0]) if len(about) == 1 else ""
        self.called = self.first.pattern == "call"
        expects = self.first.kind == "sent" and self.first.pattern in ("call", "cast")
        self.untaken = complete and expects and not self.receipts and not self.refusals

    def lines(self) -> list[Line]:
        """Tell the message itself, then what followed from it."""
        if self.first.kind == "http":
            return [self._request()]
        tried = (*self._resendings(), *self._deliveries(), *self._refusals())
        return [self._itself(), *tried, *self._outcomes(), *self._retries(), *self._parkings()]

    def _request(self) -> Line:
        """An HTTP request and its answer: one line, at the time it came in."""
        status = self.first.payload.get("status")
        failed = isinstance(status, int) and status >= 400
        return self._line(
            self.first,
            "client",
            self.first.receiver,
            "http",
            change=str(status or ""),
            took=self.first.duration,
            wrong=failed,
        )

    def _itself(self) -> Line:
        change = changes.asked(self.first.method, self.args, self.result)
        handled = next((end.duration for end in self.ends if not end.error), None)
        return self._line(
            self.first, self.first.sender, self._target(), self.first.pattern or "message",
            version=self.first.version,
            change=", ".join(filter(None, (change, "no receiver took it" if self.untaken else ""))),
            took=None if self.called else handled,
            wrong=self.untaken or at(self.args, "fault") is not None or self.first.method.endswith(".error"),
            payload=self.args, size=self.first.size,
        )  # fmt: skip

    def _target(self) -> str:
        """Name who got it: the very process, once it said so; until then the topic."""
        if self.first.pattern == "notification":
            return "notifications"
        if self.first.pattern == "fanout":
            return f"every {self.first.receiver}"
        receivers = (handled_as(event) for event in (*self.receipts, *self.ends, *self.refusals) if event.receiver)
        return next(receivers, self.first.receiver or self.first.routing_key)

    def _resendings(self) -> Iterator[Line]:
        """The broker did not confirm it, or no answer came, so its sender sent it once more; or lost it on purpose."""
        for event in self.resendings:
            yield self._line(event, event.sender, self._target(), event.kind, error=event.error or "", wrong=True)

    def _deliveries(self) -> Iterator[Line]:
        """Every delivery after the first; a fanout has as many first ones as there are listeners."""
        for number, event in enumerate(self.receipts):
            if event.kind == "redelivered" or (number and self.first.pattern != "fanout"):
                yield self._line(event, self.first.sender, handled_as(event), "redelivered")

    def _refusals(self) -> Iterator[Line]:
        for event in self.refusals:
            why = event.error or "refused"
            yield self._line(
                event, handled_as(event), self.first.sender, event.kind, version=self.first.version, error=why
            )

    def _outcomes(self) -> Iterator[Line]:
        """The reply to a call, or the failure of a cast; the line of a cast itself shows its success."""
        for event in self.ends:
            result = {"took": event.duration, "error": event.error or ""}
            if self.called:
                answer = plain(event.payload.get("result"))
                said = changes.answered(self.first.method, self.args, answer)
                yield self._line(
                    event, handled_as(event), self.first.sender, "reply", change=said, payload=answer, **result
                )
            elif event.error:
                yield self._line(event, handled_as(event), self.first.sender, "failed", **result)

    def _retries(self) -> Iterator[Line]:
        """A cast that failed, or whose receiver was lost, goes back to its queue for another try."""
        said = {end.error for end in self.ends}
        for event in self.retries:
            why = "" if event.error in said else event.error or ""
            yield self._line(event, event.receiver, event.receiver, "retried", error=why, wrong=True)

    def _parkings(self) -> Iterator[Line]:
        """A parking of a cast; it may be sent again, and parked again."""
        for event in self.parkings:
            queue = f"{event.routing_key.partition('.')[0]}.dead"
            yield self._line(event, handled_as(event), queue, "parked", error=event.error or "given up")

    def _line(self, event: MessageEvent, source: str, target: str, kind: str, **more: Any) -> Line:
        """Make a line; clocks of hosts differ a little, and nothing follows from a message before it was sent."""
        more.setdefault("wrong", bool(more.get("error")))
        more["change"] = more.get("change", "")[:MAX_CHANGE_CHARACTERS]
        return Line(
            at=max(event.at, self.first.at), source=source, target=target, kind=kind, method=self.first.method,
            server=self.server, interface=self.first.interface, message_id=self.first.message_id, **more,
        )  # fmt: skip


def handled_as(event: MessageEvent) -> str:
    """Name the receiver of a message; a compute that stands for many hosts is the one that was asked."""
    of_a_host = (event.receiver.startswith(f"{COMPUTE}."), event.routing_key.startswith(f"{COMPUTE}."))
    return event.routing_key if all(of_a_host) else event.receiver


def _is_told_by_a_compute(event: MessageEvent) -> bool:
    """A compute may say of any message that it sent it; a service that says so, too, is right."""
    return event.sender.startswith(f"{COMPUTE}.") or event.sender == OTHERS
