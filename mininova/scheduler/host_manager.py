"""What a scheduler knows of the hosts, and what the configuration wants of them (nova: host_manager.py).

The scheduler's manager asks it for the candidates of each request.
"""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from oslo_config import cfg

from mininova.db.session import Database
from mininova.objects import RequestSpec
from mininova.scheduler import neighbours, weights
from mininova.scheduler.candidates import Candidates
from mininova.scheduler.filters import enabled, needed
from mininova.scheduler.picture import Picture


class HostManager:
    """Know the hosts, and what the configuration wants of them.

    :param dice: decides between equals
    :param clock: tells the time, to know which hosts have sent a heartbeat lately
    :raises errors.ConfigError: when the configuration names a filter or a weigher that does not exist
    """

    def __init__(self, conf: cfg.ConfigOpts, db: Database, dice: random.Random, clock: Callable[[], datetime]) -> None:
        self._conf, self._db, self._dice, self._clock = conf, db, dice, clock
        self._down_time = timedelta(seconds=conf.service_down_time)
        self._picture = Picture()
        self._filters = enabled(conf)
        self._weighers = weights.enabled(conf)
        self._io_ops = any(f.needs_io_ops for f in self._filters) or any(w.needs_io_ops for w in self._weighers)

    def candidates(self, request_spec: RequestSpec, given: Mapping[str, str]) -> Candidates:
        """Give the hosts as they are now.

        :param given: uuid → the host where an instance of the request has room already
        :raises errors.NoValidHost: when nothing that is configured would honour the policy of the server group
        """
        alive_since = self._clock() - self._down_time
        with self._db.read() as tx:
            known = self._picture.look(tx, alive_since)
            near = neighbours.read(tx, request_spec, self._conf, io_ops=self._io_ops)
        filters, weighers = needed(request_spec, self._filters), weights.needed(request_spec, self._weighers)
        return Candidates(
            known, near, request_spec, filters, weighers, self._dice, given,
            enough=max(self._conf.scheduler.max_placement_results, request_spec.num_instances),
            subset=self._conf.filter_scheduler.host_subset_size,
        )  # fmt: skip
