"""What a storm was and what it left: the lines that tools/chaos.py prints."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from storm.checks import Disagreement
from storm.clients import Request
from storm.plan import Fault

#: What a message may fail with while the broker or the database is away: its server logs it, and it comes again.
EXPECTED = re.compile(
    r"mininova\.(rpc\.errors\.(MessagingTimeout|ConnectionLost|BrokerUnreachable|Undeliverable)|errors\.DatabaseAway)\b"
)


#: What SQLAlchemy's pool says of a connection whose server has gone, before it throws it away.
THROWN_AWAY = "Exception during reset or similar"


@dataclass(frozen=True)
class Report:
    """One storm.

    :param ends: (operation, how it ended) → how often
    :param endings: (program, how it ended) → how often, in supervisord's words
    :param drained: the services that were asked to end, and the seconds that it took; None when it took too long
    :param quiet_s: seconds until no operation was open; None when one is
    :param agreed_s: seconds until nothing was wrong any more; None when something is
    :param tracebacks: (log, last line) → how often
    """

    seed: int
    requests: Sequence[Request]
    faults: Sequence[Fault]
    ends: Counter[tuple[str, ...]]
    endings: Counter[tuple[str, ...]]
    given_up: Sequence[str]
    drained: Sequence[tuple[str, float | None]]
    seconds: float
    quiet_s: float | None
    agreed_s: float | None
    disagreements: Sequence[Disagreement]
    tracebacks: Counter[tuple[str, ...]]

    @property
    def is_good(self) -> bool:
        """Whether all is as it must be."""
        wrong = self.disagreements or self.given_up or self.tracebacks or self.not_drained
        return not wrong and self.quiet_s is not None

    @property
    def not_drained(self) -> list[str]:
        """Name the services that were asked to end and did not in time."""
        return [name for name, seconds in self.drained if seconds is None]

    @property
    def row(self) -> str:
        """Say it in one line."""
        quiet, agreed = (f"{it:5.1f} s" if it is not None else "  never" for it in (self.quiet_s, self.agreed_s))
        return (
            f"seed {self.seed:4}  {'ok    ' if self.is_good else 'FAILED'}  {len(self.requests):4} operations  "
            f"{len(self.faults):3} faults  {self.seconds:5.1f} s  quiet after {quiet}  agreed after {agreed}  "
            f"{len(self.disagreements)} disagreements  {len(self.given_up)} given up  "
            f"{len(self.not_drained)} of {len(self.drained)} not drained  {self.tracebacks.total()} tracebacks"
        )

    def lines(self) -> Iterator[str]:
        """Say all of it."""
        yield f"\n==== {self.row}"
        yield "\noperations"
        yield from _counted((it.operation, it.outcome, _same(it.said)) for it in self.requests)
        yield "\nends of operations"
        yield from _counted((it, _same(how)) for (it, how), count in self.ends.items() for _ in range(count))
        yield "\nfaults"
        yield from _counted((it.target, it.kind, f"to {it.way}" if it.way else "") for it in self.faults)
        yield "\nends of processes"
        yield from _table(self.endings)
        yield from (f"  supervisord has given {name} up" for name in self.given_up)
        yield "\nends after SIGTERM"
        yield from (f"  {'never' if took is None else f'{took:.1f} s':>7}  {name}" for name, took in self.drained)
        yield "\ntracebacks"
        yield from _table(self.tracebacks)
        yield "\ndisagreements"
        yield from (f"  {it.line}" for it in self.disagreements)


def _same(said: str) -> str:
    """Shorten a text to what is the same for all servers."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID", said)[:110]


def _counted(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    return _table(Counter(rows))


def _table(counts: Counter[tuple[str, ...]]) -> Iterator[str]:
    for row, count in sorted(counts.items()):
        yield f"  {count:5}  {'  '.join(row)}"


def tracebacks(logs: Iterable[Path]) -> Counter[tuple[str, ...]]:
    """Count the tracebacks in logs by their last line, except those of an expected kind."""
    found: Counter[tuple[str, ...]] = Counter()
    for log in logs:  # which indent all lines of a traceback
        inside, head, last = False, "", ""
        for line in [*log.read_text(errors="replace").splitlines(), ""]:
            if "Traceback (most recent call last)" in line:
                inside, last = True, line.strip()
            elif inside and line.startswith((" ", "\t")):
                last = line.strip()
            else:
                if inside and not EXPECTED.match(last) and THROWN_AWAY not in head:
                    found[log.name, last[:160]] += 1
                inside, head = False, line
    return found
