"""Network interfaces of servers that are there: a call has the host attach one, and a cast detach it.

The port is the instance's from before the guest has an interface of it until after: docs/adr/0026.
"""

import logging
from typing import Any

from mininova import errors, rpc, states
from mininova.api.other_services import ServerPorts
from mininova.api.requirements import host_of, require_unlocked
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import RequestContext
from mininova.db import actions, instances, networks, ports
from mininova.db.session import Connection, Database
from mininova.objects import Instance
from mininova.service.faults import words_of

LOG = logging.getLogger(__name__)

Json = dict[str, Any]

ATTACH, DETACH = "attach_interface", "detach_interface"
STATES = (states.ACTIVE, states.PAUSED, states.STOPPED)


class Interfaces:
    """Attaches and detaches network interfaces.

    :param ports: gives ports to servers
    """

    def __init__(self, db: Database, compute: ComputeAPI, ports: ServerPorts) -> None:
        self._db, self._compute, self._ports = db, compute, ports

    def attach(self, ctxt: RequestContext, instance: Instance, wanted: Json) -> str:
        """Give an instance a port, and its guest an interface of it; give the port's id.

        :param wanted: as a network in the body of POST /servers
        :raises errors.Conflict: when the instance is locked, or not in a state for it, or the port or address is in use
        :raises errors.NotFound: when there is no such port or network
        :raises errors.InterfaceAttachFailed: when the hypervisor could not
        """
        require_unlocked(ctxt, instance)
        with self._db.write() as tx:
            current = self._ready(tx, instance, ATTACH)
            (port_id,), addresses = self._ports.plug(tx, ctxt, instance.uuid, [wanted])
            actions.begin(tx, ctxt, instance.uuid, ATTACH, f"compute_{ATTACH}", host_of(current))
            port = ports.get(tx, port_id)
        to = current.replace(addresses=addresses, networks=networks.CHOSEN)
        try:
            self._compute.on(host_of(to)).attach_interface(ctxt, to, port.mac_address)
        except (rpc.RPCError, errors.MininovaError) as error:
            LOG.warning("%s does not attach port %s to %s: %s", to.host, port_id, to.uuid, error)
            with self._db.write() as tx:
                ports.leave(tx, port)
                networks.show(tx, to.uuid)
                actions.end(tx, to.uuid, ctxt.request_id, words_of(error))
            if isinstance(error, rpc.RPCError):
                raise errors.ComputeServiceUnavailable(host=to.host) from error
            raise
        with self._db.write() as tx:
            actions.end(tx, to.uuid, ctxt.request_id)
        self._ports.bound(to.uuid, port_id)
        return port_id

    def detach(self, ctxt: RequestContext, instance: Instance, port_id: str) -> None:
        """Have the guest lose its interface of a port, and then the instance the port.

        :raises errors.PortNotFound: when the instance has no such port
        :raises errors.Conflict: when it is locked, not in a state for it, or its host cannot be reached
        """
        require_unlocked(ctxt, instance)
        with self._db.write() as tx:
            current = self._ready(tx, instance, DETACH)
            for port in ports.search(tx, id=[port_id], instance_uuid=[instance.uuid]):
                ports.ask_to_detach(tx, port, ctxt.request_id)
                break
            else:
                raise errors.PortNotFound(f"Port id {port_id} could not be found.")
            actions.begin(tx, ctxt, instance.uuid, DETACH, f"compute_{DETACH}", host_of(current))
        try:
            self._compute.on(host_of(current)).detach_interface(ctxt, current, port_id, port.mac_address)
        except rpc.RPCError as error:
            LOG.warning("%s does not detach port %s from %s: %s", current.host, port_id, current.uuid, error)
            with self._db.write() as tx:
                ports.ask_to_detach(tx, port, None)
                actions.end(tx, current.uuid, ctxt.request_id, words_of(error))
            raise errors.ComputeServiceUnavailable(host=current.host) from error

    @staticmethod
    def _ready(tx: Connection, instance: Instance, method: str) -> Instance:
        """Read an instance, which nothing changes before the transaction ends, if it may get or lose an interface."""
        current = instances.get(tx, instance.uuid, lock=True)
        for attr, is_right in (("vm_state", current.vm_state in STATES), ("task_state", current.task_state is None)):
            if not is_right:
                raise errors.InstanceInvalidState(
                    instance_uuid=current.uuid, method=method, attr=attr, state=getattr(current, attr)
                )
        return current
