"""What a scheduler has read of the hosts, and how it keeps up: a request reads only what has changed since the last.

The host manager looks at it once for each request, inside a transaction of that request; so a choice is never older
than its request.  db/generations.py tells which hosts have changed.  A heartbeat is no change there: a host that was up
is up until its last heartbeat is too old, and only then is the next one read.
"""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from heapq import heappop, heappush

from mininova.db import generations, hosts, services
from mininova.db.hosts import Seen
from mininova.db.session import Connection
from mininova.objects import Service
from mininova.scheduler.host_state import HostState

_NEVER = datetime.min.replace(tzinfo=UTC)


class Picture:
    """All compute hosts.  Requests share it: they never change a host state, and one that has changed is a new one."""

    def __init__(self) -> None:
        self._generations: dict[int, int] = {}  # by the ids of the compute nodes; likewise the hosts
        self._newest = 0
        self._hosts: dict[int, HostState] = {}
        self._by_beats: list[tuple[datetime, int]] = []  # a heap; what a later entry contradicts is skipped
        self._one_at_a_time = threading.Lock()

    def look(self, tx: Connection, alive_since: datetime) -> list[HostState]:
        """Read what has changed, and give every host.

        :param alive_since: a host that was heard of at this moment, or later, is up
        """
        with self._one_at_a_time:
            self._read_changes(tx)
            self._read_beats(tx, alive_since)
            return list(self._hosts.values())

    def _read_changes(self, tx: Connection) -> None:
        found, total = hosts.seen_since(tx, self._newest)
        self._take(found)
        if sum(self._generations.values()) == total:
            return
        # Some are gone, or were changed by a clock that is behind.
        now = generations.everything(tx)
        for gone in self._generations.keys() - now.keys():
            del self._generations[gone]
            self._hosts.pop(gone, None)
        changed = [node for node, generation in now.items() if self._generations.get(node) != generation]
        if changed:
            self._take(hosts.seen(tx, changed))

    def _take(self, found: Sequence[Seen]) -> None:
        """Remember what was read.  A node without a service is no host yet."""
        for generation, said, node, service in found:
            if self._generations.get(node.id) == generation:
                continue
            self._generations[node.id] = generation
            self._newest = max(self._newest, generation)
            if service is None:
                self._hosts.pop(node.id, None)
            else:
                self._hosts[node.id] = HostState(node, service, not service.forced_down, aggregate_metadata=said)
                heappush(self._by_beats, (_heard(service), node.id))

    def _read_beats(self, tx: Connection, alive_since: datetime) -> None:
        """Find out which of the hosts that were not heard of lately are down."""
        silent = self._take_silent(alive_since)
        if not silent:
            return
        try:
            for service_id, heard in services.beats(tx, silent).items():
                known = self._hosts[silent[service_id]]
                service = known.service.replace(last_seen_up=heard)
                is_up, said = _is_up(service, alive_since), known.aggregate_metadata
                self._hosts[silent[service_id]] = HostState(known.node, service, is_up, aggregate_metadata=said)
        finally:
            for node in silent.values():
                heappush(self._by_beats, (_heard(self._hosts[node].service), node))

    def _take_silent(self, alive_since: datetime) -> dict[int, int]:
        """Take the hosts off the heap that were not heard of lately: the ids of their services and nodes."""
        silent = {}
        while self._by_beats and self._by_beats[0][0] < alive_since:
            heard, node = heappop(self._by_beats)
            if node in self._hosts and _heard(service := self._hosts[node].service) == heard:
                silent[service.id] = node
        return silent


def _heard(service: Service) -> datetime:
    return service.last_seen_up or _NEVER


def _is_up(service: Service, alive_since: datetime) -> bool:
    return not service.forced_down and services.was_heard(service, alive_since)
