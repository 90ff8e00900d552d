"""The filters that bound how many instances a host has, or has at work (nova: num_instances_, io_ops_filter.py)."""

from typing import ClassVar, Self

from oslo_config import cfg

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class _Bounded(BaseHostFilter):
    """Pass hosts that have fewer of something than a limit.

    :param limit: how many a host may have
    """

    run_filter_once_per_request = False

    option: ClassVar[str]  # the setting, and what aggregates call it
    counted: ClassVar[str]  # of a host state
    by_aggregate: ClassVar[bool] = False  # whether the least that its aggregates say counts before the setting

    def __init__(self, limit: int) -> None:
        self._limit = limit

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Make one with the configured limit."""
        return cls(conf.filter_scheduler[cls.option])

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the host may have one more."""
        limit = self._limit
        if self.by_aggregate and (said := host_state.aggregate_metadata.get(self.option)):
            limit = min(map(int, filter(str.isdecimal, said)), default=limit)
        return bool(getattr(host_state, self.counted) < limit)


class NumInstancesFilter(_Bounded):
    """Pass hosts with fewer instances than ``[filter_scheduler] max_instances_per_host``."""

    option, counted = "max_instances_per_host", "num_instances"


class AggregateNumInstancesFilter(NumInstancesFilter):
    """Do as NumInstancesFilter, but by the least ``max_instances_per_host`` of its host's aggregates, if any."""

    by_aggregate = True


class IoOpsFilter(_Bounded):
    """Pass hosts with fewer instances at work than ``[filter_scheduler] max_io_ops_per_host``.

    At work is what is built, rebuilt, resized or migrated, shelved or unshelved, or made an image of.
    """

    option, counted, needs_io_ops = "max_io_ops_per_host", "num_io_ops", True


class AggregateIoOpsFilter(IoOpsFilter):
    """Do as IoOpsFilter, but by the least ``max_io_ops_per_host`` of its host's aggregates, if any."""

    by_aggregate = True
