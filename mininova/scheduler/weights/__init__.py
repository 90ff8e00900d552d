"""Weights: which of the hosts that are left is the best.  The configuration says which weighers are asked.

Each is a plug-in: pyproject.toml registers ours.
"""

import heapq
import random
from collections.abc import Sequence

from oslo_config import cfg

from mininova import plugins
from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher

__all__ = ["BaseHostWeigher", "best", "enabled", "needed"]


def enabled(conf: cfg.ConfigOpts) -> list[BaseHostWeigher]:
    """Make the weighers that the configuration names.

    :raises errors.ConfigError: quoting a name that is no weigher's
    """
    names = conf.filter_scheduler.enabled_weighers
    found = plugins.load("weigher", names, BaseHostWeigher, "[filter_scheduler] enabled_weighers")
    return [each.from_conf(conf) for each in found]


def needed(request_spec: RequestSpec, configured: Sequence[BaseHostWeigher]) -> list[BaseHostWeigher]:
    """Give the weighers that a request asks: not those that read a hint which it does not have."""
    return [each for each in configured if each.hint is None or each.hint in request_spec.scheduler_hints]


def best(
    count: int,
    host_states: Sequence[HostState],
    request_spec: RequestSpec,
    weighers: Sequence[BaseHostWeigher],
    dice: random.Random,
) -> list[HostState]:
    """Give the best hosts, the very best first.

    The weights are added up.  Among equals the dice decide, so that requests which are placed at the same moment
    do not all run to one host.
    """
    if not host_states:
        return []
    columns = [weigher.weigh_all(host_states, request_spec) for weigher in weighers if weigher.multiplier]
    totals = [sum(weights) for weights in zip(*columns, strict=True)] or [0.0] * len(host_states)
    ranks = [(total, dice.random()) for total in totals]
    return [host_states[place] for place in heapq.nlargest(count, range(len(ranks)), key=ranks.__getitem__)]
