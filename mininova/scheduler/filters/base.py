"""What a filter is (nova: scheduler/filters/__init__.py).

To write one: a module here with one class, and a line among the entry points in pyproject.toml.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from oslo_config import cfg

from mininova.objects import RequestSpec
from mininova.scheduler.host_state import HostState


class BaseHostFilter(ABC):
    """Say of a host whether the request may go there.

    A filter keeps no state and does no I/O: its answer follows from its arguments.
    """

    #: The scheduler hint that it reads: a request without it does not ask this filter.  None asks it always.
    hint: ClassVar[str | None] = None
    #: True when the answer does not depend on what the request has taken: it is asked once, however many instances.
    run_filter_once_per_request: ClassVar[bool] = True

    #: True when it looks at ``num_io_ops``, which no request reads otherwise.
    needs_io_ops: ClassVar[bool] = False

    def applies_to(self, request_spec: RequestSpec) -> bool:
        """Tell whether there is anything in the request for it to look at; else no host is asked about."""
        return self.hint is None or self.hint in request_spec.scheduler_hints

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Make one as the configuration wants it; most have no option there."""
        return cls()

    @abstractmethod
    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether an instance of the request may be placed on the host."""
