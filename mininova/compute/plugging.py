"""How a boot waits until the network service has plugged the ports of its instance (nova: compute/manager.py).

The network service says so of each port, by ``network-vif-plugged`` at the Compute API, which casts it to the host.  It
may come before the host has come to wait for it: so what comes is kept from before the host asks for its network.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mininova import errors
from mininova.objects import Instance

LOG = logging.getLogger(__name__)

PLUGGED, FAILED = "network-vif-plugged", "failed"


@dataclass
class _Came:
    """What has come for an instance: the ports that are plugged, one that could not be, and whether it is deleted."""

    plugged: set[str] = field(default_factory=set)
    failed: str | None = None
    is_deleted: bool = False


class Plugging:
    """Waits for the events of the instances of one host.

    :param timeout: how long a boot waits at most, in seconds; with 0 none waits
    :param is_fatal: whether a boot fails whose ports are not plugged by then
    :param change: what boots wait on
    """

    def __init__(self, timeout: float, *, is_fatal: bool, change: threading.Condition | None = None) -> None:
        self._timeout, self._is_fatal = timeout, is_fatal
        self._change, self._expected = change or threading.Condition(), dict[str, _Came]()

    @contextmanager
    def expected(self, uuid: str) -> Iterator[None]:
        """Keep what comes for an instance while the block runs."""
        with self._change:
            self._expected[uuid] = _Came()
        try:
            yield
        finally:
            with self._change:
                del self._expected[uuid]

    def came(self, uuid: str, name: str, tag: str | None, status: str) -> None:
        """Take an event; one of an instance that is not expected, or of another name, changes nothing."""
        with self._change:
            came = self._expected.get(uuid)
            if came is None or name != PLUGGED or tag is None:
                return LOG.debug("compute has no use for event %s of instance %s", name, uuid)
            LOG.info("compute hears that port %s of instance %s is plugged: %s", tag, uuid, status)
            if status == FAILED:
                came.failed = tag
            else:
                came.plugged.add(tag)
            return self._change.notify_all()

    def deleted(self, uuid: str) -> None:
        """Have a boot wait no more whose guest is destroyed."""
        with self._change:
            if came := self._expected.get(uuid):
                came.is_deleted = True
                self._change.notify_all()

    def wait(self, instance: Instance) -> None:
        """Wait until as many ports are plugged as the instance has.

        :raises errors.VirtualInterfaceCreateFailed: when they are not in time, or one could not be, and that is fatal
        :raises errors.GuestGone: when the instance is deleted meanwhile
        """
        if not self._timeout:
            return
        count = len({address.mac_address for address in instance.addresses})
        with self._change:
            came = self._expected[instance.uuid]
            in_time = self._change.wait_for(
                lambda: came.is_deleted or came.failed or len(came.plugged) >= count, self._timeout
            )
        if came.is_deleted:
            raise errors.GuestGone(instance_uuid=instance.uuid)
        if in_time and not came.failed:
            return
        said = f"port {came.failed} failed" if came.failed else f"{len(came.plugged)} after {self._timeout} s"
        LOG.warning("the network did not plug all of the %d ports of instance %s: %s", count, instance.uuid, said)
        if self._is_fatal:
            raise errors.VirtualInterfaceCreateFailed(instance_uuid=instance.uuid)
