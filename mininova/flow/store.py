"""The requests on disk: one file of events for each, and an index that sums them up.

``requests/REQUEST_ID.jsonl`` is the truth, one event a line, only ever appended to.  ``index.jsonl`` has a
summary a line, of which the last one of each request counts; it is written anew when most of it is history.
Both survive being torn in the middle of their last line.  One Writer at a time (the collector), any number of
readers beside it.  Requests that began with HTTP, and the others such as heartbeats, are each kept up to the
limit, so that heartbeats never push out a user's request.
"""

import difflib
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import msgspec
from msgspec.structs import replace

from mininova import errors
from mininova.flow import summary
from mininova.flow.summary import Summary
from mininova.rpc.watch.flow import MessageEvent

MOST_EVENTS = 50_000  # of one request; what comes after is not kept
_HISTORY, _SPARE = 8, 1000  # lines of the index for each request kept, and beside, before it is written anew

# A request id becomes the name of a file, and comes from a message: it may have nothing that leads elsewhere.
_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

_encode = msgspec.json.Encoder().encode
_event = msgspec.json.Decoder(MessageEvent)
_summary = msgspec.json.Decoder(Summary)
T = TypeVar("T")


class Reader:
    """Find requests, and read their events.

    :raises errors.FlowNotKept: when no collector has ever written there
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not _index(self.directory).exists():
            raise errors.FlowNotKept(directory=self.directory)

    def requests(self, *, everything: bool = False) -> list[Summary]:
        """List the requests in the order in which they began.

        :param everything: also those that did not begin with HTTP
        """
        known = {found.request_id: found for found in _lines(_index(self.directory), _summary)}
        listed = [found for found in known.values() if found.size and (everything or found.http)]
        return sorted(listed, key=lambda found: found.began)

    def events(self, request_id: str) -> list[MessageEvent]:
        """Read what happened to the messages of a request; nothing when it has made room for a newer one."""
        return list(_lines(_file(self.directory, request_id), _event))

    def find(self, wanted: str) -> list[Summary]:
        """Find a request by its id or the beginning of it, or every request that touched a server.

        :param wanted: a request id, or a server's uuid or name
        :raises errors.NoSuchRequest: with a guess at what was meant
        """
        known = self.requests(everything=True)
        exact = [found for found in known if found.request_id == wanted]
        touched = [found for found in known if found.touched(wanted)]
        begins = [found for found in known if found.request_id.startswith((wanted, f"req-{wanted}"))]
        if found := exact or touched or (begins if len(begins) == 1 else []):
            return found
        raise errors.NoSuchRequest(wanted=wanted, hint=_hint(wanted, known, begins))


def _hint(wanted: str, known: list[Summary], begins: list[Summary]) -> str:
    if begins:
        return f"{len(begins)} requests begin so: give more of it."
    names = [name for found in known for name in (found.request_id, *found.servers, *found.servers.values())]
    nearest = difflib.get_close_matches(wanted, names, n=1)
    return f"Did you mean {nearest[0]}?" if nearest else "mininova-flow list shows what there is."


class Writer:
    """Keep what happens, and forget the oldest; there is one Writer to a directory.

    :param keep: how many requests that began with HTTP, and how many of the others
    :raises errors.FlowInUse: when another collector writes there
    """

    def __init__(self, directory: str | Path, keep: int) -> None:
        self.directory, self.keep = Path(directory), keep
        (self.directory / "requests").mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.directory)
        self._kept: dict[bool, dict[str, Summary]] = {True: {}, False: {}}  # began with HTTP, or did not
        for found in self._recovered():
            self._kept[found.http][found.request_id] = found
        self._forget()
        self._rewrite_index()

    def close(self) -> None:
        """Let another collector write there."""
        self._lock.close()

    def add(self, events: Iterable[MessageEvent]) -> None:
        """Keep some events; those without a usable request id belong to nothing that could be shown."""
        grouped: dict[str, list[MessageEvent]] = {}
        for event in events:
            if event.request_id and _GOOD_ID.fullmatch(event.request_id):
                grouped.setdefault(event.request_id, []).append(event)
        changed = [self._append(request_id, group) for request_id, group in grouped.items()]
        self._note(changed + self._forget())

    def _append(self, request_id: str, events: list[MessageEvent]) -> Summary:
        before = self._kept[True].get(request_id) or self._kept[False].pop(request_id, None)
        after = before if before and before.events >= MOST_EVENTS else self._written(request_id, events, before)
        self._kept[after.http][request_id] = after
        return after

    def _written(self, request_id: str, events: list[MessageEvent], before: Summary | None) -> Summary:
        written = b"".join(_encode(event) + b"\n" for event in events)
        with _file(self.directory, request_id).open("ab") as file:
            file.write(written)
        after = summary.of(request_id, events, before)
        return replace(after, size=after.size + len(written))

    def _forget(self) -> list[Summary]:
        """Make room, and tell which requests went; the two kinds do not compete for it."""
        gone: list[Summary] = []
        for kind in self._kept.values():
            while len(kind) > self.keep:
                oldest = kind.pop(next(iter(kind)))
                _file(self.directory, oldest.request_id).unlink(missing_ok=True)
                gone.append(replace(oldest, size=0))
        return gone

    # ---- the index

    def _note(self, changed: Iterable[Summary]) -> None:
        lines = [_encode(found) + b"\n" for found in changed]
        with _index(self.directory).open("ab") as file:
            file.write(b"".join(lines))
        self._noted += len(lines)
        if self._noted > _HISTORY * self.keep + _SPARE:
            self._rewrite_index()

    def _rewrite_index(self) -> None:
        fresh = _index(self.directory).with_suffix(".new")
        kept = [found for kind in self._kept.values() for found in kind.values()]
        fresh.write_bytes(b"".join(_encode(found) + b"\n" for found in kept))
        fresh.replace(_index(self.directory))
        self._noted = len(kept)

    def _recovered(self) -> list[Summary]:
        """Read the index, and put right what it says of files that are longer, shorter or not there."""
        noted = {found.request_id: found for found in _lines(_index(self.directory), _summary)}
        known = []
        for path in (self.directory / "requests").glob("*.jsonl"):
            found = noted.get(path.stem)
            if found is None or found.size != path.stat().st_size:
                found = _summed_up(path)
            if found is not None:
                known.append(found)
        return sorted(known, key=lambda found: found.began)


def _summed_up(path: Path) -> Summary | None:
    """Sum a file up anew, and cut off a last line that was torn; None for a file without a single event."""
    whole = path.read_bytes().rpartition(b"\n")
    os.truncate(path, len(whole[0]) + len(whole[1]))
    events = list(_lines(path, _event))
    if not events:
        path.unlink()
        return None
    return replace(summary.of(path.stem, events), size=path.stat().st_size)


def _lines(path: Path, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
    """Read the lines of a file that can be read; a torn one is passed over, and no file has no lines."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.splitlines():
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError:
            continue


def _file(directory: Path, request_id: str) -> Path:
    return directory / "requests" / f"{request_id}.jsonl"


def _index(directory: Path) -> Path:
    return directory / "index.jsonl"


def _locked(directory: Path) -> IO[bytes]:
    lock = (directory / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise errors.FlowInUse(directory=directory) from None
    return lock
