"""What a compute node is asked about an instance or about itself, and forgets: none of it is an operation."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from mininova import errors, rpc, states
from mininova.api.requirements import host_of, require_unlocked
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import RequestContext
from mininova.db import actions, block_devices, console_auth_tokens, instances, services
from mininova.db.aggregates import Aggregate
from mininova.db.session import Database
from mininova.objects import Console, Instance

LOG = logging.getLogger(__name__)

# The vm_states in which a guest may run that could dump its memory.
CRASH_DUMPS = frozenset({states.ACTIVE, states.PAUSED, states.RESCUED, states.RESIZED, states.ERROR})

# The events for which a host may wait (mininova/compute/plugging.py); the others mean nothing to a fake guest.
AWAITED = frozenset({"network-vif-plugged"})

# The task_states in which an instance is about to leave its host.
NO_CONSOLE = frozenset({states.DELETING, states.MIGRATING})


class Questions:
    """Asks compute nodes.

    :param down_time: seconds without a heartbeat after which one counts as down
    :param token_ttl: for how many seconds a console can be opened that was asked for
    """

    def __init__(self, db: Database, compute: ComputeAPI, down_time: float, token_ttl: float = 600) -> None:
        self._db, self._compute, self._down_time, self._token_ttl = db, compute, down_time, token_ttl

    def console_output(self, ctxt: RequestContext, instance: Instance, length: int | None) -> str:
        """Read an instance's console.

        :param length: how many lines of its tail; None means all
        :raises errors.Conflict: when it has no host yet, or its host does not answer
        :raises errors.GuestNotFound: when no guest runs there
        """
        output: str = self._ask(instance, lambda compute: compute.get_console_output(ctxt, instance, length))
        return output

    def remote_console(self, ctxt: RequestContext, instance: Instance, protocol: str, console_type: str) -> str:
        """Have an instance's console be opened by a new token, and give the URL with it.

        :raises errors.Conflict: when it has no host yet, leaves it, or its host does not answer
        :raises errors.InvalidInput: when its host has no such console
        """
        host_of(instance)
        if instance.task_state in NO_CONSOLE:
            raise errors.InstanceInvalidState(
                instance_uuid=instance.uuid, method=f"get_{protocol}_console", attr="task_state",
                state=instance.task_state,
            )  # fmt: skip
        console: Console = self._ask(
            instance, lambda compute: compute.get_remote_console(ctxt, instance, protocol, console_type)
        )
        token, now = str(uuid4()), datetime.now(UTC)
        with self._db.write() as tx:
            console_auth_tokens.authorize(tx, token, instance, console_type, console, now, self._token_ttl)
        LOG.info("api lets user %s open a %s console of instance %s", ctxt.user_id, console_type, instance.uuid)
        query = urlencode({"token": token})
        # noVNC takes the address of its websocket from a parameter named path.
        return f"{console.access_url_base}?{urlencode({'path': f'?{query}'}) if console_type == 'novnc' else query}"

    def trigger_crash_dump(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have an instance's guest dump its memory.

        :raises errors.Conflict: when it is locked, not in a state for it, or its host does not answer
        """
        require_unlocked(ctxt, instance)
        host_of(instance)
        if instance.vm_state not in CRASH_DUMPS or instance.task_state is not None:
            attr = "task_state" if instance.vm_state in CRASH_DUMPS else "vm_state"
            raise errors.InstanceInvalidState(
                instance_uuid=instance.uuid, method="trigger_crash_dump", attr=attr, state=getattr(instance, attr)
            )
        self._ask(instance, lambda compute: compute.trigger_crash_dump(ctxt, instance))
        with self._db.write() as tx:
            actions.record(tx, ctxt, instance.uuid, "trigger_crash_dump", "compute_trigger_crash_dump")

    def volume_snapshot_create(self, ctxt: RequestContext, volume_id: str, snapshot_id: str) -> None:
        """Have a snapshot be made of a volume that a guest has open; the volume service keeps what becomes of it.

        :raises errors.InvalidInput: when no instance has the volume, several have it, or something is being done to it
        :raises errors.Conflict: when the instance has no host, or its host is away
        """
        instance = self._that_has(volume_id, "do_volume_snapshot_create")
        self._ask(instance, lambda compute: compute.volume_snapshot_create(ctxt, instance, volume_id, snapshot_id))

    def volume_snapshot_delete(self, ctxt: RequestContext, volume_id: str, snapshot_id: str, *, merges: bool) -> None:
        """Have a snapshot of such a volume be deleted.

        :param merges: whether it is not the newest one; then the guest has to run
        :raises errors.InvalidInput: and errors.Conflict, as ``volume_snapshot_create`` does
        """
        instance = self._that_has(volume_id, "do_volume_snapshot_delete")
        if merges and instance.vm_state != states.ACTIVE:
            raise _not_in_state(instance, "volume_snapshot_delete", "vm_state")
        self._ask(instance, lambda compute: compute.volume_snapshot_delete(ctxt, instance, volume_id, snapshot_id))

    def _that_has(self, volume_id: str, method: str) -> Instance:
        with self._db.read() as tx:
            owners = {it.instance_uuid for it in block_devices.of_volume(tx, volume_id)}
            if not owners:
                raise errors.VolumeNotAttached(volume_id=volume_id)
            if len(owners) > 1:
                raise errors.VolumeHasManyInstances(volume_id=volume_id)
            instance = instances.get(tx, owners.pop())
        host_of(instance)
        if instance.task_state is not None:
            raise _not_in_state(instance, method, "task_state")
        return instance

    def diagnostics(self, ctxt: RequestContext, instance: Instance) -> dict[str, Any]:
        """Read an instance's counters, in the words of the driver contract.

        :raises errors.Conflict: when it has no host yet, its guest does not run, or its host does not answer
        :raises errors.GuestNotFound: when no guest runs there
        """
        host_of(instance)
        if instance.power_state != states.RUNNING:
            raise errors.InstanceInvalidState(
                instance_uuid=instance.uuid, method="get_diagnostics", attr="power state",
                state=states.POWER_NAMES[instance.power_state],
            )  # fmt: skip
        counters: dict[str, Any] = self._ask(instance, lambda compute: compute.get_diagnostics(ctxt, instance))
        return counters

    def host_uptime(self, ctxt: RequestContext, host: str) -> str:
        """Ask a host how long it has been running.

        :raises errors.NotSupported: when its hypervisor does not know
        :raises errors.Conflict: when it does not answer
        """
        uptime: str = self._ask_host(host, "itself", lambda compute: compute.get_host_uptime(ctxt))
        return uptime

    def cache_images(self, ctxt: RequestContext, aggregate: Aggregate, image_ids: list[str]) -> None:
        """Have the hosts of a host aggregate that are up fetch images; each tells how that went by a notification."""
        now = datetime.now(UTC)
        with self._db.read() as tx:
            hosts = services.hosts_up(tx, aggregate.hosts, now, self._down_time)
        for host in hosts:
            try:
                self._compute.on(host).cache_images(ctxt, aggregate.name, image_ids)
            except rpc.RPCError as error:
                LOG.warning("api cannot have %s cache images of aggregate %s: %s", host, aggregate.name, error)

    def external_event(self, ctxt: RequestContext, instance: Instance, event: Mapping[str, Any]) -> None:
        """Tell an instance's host of an event for which a host may wait; one that is away hears nothing.

        :param event: as in the body of POST /os-server-external-events
        """
        name, status = event["name"], event.get("status", "completed")
        if name not in AWAITED:
            return
        try:
            self._compute.on(host_of(instance)).external_instance_event(ctxt, instance, name, event.get("tag"), status)
        except rpc.RPCError as error:
            LOG.warning("api cannot tell %s of %s of instance %s: %s", instance.host, name, instance.uuid, error)

    def _ask(self, instance: Instance, question: Callable[[ComputeAPI], Any]) -> Any:
        return self._ask_host(host_of(instance), instance.uuid, question)

    def _ask_host(self, host: str, about: str, question: Callable[[ComputeAPI], Any]) -> Any:
        try:
            return question(self._compute.on(host))
        except rpc.RPCError as error:
            LOG.warning("%s does not answer about %s: %s", host, about, error)
            raise errors.ComputeServiceUnavailable(host=host) from error


def _not_in_state(instance: Instance, method: str, attr: str) -> errors.InvalidInput:
    """Refuse what is asked of a volume, in Nova's words for that."""
    state = f"Instance {instance.uuid} in {attr} {getattr(instance, attr)}"
    return errors.InvalidInput(f"{state}. Cannot {method} while the instance is in this state.")
