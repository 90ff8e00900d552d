"""What a weigher is (nova: scheduler/weights/__init__.py, weights.py)."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from oslo_config import cfg

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState


class BaseHostWeigher(ABC):
    """Say how good a host is for a request.

    :param multiplier: how much this counts beside other weighers; a negative one turns good into bad
    """

    #: The scheduler hint that it reads: a request without it does not ask this weigher.  None asks it always.
    hint: ClassVar[str | None] = None

    #: The option of ``[filter_scheduler]`` that is its multiplier.
    option: ClassVar[str | None] = None
    #: True when it looks at ``num_io_ops``, which no request reads otherwise.
    needs_io_ops: ClassVar[bool] = False

    def __init__(self, multiplier: float) -> None:
        self.multiplier = multiplier

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Make one as the configuration wants it; one that has no option there counts once."""
        return cls(conf.filter_scheduler[cls.option] if cls.option else 1.0)

    @abstractmethod
    def weigh(self, host_state: HostState, request_spec: RequestSpec) -> float:
        """Tell how good the host is, in any unit: more is better.

        It must follow from this host alone: when an instance has taken room there, no other host is weighed again.
        """
