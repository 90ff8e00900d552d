"""The hosts of one request: read once, filtered, weighed, and consumed as instances are placed (nova: host_manager.py).

The scheduler's manager asks it for the best hosts, one instance after the other.  A choice is not final until it is
claimed in the database (db/claims.py).
"""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from oslo_config import cfg

from mininova import errors
from mininova.db import claims, hosts, services
from mininova.db.session import Database
from mininova.objects import RequestSpec
from mininova.scheduler import neighbours, weights
from mininova.scheduler.filters import BaseHostFilter, enabled, needed
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights import BaseHostWeigher


class HostManager:
    """Know the hosts, and what the configuration wants of them.

    :param dice: decides between equals
    :param clock: tells the time, to know which hosts have sent a heartbeat lately
    :raises errors.ConfigError: when the configuration names a filter or a weigher that does not exist
    """

    def __init__(self, conf: cfg.ConfigOpts, db: Database, dice: random.Random, clock: Callable[[], datetime]) -> None:
        self._conf, self._db, self._dice, self._clock = conf, db, dice, clock
        self._down_time = conf.service_down_time
        self._filters = enabled(conf.filter_scheduler.enabled_filters)
        self._weighers = weights.enabled(conf)

    def candidates(self, request_spec: RequestSpec, instance_uuids: Sequence[str]) -> "Candidates":
        """Read for one request every host, and the hosts where some of its instances have room already.

        The claims are read first, so that every host with a claim is among the hosts.

        :raises errors.NoValidHost: when nothing that is configured would honour the policy of the server group
        """
        with self._db.read() as tx:
            given = claims.hosts_of(tx, instance_uuids)
            known = hosts.states(tx)
            near = neighbours.read(tx, request_spec, self._conf)
        now = self._clock()
        host_states = [
            HostState(node, service, services.is_up(service, now, self._down_time), near) for node, service in known
        ]
        filters, weighers = needed(request_spec, self._filters), weights.needed(request_spec, self._weighers)
        return Candidates(host_states, request_spec, filters, weighers, self._dice, given)


class Candidates:
    """The hosts that may take the next instance of a request.

    Room only shrinks while a request is placed, and so does what a server group allows.  So a host that a filter has
    refused once stays out, and for the second instance only the filters that look at these are asked again.

    :param given: uuid → the host where an instance of the request has room already
    """

    def __init__(
        self,
        host_states: Sequence[HostState],
        request_spec: RequestSpec,
        filters: Sequence[BaseHostFilter],
        weighers: Sequence[BaseHostWeigher],
        dice: random.Random,
        given: Mapping[str, str],
    ) -> None:
        self._hosts, self._spec = list(host_states), request_spec
        self._filters, self._weighers, self._dice = filters, weighers, dice
        self._known = {host_state.host: host_state for host_state in host_states}
        self.given = dict(given)
        self._placed = 0
        self._passed: dict[str, int] = {}  # what was asked → how many hosts it left, in the order of asking

    def take_best(self, count: int) -> list[HostState]:
        """Choose a host for one instance and take its room; give it and the next best, at most ``count`` hosts.

        :raises errors.NoValidHost: saying how many hosts each filter passed
        """
        self._filter()
        best = weights.best(count, self._hosts, self._spec, self._weighers, self._dice)
        best[0].consume(self._spec.flavor)
        self._placed += 1
        return best

    def at(self, host: str) -> HostState:
        """Give the host where an instance has room already.

        :raises errors.NoValidHost: when there is no such host, or none yet when this was read
        """
        if host not in self._known:
            raise errors.NoValidHost(reason=f"There is room claimed on {host}, which is no compute host any more.")
        return self._known[host]

    def drop(self, host_state: HostState) -> None:
        """Leave out a host that was chosen, and whose room another request has claimed meanwhile."""
        self._placed -= 1
        self.leave_out({host_state.host})

    def leave_out(self, hosts: Collection[str]) -> None:
        """Leave out hosts whose room another request has claimed."""
        self._leave("a claim", [each for each in self._hosts if each.host not in hosts])

    def _filter(self) -> None:
        for host_filter in self._filters:
            if not self._hosts:
                break
            passing = [each for each in self._hosts if host_filter.host_passes(each, self._spec)]
            self._leave(type(host_filter).__name__, passing)
        if not self._hosts:
            raise errors.NoValidHost(reason=self._reason())
        self._filters = [each for each in self._filters if not each.run_filter_once_per_request]

    def _leave(self, asked: str, host_states: list[HostState]) -> None:
        self._hosts = host_states
        self._passed.pop(asked, None)  # so that what was asked last stands last
        self._passed[asked] = len(host_states)

    def _reason(self) -> str:
        if not self._known:
            return "There are no compute hosts."
        last = next(reversed(self._passed))
        hosts_known = f"{len(self._known)} host{'s' if len(self._known) > 1 else ''}"
        counts = ", ".join(f"{name} {passed}" for name, passed in self._passed.items())
        placed = f"after {self._placed} of the instances " if self._placed else ""
        return f"There are not enough hosts available: {placed}{last} left none of {hosts_known} ({counts})."
