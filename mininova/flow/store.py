"""The requests on disk: a share (share.py) for the services of the controller, and one for each other sender.

A request is one that counts if an api announced it, that is, reported the HTTP request that began it.  What is known of
it is the services' to say; what computes report of it is added, and lies in their own shares.  So one sender's events
push out nothing but older ones of its own.  One Writer at a time (the collector), any number of readers beside it.
"""

import difflib
import fcntl
from pathlib import Path
from typing import IO

from msgspec.structs import replace

from mininova import errors
from mininova.flow import share, summary
from mininova.flow.reports import SERVICES, Told
from mininova.flow.share import Share
from mininova.flow.summary import Summary
from mininova.rpc.watch.flow import MessageEvent


class Reader:
    """Find requests, and read their events.

    :raises errors.FlowNotKept: when no collector has ever written there
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not share.is_one(self.directory / SERVICES):
            raise errors.FlowNotKept(directory=self.directory)

    def requests(self, *, everything: bool = False) -> list[Summary]:
        """List the requests in the order in which they began.

        :param everything: also those that no api announced
        """
        found: dict[str, Summary] = {}
        for directory in self._shares():
            for request_id, part in share.requests(directory).items():
                if (known := found.get(request_id)) is None:
                    announced = part.announced and directory.name == SERVICES
                    found[request_id] = replace(part, announced=announced, by=directory.name)
                else:
                    both = summary.with_others(known, part)
                    found[request_id] = replace(both, by=f"{known.by}, {directory.name}")
        listed = [one for one in found.values() if everything or one.announced]
        return sorted(listed, key=lambda one: one.began)

    def events(self, request_id: str) -> list[MessageEvent]:
        """Read what happened to the messages of a request; nothing when it has made room for a newer one."""
        return [event for events in self.told(request_id).values() for event in events]

    def told(self, request_id: str) -> dict[str, list[MessageEvent]]:
        """Read the same, by who is behind it."""
        return {directory.name: share.events(directory, request_id) for directory in self._shares()}

    def find(self, wanted: str) -> list[Summary]:
        """Find a request by its id or the beginning of it, or every request that touched a server.

        What no service knows of is found only if nothing else is: a compute may make up as much as it likes.

        :param wanted: a request id, or a server's uuid or name
        :raises errors.NoSuchRequest: with a guess at what was meant
        """
        everything = self.requests(everything=True)
        known = [found for found in everything if found.announced or SERVICES in found.by.split(", ")]
        for these in (known, everything):
            exact = [found for found in these if found.request_id == wanted]
            touched = [found for found in these if found.touched(wanted)]
            begins = [found for found in these if found.request_id.startswith((wanted, f"req-{wanted}"))]
            if found := exact or touched or (begins if len(begins) == 1 else []):
                return found
        raise errors.NoSuchRequest(wanted=wanted, hint=_hint(wanted, known, begins))

    def instances(self, wanted: str) -> dict[str, str]:
        """Map the uuid of each instance that is meant to its name.

        :param wanted: an instance's uuid or name, or a request id: then all that it touched are meant
        :raises errors.NoSuchRequest: when nothing is known of it
        """
        known = {uuid: name for found in self.find(wanted) for uuid, name in found.servers.items()}
        meant = {uuid: name for uuid, name in known.items() if wanted in (uuid, name)}
        return meant or known

    def _shares(self) -> list[Path]:
        """Give the shares, that of the services first."""
        found = filter(share.is_one, self.directory.iterdir())
        return sorted(found, key=lambda directory: (directory.name != SERVICES, directory.name))


def _hint(wanted: str, known: list[Summary], begins: list[Summary]) -> str:
    if begins:
        return f"{len(begins)} requests begin so: give more of it."
    names = [name for found in known for name in (found.request_id, *found.servers, *found.servers.values())]
    nearest = difflib.get_close_matches(wanted, names, n=1)
    return f"Did you mean {nearest[0]}?" if nearest else "mininova-flow list shows what there is."


class Writer:
    """Keep what happens, and forget the oldest of each share; there is one Writer to a directory.

    :param keep: how many requests that an api announced, and how many of the others, of each share
    :raises errors.FlowInUse: when another collector writes there
    """

    def __init__(self, directory: str | Path, keep: int) -> None:
        self._directory, self._keep = Path(directory), keep
        self._directory.mkdir(parents=True, exist_ok=True)
        self._lock = locked(self._directory)
        self._services = Share(self._directory / SERVICES, keep)
        self._shares = {SERVICES: self._services}
        for found in self._directory.iterdir():
            if share.is_one(found):
                self._share(found.name)

    def close(self) -> None:
        """Let another collector write there."""
        self._lock.close()

    def add(self, told: Told) -> None:
        """Keep some events; those without a request id belong to nothing that could be shown.

        :param told: the events by who is behind them, from Reports
        """
        for sender, events in told.items():
            grouped: dict[str, list[MessageEvent]] = {}
            for event in events:
                if event.request_id:
                    grouped.setdefault(event.request_id, []).append(event)
            for request_id, group in grouped.items():
                self._share(sender).add(request_id, group)
                if any(event.kind == "http" for event in group):
                    self._announce(request_id)
        forgotten = self._services.make_room()
        for kept in self._shares.values():
            for request_id in forgotten:
                kept.forget(request_id)
            kept.make_room()
            kept.write_index()

    def _share(self, sender: str) -> Share:
        if sender not in self._shares:
            self._shares[sender] = Share(self._directory / sender, self._keep, self._services.announced.__contains__)
        return self._shares[sender]

    def _announce(self, request_id: str) -> None:
        for kept in self._shares.values():
            kept.announce(request_id)


def locked(directory: Path) -> IO[bytes]:
    """Have a directory for one's own until this is closed.

    :raises errors.FlowInUse: when another process has it
    """
    lock = (directory / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise errors.FlowInUse(directory=directory) from None
    return lock
