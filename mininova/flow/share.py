"""One sender's share of the store: a file of events for each request, and an index that sums them up.

``requests/REQUEST_ID.jsonl`` is the truth, one event a line, only ever appended to.  ``index.jsonl`` has a summary of
each report, which are joined; it is written anew when most of it is history.  Both survive being torn in the middle of
their last line.  Requests that an api announced, and the others such as heartbeats, are kept apart, each up to a number
and a size, so that heartbeats never push out a user's request.  One Writer writes, and any number of readers read.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from mininova.flow import summary
from mininova.flow.summary import Summary
from mininova.rpc.watch.flow import MessageEvent

MAX_REQUEST_BYTES = 8 * 1024 * 1024  # of the events of one request in one share; what comes after is not kept
MAX_SHARE_BYTES = 128 * 1024 * 1024  # of the announced requests of one share, and as much of the others
_SERVER_BYTES = 500  # that a server of a summary takes in memory
_SPARE_BYTES = 1024 * 1024  # of the index, before it is written anew

_encode = msgspec.json.Encoder().encode
_event = msgspec.json.Decoder(MessageEvent)
_summary = msgspec.json.Decoder(Summary)
T = TypeVar("T")


# ---- for readers


def is_one(directory: Path) -> bool:
    """Tell whether a folder is a share."""
    return _index(directory).exists()


def requests(directory: Path) -> dict[str, Summary]:
    """Give the requests of which a share has events."""
    known: dict[str, Summary] = {}
    for more in _lines(_index(directory), _summary):
        known[more.request_id] = summary.joined(known.get(more.request_id), more)
    return {request_id: found for request_id, found in known.items() if not found.gone}


def events(directory: Path, request_id: str) -> list[MessageEvent]:
    """Read the events of a request; nothing when it has made room for a newer one."""
    return list(_lines(_file(directory, request_id), _event))


# ---- for the writer


class Kept:
    """Requests up to a number and a size; the oldest makes room."""

    def __init__(self, most: int) -> None:
        self.requests: dict[str, Summary] = {}
        self._most, self._bytes = most, 0

    def put(self, found: Summary) -> None:
        """Keep a request, or know more of it."""
        before = self.requests.get(found.request_id)
        self._bytes += _weight(found) - (_weight(before) if before else 0)
        self.requests[found.request_id] = found

    def take(self, request_id: str) -> Summary | None:
        """Keep a request no longer."""
        found = self.requests.pop(request_id, None)
        self._bytes -= _weight(found) if found else 0
        return found

    def overfull(self) -> Iterator[str]:
        """Name the oldest requests until what is left has room."""
        while len(self.requests) > self._most or (self._bytes > MAX_SHARE_BYTES and len(self.requests) > 1):
            yield next(iter(self.requests))


def _nothing(request_id: str) -> bool:
    return False


class Share:
    """Keep what happens, and forget the oldest.

    :param keep: how many requests that an api announced, and how many of the others
    :param is_announced: tells so of a request; a share knows it of those whose HTTP request is in it
    """

    def __init__(self, directory: Path, keep: int, is_announced: Callable[[str], bool] = _nothing) -> None:
        self._directory, self._is_announced = directory, is_announced
        self._kept = {True: Kept(keep), False: Kept(keep)}  # by whether an api announced them
        self._new, self._index_bytes, self._live_bytes = list[Summary](), 0, 0
        (directory / "requests").mkdir(parents=True, exist_ok=True)
        for found in self._recovered():
            self._kept[found.announced].put(found)
        self.make_room()
        self._rewrite_index()

    @property
    def announced(self) -> dict[str, Summary]:
        """Give the requests that an api announced."""
        return self._kept[True].requests

    def add(self, request_id: str, these: Sequence[MessageEvent]) -> None:
        """Keep events of a request, as far as there is room for them."""
        before = self._known(request_id)
        lines, fitting, left = list[bytes](), list[MessageEvent](), MAX_REQUEST_BYTES - (before.size if before else 0)
        for event in these:
            line = _encode(event) + b"\n"
            if len(line) <= left or event.kind == "http":
                lines.append(line)
                fitting.append(event)
                left -= len(line)
        if not fitting:
            return
        _append(_file(self._directory, request_id), b"".join(lines))
        more = replace(summary.of(request_id, fitting), size=sum(map(len, lines)))
        self._note(replace(more, announced=more.announced or self._is_announced(request_id)))

    def announce(self, request_id: str) -> None:
        """Keep a request among those that an api announced."""
        if (found := self._kept[False].requests.get(request_id)) is not None:
            self._note(Summary(request_id=request_id, began=found.began, last=found.last, announced=True))

    def forget(self, request_id: str) -> None:
        """Forget a request."""
        if (found := self._kept[True].take(request_id) or self._kept[False].take(request_id)) is not None:
            _file(self._directory, request_id).unlink(missing_ok=True)
            self._new.append(replace(found, servers={}, gone=True))

    def make_room(self) -> list[str]:
        """Forget the oldest, and name those among them that an api had announced."""
        gone = {announced: list(self._made_room(kept)) for announced, kept in self._kept.items()}
        return gone[True]

    def _made_room(self, kept: Kept) -> Iterator[str]:
        for request_id in kept.overfull():
            self.forget(request_id)
            yield request_id

    def _known(self, request_id: str) -> Summary | None:
        return self._kept[True].requests.get(request_id) or self._kept[False].requests.get(request_id)

    def _note(self, more: Summary) -> None:
        before = self._known(more.request_id)
        after = summary.joined(before, more)
        if before is not None and before.announced != after.announced:
            self._kept[before.announced].take(more.request_id)
        self._kept[after.announced].put(after)
        self._new.append(more)

    # ---- the index

    def write_index(self) -> None:
        """Write down what became known since the last time."""
        if not self._new:
            return
        lines = b"".join(_encode(found) + b"\n" for found in self._new)
        self._new.clear()
        _append(_index(self._directory), lines)
        self._index_bytes += len(lines)
        if self._index_bytes > 2 * self._live_bytes + _SPARE_BYTES:
            self._rewrite_index()

    def _rewrite_index(self) -> None:
        fresh = _index(self._directory).with_suffix(".new")
        kept = [found for kind in self._kept.values() for found in kind.requests.values()]
        fresh.write_bytes(b"".join(_encode(found) + b"\n" for found in kept))
        self._index_bytes = self._live_bytes = fresh.stat().st_size
        fresh.replace(_index(self._directory))
        self._new.clear()

    def _recovered(self) -> list[Summary]:
        """Read the index, and put right what it says of files that are longer, shorter or not there."""
        noted = requests(self._directory)
        known = []
        for path in (self._directory / "requests").glob("*.jsonl"):
            found = noted.get(path.stem)
            if found is None or found.size != path.stat().st_size:
                found = _summed_up(path)
            if found is not None:
                known.append(replace(found, announced=found.announced or self._is_announced(path.stem)))
        return sorted(known, key=lambda found: found.began)


def _weight(found: Summary) -> int:
    return found.size + _SERVER_BYTES * len(found.servers)


def _summed_up(path: Path) -> Summary | None:
    """Sum a file up anew, and cut off a last line that was torn; None for a file without a single event."""
    whole = path.read_bytes().rpartition(b"\n")
    os.truncate(path, len(whole[0]) + len(whole[1]))
    found = list(_lines(path, _event))
    if not found:
        path.unlink()
        return None
    return replace(summary.of(path.stem, found), size=path.stat().st_size)


def _lines(path: Path, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
    """Read the lines of a file that can be read; a torn one is passed over, and no file has no lines."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.split(b"\n"):
        try:
            yield decoder.decode(line)
        except (ValueError, RecursionError):
            continue


def _append(path: Path, lines: bytes) -> None:
    with path.open("ab") as file:
        file.write(lines)


def _file(directory: Path, request_id: str) -> Path:
    return directory / "requests" / f"{request_id}.jsonl"


def _index(directory: Path) -> Path:
    return directory / "index.jsonl"
