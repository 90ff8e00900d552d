"""Log lines that a sender can cause: one in a while for each sender and kind, lest a flood of messages fill the disk.

The code that logs such a line marks it with its kind (``about``), and the process's handler has the filter
(mininova/service/log.py). The next line of a kind says how many were left out before it.
"""

import logging
import threading
import time
from collections.abc import Callable

_MARK = "sparing"
_OTHERS = ("others",)


def about(sender: str | None, *kind: str) -> dict[str, object]:
    """Mark a line as one of a kind that a sender can cause: ``LOG.warning(…, extra=about(sender, "denied", method))``.

    :param sender: as the broker vouches for it: a name that the sender chose itself could be new in each message
    """
    return {_MARK: (sender, kind)}


class _Kind:
    """What is known of the lines of a kind: when the next one may come, and how many have been left out."""

    def __init__(self) -> None:
        self.next, self.left_out = float("-inf"), 0


class Sparing(logging.Filter):
    """Let one line of each kind of each sender through, and the next after so many seconds.

    :param seconds: between two lines of a kind
    :param most: kinds that a sender has; what is more is one kind together, since it may choose their names
    """

    def __init__(self, seconds: float = 10.0, *, most: int = 20, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds, self._most, self._clock = seconds, most, clock
        self._guard = threading.Lock()
        self._senders: dict[str | None, dict[tuple[str, ...], _Kind]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is to be written; one that was left out before it is counted in it."""
        mark = getattr(record, _MARK, None)
        if mark is None:
            return True
        left_out = self._left_out(*mark)
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} more like it since the last such line)"
            record.args = ()
        return left_out is not None

    def _left_out(self, sender: str | None, name: tuple[str, ...]) -> int | None:
        """Count a line; None leaves it out, a number says how many have been since the last."""
        now = self._clock()
        with self._guard:
            kind = self._kind(sender, name, now)
            if now < kind.next:
                kind.left_out += 1
                return None
            left_out, kind.left_out, kind.next = kind.left_out, 0, now + self._seconds
            return left_out

    def _kind(self, sender: str | None, name: tuple[str, ...], now: float) -> _Kind:
        kinds = self._senders.setdefault(sender, {_OTHERS: _Kind()})
        if name not in kinds and len(kinds) > self._most:
            self._forget(kinds, now)
        if name not in kinds and len(kinds) > self._most:
            name = _OTHERS
        return kinds.setdefault(name, _Kind())

    @staticmethod
    def _forget(kinds: dict[tuple[str, ...], _Kind], now: float) -> None:
        """Forget the kinds of which no line has come for a while; what they left out is counted with the others."""
        for name in [name for name, kind in kinds.items() if name != _OTHERS and now >= kind.next]:
            kinds[_OTHERS].left_out += kinds.pop(name).left_out
