"""Network interfaces that a guest gets or loses while its instance rests, called by the compute manager.

The port is the api's and the conductor's business: it is the instance's before the guest has an interface of it, and
until the guest has it no more, so that no other guest is given the address meanwhile.
"""

import logging
from typing import Any

from mininova import errors
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.notifications.events import Action, Phase, tell
from mininova.objects import Instance
from mininova.rpc import Notifier
from mininova.service.faults import fault_of
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)


class Interfaces:
    """Attach network interfaces to the guests of a host, and detach them."""

    def __init__(self, driver: ComputeDriver, conductor: ConductorAPI, notifier: Notifier) -> None:
        self._driver, self._conductor, self._notifier = driver, conductor, notifier

    def attach(self, ctxt: RequestContext, instance: Instance, mac_address: str) -> None:
        """Give a guest an interface.

        :raises errors.InterfaceAttachFailed: when the hypervisor could not
        """
        self._tell(ctxt, instance, "interface_attach", "start")
        try:
            self._driver.attach_interface(instance, mac_address)
        except Exception as error:  # a hypervisor may raise anything: the api takes the port back
            LOG.warning("compute cannot attach %s to instance %s: %s", mac_address, instance.uuid, error)
            self._tell(ctxt, instance, "interface_attach", "error", message=str(error))
            raise errors.InterfaceAttachFailed(instance_uuid=instance.uuid) from error
        LOG.info("compute has attached %s to instance %s", mac_address, instance.uuid)
        self._tell(ctxt, instance, "interface_attach", "end")

    def detach(self, ctxt: RequestContext, instance: Instance, port_id: str, mac_address: str) -> None:
        """Take an interface from a guest, and say so; where the hypervisor cannot, the port stays."""
        self._tell(ctxt, instance, "interface_detach", "start")
        fault, end = None, ("end", {})  # type: Any, tuple[Phase, dict[str, str]]
        try:
            self._driver.detach_interface(instance, mac_address)
        except Exception as error:  # a hypervisor may raise anything: the owner reads it in the action
            LOG.warning("compute cannot detach %s from instance %s: %s", mac_address, instance.uuid, error)
            fault, end = fault_of(error), ("error", {"message": str(error)})
        try:
            self._conductor.end_detach(ctxt, instance, port_id, fault)
        except errors.InstanceNotFound as gone:
            return LOG.info("compute drops the detach of port %s: %s", port_id, gone)
        phase, extra = end
        return self._tell(ctxt, instance, "interface_detach", phase, **extra)

    def _tell(self, ctxt: RequestContext, instance: Instance, action: Action, phase: Phase, **extra: Any) -> None:
        tell(self._notifier, ctxt, instance, action, phase, **extra)
