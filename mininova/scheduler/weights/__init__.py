"""Weights: which of the hosts that are left is the best."""

import heapq
import random
from collections.abc import Sequence

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState
from mininova.scheduler.weights.base import BaseHostWeigher
from mininova.scheduler.weights.cpu import CPUWeigher
from mininova.scheduler.weights.ram import RAMWeigher

__all__ = ["BaseHostWeigher", "CPUWeigher", "RAMWeigher", "best"]


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
