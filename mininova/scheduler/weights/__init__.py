"""Weights: which of the hosts that are left is the best.  The configuration says which weighers are asked.

Each is a plug-in: pyproject.toml registers ours.
"""

from collections.abc import Sequence

from oslo_config import cfg

from mininova import plugins
from mininova.objects import RequestSpec
from mininova.scheduler.weights.base import BaseHostWeigher

__all__ = ["BaseHostWeigher", "enabled", "needed", "normalised"]


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


def normalised(column: Sequence[float], multiplier: float) -> list[float]:
    """Weigh hosts against each other: the best gets the multiplier, the worst 0; equals get 0."""
    low, high = min(column), max(column)
    if low == high:
        return [0.0] * len(column)
    scale = multiplier / (high - low)
    return [(weight - low) * scale for weight in column]
