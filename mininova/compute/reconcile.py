"""The guests of a host and its instances are made to agree: at start-up, and again and again (nova: sync_power_states).

It asks the driver which guests are on the host, and the conductor which instances.  A guest without an instance here is
destroyed; an instance without a guest is shown so; and where the two differ in whether the guest runs, BECOMES decides.

All of this goes on while messages are served, and four things keep it from doing harm.  The guests are listed before
the instances, so that a build that has just begun does not look like a guest without an instance.  What a message is
being worked on for is left alone: an instance is looked at under its lock, and only if that is free.  An operation
that was accepted is left alone, too: its message comes, or a conductor sends it again.  And each change begins with a
compare-and-swap, so that what was read too long ago changes nothing.

An instance that left this host while it was down has left an address behind, and maybe a guest that uses it.  The
conductor lends that address again when this host has said that the guest is gone (docs/adr/0017).

An instance on its way to another host has a guest on both, until its owner has said which one is to stay.  Each of the
two hosts keeps its guest, and only the one that the instance is on looks whether that runs.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from mininova import errors, rpc, states
from mininova.compute import pages
from mininova.compute.locks import InstanceLocks
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.objects import Instance, InstanceChanges
from mininova.virt.driver import ComputeDriver

LOG = logging.getLogger(__name__)

# What becomes of an instance at rest, by its state and by what the hypervisor says of its guest; NOSTATE means that
# there is none.  All other pairs stay as they are, with the power state written down.
BECOMES: Mapping[tuple[str, int], str] = {
    (states.ACTIVE, states.SHUTDOWN): states.STOPPED,
    (states.ACTIVE, states.CRASHED): states.STOPPED,
    (states.ACTIVE, states.POWER_SUSPENDED): states.STOPPED,
    (states.PAUSED, states.SHUTDOWN): states.STOPPED,
    (states.PAUSED, states.CRASHED): states.STOPPED,
    **{
        (vm_state, states.NOSTATE): states.ERROR
        for vm_state in (states.ACTIVE, states.STOPPED, states.PAUSED, states.SUSPENDED, states.RESCUED, states.SHELVED)
    },
}
RUNS = {states.RUNNING, states.POWER_PAUSED}  # a guest of a stopped or shelved instance that does is stopped


class Reconciler:
    """Make the guests of a host and its instances agree.

    :param locks: those of the manager, which works on messages at the same time
    """

    def __init__(self, host: str, driver: ComputeDriver, conductor: ConductorAPI, locks: InstanceLocks) -> None:
        self._host, self._driver, self._conductor, self._locks = host, driver, conductor, locks

    def reconcile(self, ctxt: RequestContext) -> None:
        """Destroy guests that have no instance here, and correct what is no longer true of those that have.

        :raises rpc.RPCError: when the conductor does not answer; what was done until then stays done
        """
        guests = self._driver.list_instance_uuids()  # before the instances: see above
        here, departed = self._ask(ctxt)
        gone = {*guests, *departed} - {instance.uuid for instance in here}
        if gone:
            self._remove(ctxt, gone, guests)
        for instance in (it for it in here if it.host == self._host):
            if instance.task_state is None:
                with _logged(instance):
                    self._settle(ctxt, instance)

    def clear(self, ctxt: RequestContext, uuid: str) -> None:
        """Destroy the guest of an instance, if there is one and the instance is not here."""
        guests = self._driver.list_instance_uuids()
        if uuid in guests:
            self._remove(ctxt, {uuid}, guests)

    def _ask(self, ctxt: RequestContext, cleared: Sequence[str] = ()) -> tuple[list[Instance], list[str]]:
        """Ask which instances are here, and which left while this host was down.

        :param cleared: of which there is certainly no guest here
        """
        departed = list[str]()

        def page(marker: str, limit: int) -> list[Instance]:
            nonlocal departed
            told = [] if marker else list(cleared)
            here, departed = self._conductor.reconcile_host(ctxt, self._host, told, marker, limit)
            return here

        try:
            return pages.read(page), departed
        except rpc.UnsupportedVersion:  # the conductors are of acrux, which lends the addresses again at once
            return self._conductor.get_instances(ctxt, self._host), []

    # ---- guests without an instance

    def _remove(self, ctxt: RequestContext, gone: Collection[str], guests: Collection[str]) -> None:
        """Destroy the guests of instances that are not here, and tell the conductor of those that it waits for.

        With their locks held no build can begin, and one that came meanwhile is seen when we ask again.
        """
        with self._locks.idle(gone) as idle:
            here, departed = self._ask(ctxt)
            removable = sorted(idle - {instance.uuid for instance in here})
            cleared = [uuid for uuid in removable if self._destroyed(uuid, uuid in guests)]
        if told := sorted(set(cleared) & set(departed)):
            self._ask(ctxt, told)

    def _destroyed(self, uuid: str, there: bool) -> bool:
        """Destroy a guest; tell whether it is certainly gone.

        :param there: whether it was seen; if not, it may have been made since
        """
        if there:
            LOG.warning("compute destroys the guest of instance %s, which is not on this host", uuid)
        try:
            self._driver.destroy(uuid)
        except Exception as error:  # a hypervisor may raise anything: the next round tries again
            LOG.error("compute could not destroy the guest of instance %s: %s", uuid, error)
            return False
        return True

    # ---- instances that are here

    def _settle(self, ctxt: RequestContext, instance: Instance) -> None:
        """Make an instance at rest and its guest agree, unless something is being done to it by now."""
        with self._locks.idle([instance.uuid]) as idle:
            if idle:
                self._compare(ctxt, instance, self._power_state(instance))

    def _compare(self, ctxt: RequestContext, instance: Instance, power_state: int) -> None:
        failed_to_build = instance.vm_state == states.ERROR and instance.launched_at is None
        if failed_to_build and power_state != states.NOSTATE:
            return self._clear_up(ctxt, instance)
        becomes = BECOMES.get((instance.vm_state, power_state), instance.vm_state)
        to_stop = instance.vm_state in (states.STOPPED, states.SHELVED) and power_state in RUNS
        if (power_state, becomes) == (instance.power_state, instance.vm_state) and not to_stop:
            return None
        changes = InstanceChanges(power_state=power_state)
        if becomes != instance.vm_state:
            changes = changes.replace(vm_state=becomes)
        LOG.warning(
            "compute found instance %s %s and its guest in power state %d, and writes %s",
            instance.uuid, instance.vm_state, power_state, changes.written(),
        )  # fmt: skip
        instance = self._conductor.update_instance(ctxt, instance, None, changes)
        return self._stop(ctxt, instance) if to_stop else None

    def _clear_up(self, ctxt: RequestContext, instance: Instance) -> None:
        """Destroy what is left of a build that was given up: its room was given back."""
        LOG.warning("compute destroys the guest of instance %s, whose build has failed", instance.uuid)
        self._conductor.update_instance(ctxt, instance, None, InstanceChanges(power_state=states.NOSTATE))
        self._destroyed(instance.uuid, False)

    def _stop(self, ctxt: RequestContext, instance: Instance) -> None:
        """Stop a guest that runs though its instance is not to: its owner wants it so."""
        LOG.warning("compute stops the guest of instance %s, which is %s", instance.uuid, instance.vm_state)
        self._driver.power_off(instance)
        stopped = InstanceChanges(power_state=self._power_state(instance))
        self._conductor.update_instance(ctxt, instance, None, stopped)

    def _power_state(self, instance: Instance) -> int:
        try:
            return self._driver.get_info(instance)
        except errors.GuestNotFound:
            return states.NOSTATE


@contextmanager
def _logged(instance: Instance) -> Iterator[None]:
    """Log what goes wrong with one instance, which must not keep the others from being looked at."""
    try:
        yield
    except (errors.InstanceUpdateConflict, errors.InstanceNotFound) as moved:
        LOG.info("compute leaves instance %s alone, which has moved on: %s", instance.uuid, moved)
    except errors.MininovaError as error:
        LOG.error("compute could not make instance %s and its guest agree: %s", instance.uuid, error)
