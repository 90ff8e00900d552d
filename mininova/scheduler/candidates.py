"""The hosts of one request: filtered, weighed, and consumed as instances are placed.

The scheduler's manager takes the best of them, for one instance after the other.  A choice is not final until it is
claimed in the database (db/claims.py).

The cost does not grow with the cloud: hosts are filtered in batches, and when enough have passed, the others are not
asked.  A batch is drawn from all over the cloud, so that neither a zone nor a rack is preferred.
"""

import heapq
import random
from collections.abc import Collection, Iterator, Mapping, Sequence

from mininova import errors
from mininova.objects import RequestSpec
from mininova.scheduler import weights
from mininova.scheduler.filters import BaseHostFilter
from mininova.scheduler.host_state import HostState
from mininova.scheduler.neighbours import NOBODY, Neighbours
from mininova.scheduler.weights import BaseHostWeigher


class Candidates:
    """The hosts that may take the next instance of a request.

    Room only shrinks while a request is placed, and so does what a server group allows.  So a host that a filter has
    refused once stays out; and of the hosts that have passed, only the best are asked again, before one is chosen.

    :param known: every host, as all requests see it
    :param near: where the instances are that this request speaks of
    :param given: uuid → the host where an instance of the request has room already
    :param enough: how many hosts are weighed at most
    :param subset: how many of the best one is drawn from
    """

    def __init__(
        self,
        known: Sequence[HostState],
        near: Neighbours,
        request_spec: RequestSpec,
        filters: Sequence[BaseHostFilter],
        weighers: Sequence[BaseHostWeigher],
        dice: random.Random,
        given: Mapping[str, str],
        *,
        enough: int,
        subset: int = 1,
    ) -> None:
        self._known, self._near, self._spec, self._dice = known, near, request_spec, dice
        self._filters = filters
        self._filters_again = [each for each in filters if not each.run_filter_once_per_request]
        self._weighers = [each for each in weighers if each.multiplier]
        self._enough, self._subset = enough, subset
        self.given = dict(given)
        self._batches = self._drawn()
        self._left_out: Collection[str] = ()
        self._placed = 0
        self._passed: dict[str, int] = {}  # what was asked → how many hosts it left, in the order of asking
        # The hosts that have passed every filter; and beside each, what decides between equals, and its weights.
        self._hosts: list[HostState] = []
        self._ties: list[float] = []
        self._columns: list[list[float]] = [[] for _ in self._weighers]

    def take_best(self, count: int) -> list[HostState]:
        """Choose a host for one instance and take its room; give it and the next best, at most ``count`` hosts.

        :raises errors.NoValidHost: saying how many hosts each filter passed
        """
        while True:
            self._fill_up()
            best = self._best(max(count, self._subset))
            hosts = [self._hosts[place] for place in best]
            again = [each for each in self._filters_again if not all(self._passes(each, host) for host in hosts)]
            if not again:
                break
            for host_filter in again:
                self._ask_again(host_filter)
        if self._subset > 1:
            drawn = self._dice.randrange(min(self._subset, len(best)))
            best[0], best[drawn] = best[drawn], best[0]
        self._take(best[0])
        return [self._hosts[place] for place in best[:count]]

    def at(self, host: str) -> HostState:
        """Give the host where an instance has room already.

        :raises errors.NoValidHost: when there is no such host, or none yet when this was read
        """
        for host_state in self._known:
            if host_state.host == host:
                return host_state
        raise errors.NoValidHost(reason=f"There is room claimed on {host}, which is no compute host any more.")

    def leave_out(self, hosts: Collection[str]) -> None:
        """Leave out hosts whose room other requests have claimed again and again; to be said before any is taken."""
        self._left_out = hosts

    def _take(self, place: int) -> None:
        chosen = self._hosts[place] = self._hosts[place].copy()
        chosen.consume(self._spec.flavor)
        for column, weigher in zip(self._columns, self._weighers, strict=True):
            column[place] = weigher.weigh(chosen, self._spec)
        self._placed += 1

    # ---- filters

    def _drawn(self) -> Iterator[list[HostState]]:
        """Deal the hosts out into batches like cards, and give these in any order."""
        batches = -(-len(self._known) // self._enough)
        for first in self._dice.sample(range(batches), batches) if batches > 1 else range(batches):
            batch = list(self._known[first::batches])
            yield batch if self._near is NOBODY else [each.copy(self._near) for each in batch]

    def _fill_up(self) -> None:
        """Filter further hosts until enough have passed, or all were asked.

        :raises errors.NoValidHost: when none is left
        """
        while len(self._hosts) < self._enough and (batch := next(self._batches, None)) is not None:
            passing = self._filtered(batch)
            self._hosts += passing
            self._ties += [self._dice.random() for _ in passing]
            for column, weigher in zip(self._columns, self._weighers, strict=True):
                weigh, spec = weigher.weigh, self._spec
                column += [weigh(each, spec) for each in passing]
        if not self._hosts:
            raise errors.NoValidHost(reason=self._reason())

    def _filtered(self, host_states: list[HostState]) -> list[HostState]:
        for host_filter in self._filters:
            if not host_states:
                return []
            passes, spec = host_filter.host_passes, self._spec
            host_states = [each for each in host_states if passes(each, spec)]
            self._count(type(host_filter).__name__, len(host_states))
        if self._left_out:
            host_states = [each for each in host_states if each.host not in self._left_out]
            self._count("a claim", len(host_states))
        return host_states

    def _passes(self, host_filter: BaseHostFilter, host_state: HostState) -> bool:
        return host_filter.host_passes(host_state, self._spec)

    def _ask_again(self, host_filter: BaseHostFilter) -> None:
        places = [place for place, each in enumerate(self._hosts) if self._passes(host_filter, each)]
        self._hosts, self._ties, *self._columns = (
            [beside[place] for place in places]  # type: ignore[index]
            for beside in (self._hosts, self._ties, *self._columns)
        )
        name = type(host_filter).__name__
        del self._passed[name]  # so that what was asked last stands last
        self._count(name, len(places))

    def _count(self, asked: str, passed: int) -> None:
        self._passed[asked] = self._passed.get(asked, 0) + passed

    def _reason(self) -> str:
        if not self._known:
            return "There are no compute hosts."
        last = next(reversed(self._passed))
        hosts_known = f"{len(self._known)} host{'s' if len(self._known) > 1 else ''}"
        counts = ", ".join(f"{name} {passed}" for name, passed in self._passed.items())
        placed = f"after {self._placed} of the instances " if self._placed else ""
        return f"There are not enough hosts available: {placed}{last} left none of {hosts_known} ({counts})."

    # ---- weights

    def _best(self, count: int) -> list[int]:
        """Give the places of the best hosts, the very best first.

        The weights are added up.  Among equals the dice decide, so that requests which are placed at the same moment
        do not all run to one host.
        """
        weighed = zip(self._columns, self._weighers, strict=True)
        scaled = [weights.normalised(column, weigher.multiplier) for column, weigher in weighed]
        totals = [sum(each) for each in zip(*scaled, strict=True)] or [0.0] * len(self._hosts)
        ranks = zip(totals, self._ties, range(len(totals)), strict=True)
        return [place for _, _, place in heapq.nlargest(count, ranks)]
