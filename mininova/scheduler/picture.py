"""What a scheduler has read of the hosts, and how it keeps up: a request reads only what has changed since the last.

The host manager looks at it once for each request, inside a transaction of that request; so a choice is never older
than its request.  db/generations.py tells which hosts have changed.  A heartbeat is no change there: a host that was up
is up until its last heartbeat is too old, and only then is the next one read.
"""

import threading
from collections.abc import Mapping
from datetime import datetime

from mininova.db import aggregates, generations, hosts, services
from mininova.db.session import Connection
from mininova.objects import ComputeNode, Service
from mininova.scheduler.host_state import HostState


class Picture:
    """All compute hosts.  Requests share it: they never change a host state, and one that has changed is a new one."""

    def __init__(self) -> None:
        self._generations: dict[int, int] = {}  # by the ids of the compute nodes; likewise the hosts
        self._newest, self._total = 0, (0, 0)
        self._hosts: dict[int, HostState] = {}
        self._moments: list[tuple[int, datetime | None]] = []  # of the aggregates
        self._said: dict[str, dict[str, frozenset[str]]] = {}  # what they say, by hosts
        self._one_at_a_time = threading.Lock()

    def look(self, tx: Connection, alive_since: datetime) -> list[HostState]:
        """Read what has changed, and give every host.

        :param alive_since: a host that was heard of at this moment, or later, is up
        """
        with self._one_at_a_time:
            self._read_aggregates(tx)
            self._read_changes(tx)
            self._read_beats(tx, alive_since)
            return list(self._hosts.values())

    def _read_aggregates(self, tx: Connection) -> None:
        """Read all aggregates again if one has changed, which is seldom."""
        moments = aggregates.moments(tx)
        if moments == self._moments:
            return
        before, self._said = self._said, aggregates.metadata_of_hosts(tx)
        self._moments = moments
        for node, known in self._hosts.items():
            if self._said.get(known.host) != before.get(known.host):
                self._hosts[node] = self._state(known.node, known.service, known.is_up)

    def _state(self, node: ComputeNode, service: Service, is_up: bool) -> HostState:
        return HostState(node, service, is_up, aggregate_metadata=self._said.get(node.host, {}))

    def _read_changes(self, tx: Connection) -> None:
        """Read the hosts that have changed.  A host without a service is none yet."""
        newest, total = generations.changes(tx, self._newest)
        changed = self._unlike(newest)
        if self._total_with(changed) != total:  # some are gone, or were changed by a clock that is behind
            now = generations.everything(tx)
            for gone in self._generations.keys() - now.keys():
                self._hosts.pop(gone, None)
                self._total = self._total[0] - 1, self._total[1] - self._generations.pop(gone)
            changed = self._unlike(now)
        if not changed:
            return
        # More than half of them are read faster with all the others than by their ids.
        read = hosts.states(tx, changed if len(changed) < len(self._generations) / 2 else None)
        for without_service in changed.keys() - {node.id for node, _ in read}:
            self._hosts.pop(without_service, None)
        for node, service in read:
            self._hosts[node.id] = self._state(node, service, not service.forced_down)
        self._total = self._total_with(changed)
        self._newest = max(self._newest, *changed.values())
        self._generations |= changed

    def _unlike(self, found: Mapping[int, int]) -> dict[int, int]:
        """Give the generations that are not those known."""
        return {node: generation for node, generation in found.items() if self._generations.get(node) != generation}

    def _total_with(self, changed: Mapping[int, int]) -> tuple[int, int]:
        """Give how many compute nodes there are, and the sum of their generations, when these have changed."""
        count, total = self._total
        known = [self._generations.get(node) for node in changed]
        return count + known.count(None), total + sum(changed.values()) - sum(filter(None, known))

    def _read_beats(self, tx: Connection, alive_since: datetime) -> None:
        """Find out which of the hosts that were not heard of lately are down."""
        silent = {
            each.service.id: node
            for node, each in self._hosts.items()
            if (heard := each.service.last_seen_up) is None or heard < alive_since
        }
        if not silent:
            return
        for service_id, heard in services.beats(tx, silent).items():
            known = self._hosts[silent[service_id]]
            service = known.service.replace(last_seen_up=heard)
            self._hosts[silent[service_id]] = self._state(known.node, service, _is_up(service, alive_since))


def _is_up(service: Service, alive_since: datetime) -> bool:
    return not service.forced_down and services.was_heard(service, alive_since)
