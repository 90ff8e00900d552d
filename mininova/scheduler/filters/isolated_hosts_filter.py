"""IsolatedHostsFilter: does the image belong there? (nova: scheduler/filters/isolated_hosts_filter.py)"""

from collections.abc import Collection
from typing import Self

from oslo_config import cfg

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState


class IsolatedHostsFilter(BaseHostFilter):
    """Keep the images of ``[filter_scheduler] isolated_images`` to the hosts of ``isolated_hosts``.

    With ``restrict_isolated_hosts_to_isolated_images``, which is the default, other images do not go there.
    """

    def __init__(self, images: Collection[str] = (), hosts: Collection[str] = (), restricted: bool = True) -> None:
        self._images, self._hosts, self._restricted = frozenset(images), frozenset(hosts), restricted

    @classmethod
    def from_conf(cls, conf: cfg.ConfigOpts) -> Self:
        """Make one with the configured images and hosts."""
        options = conf.filter_scheduler
        restricted = options.restrict_isolated_hosts_to_isolated_images
        return cls(options.isolated_images, options.isolated_hosts, restricted)

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the image and the host are both isolated, or neither is."""
        image, host = request_spec.image.id in self._images, host_state.host in self._hosts
        return image == host if self._restricted else host or not image
