"""Shelved instances, as a conductor leads them: off their hosts when their time there is over, and onto another one.

A shelved instance keeps its host for ``[operations] shelved_offload_time``; then a conductor has the host remove the
guest, and the instance is on no host.  To unshelve it is to have the scheduler choose a host, as for a build, and to
send it there with the image that its shelving made.  Another host is not tried when the first one fails (nova:
conductor/manager.py, unshelve_instance): the instance is offloaded as before.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.compute.rpcapi import COMMANDS
from mininova.conductor.build import BuildTask
from mininova.conductor.snapshots import Snapshots
from mininova.context import RequestContext, service_context
from mininova.db import actions, claims, instances, open_operations, request_specs, services
from mininova.db.endings import LOST
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import NO_ARGUMENTS, Arguments, ImageMeta, Instance, RequestSpec, Retry, Selection
from mininova.service.faults import fault_of
from mininova.service.operation_ends import is_unanswered

LOG = logging.getLogger(__name__)

FOR_EVER = -1  # a shelved_offload_time that never ends


def _now() -> datetime:
    return datetime.now(UTC)


class Shelving:
    """Lead instances off their hosts, and onto others.

    :param builds: knows the scheduler, and the computes
    :param snapshots: reads the images
    :param clock: tells the time
    """

    def __init__(
        self,
        conf: ConfigOpts,
        db: Database,
        builds: BuildTask,
        snapshots: Snapshots,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.conf, self.db, self.builds, self.snapshots, self._clock = conf, db, builds, snapshots, clock

    # ---- onto a host

    def unshelve(self, ctxt: RequestContext, instance: Instance) -> None:
        """Have the scheduler choose a host for an offloaded instance, and send it there."""
        try:
            with self.db.read() as tx:
                operation = open_operations.of(tx, instance.uuid)
                asked = (operation.arguments if operation is not None else None) or NO_ARGUMENTS
                spec = _spec(request_specs.get(tx, instance.uuid).spec, asked)
        except errors.InstanceNotFound as gone:
            return LOG.info("conductor drops the unshelving of instance %s: %s", instance.uuid, gone)
        try:
            image = self.snapshots.image(service_context(), asked.image.id) if asked.image.id else spec.image
            ((to, *_),) = self.builds.scheduler.select_destinations(ctxt, spec, [instance.uuid])
        except (errors.MininovaError, rpc.RPCError) as error:
            return self._no_host(ctxt, instance, error)
        try:
            with self.db.write() as tx:
                placed = self._place(tx, instance, to)
        except LOST as lost:
            LOG.info("conductor drops the unshelving of instance %s on %s: %s", instance.uuid, to.host, lost)
            return self.builds.free_claim(instance, to.host)
        return self._send(ctxt, placed, image, asked.has_volumes)

    def _place(self, tx: Connection, instance: Instance, to: Selection) -> Instance:
        """Give an instance the host where the scheduler has claimed its room."""
        placed = instances.update(
            tx,
            instance.uuid,
            {"host": to.host, "node": to.node, "availability_zone": to.availability_zone},
            generation=instance.generation,
            expected_task_state=(states.UNSHELVING,),
            host=None,
        )
        claims.require(tx, instance.uuid, to.host)
        actions.event_start(tx, instance.uuid, actions.ON_HOST["unshelve"], to.host)
        return placed

    def _send(self, ctxt: RequestContext, placed: Instance, image: ImageMeta, has_volumes: bool) -> None:
        self.builds.memory.remember(placed, ctxt)
        try:
            self.builds.compute.on(placed.host or "").unshelve_instance(ctxt, placed, image, has_volumes)
        except rpc.Undeliverable as error:
            LOG.warning("conductor cannot send instance %s to %s: %s", placed.uuid, placed.host, error)
            self.builds.ends.fail(ctxt, placed, "unshelve", fault_of(error, f"{placed.host} could not be asked"))

    def _no_host(self, ctxt: RequestContext, instance: Instance, error: Exception) -> None:
        """End an unshelving for which there is no host or no image; or leave it to the sweeper."""
        if is_unanswered(error):
            LOG.warning("conductor asks for a host for instance %s again later: %s", instance.uuid, error)
            return
        LOG.warning("conductor cannot unshelve instance %s: %s", instance.uuid, error)
        self.builds.ends.fail(ctxt, instance, "unshelve", fault_of(error))

    # ---- off a host

    def offload_due(self) -> None:
        """Begin to offload what was shelved long enough ago, and what needs no host: its conductor may have died."""
        time_s, found = self.conf.operations.shelved_offload_time, list[str]()
        with self.db.read() as tx:
            if time_s != FOR_EVER:
                found += actions.at_rest_since(tx, "shelve", self._clock() - timedelta(seconds=time_s))
            if time_s != 0:
                found += actions.shelved_on_volumes(tx)
        for uuid in dict.fromkeys(found):
            self.offload(service_context(), uuid)

    def offload(self, ctxt: RequestContext, uuid: str) -> None:
        """Begin to offload an instance that was shelved just now, unless something else is done to it."""
        try:
            self._offload(ctxt, uuid)
        except (*LOST, errors.InstanceInvalidState) as lost:
            LOG.info("conductor leaves the shelved instance %s alone: %s", uuid, lost)

    def _offload(self, ctxt: RequestContext, uuid: str) -> None:
        """Have a host that is up remove the guest of a shelved instance."""
        with self.db.write() as tx:
            before = instances.get(tx, uuid)
            host = before.host
            if host is None or not services.is_host_up(tx, host, self._clock(), self.conf.service_down_time):
                return
            begun = instances.update(
                tx,
                uuid,
                states.begin("shelve_offload", before),
                generation=before.generation,
                expected_task_state=(None,),
                host=host,
            )
            due_after = self.conf.operations.due_after
            actions.start(tx, ctxt, [begun], "shelve_offload", host, due_after=due_after)
        LOG.info("conductor has %s offload instance %s, whose time there is over", host, uuid)
        events.tell_update(self.builds.notifier, ctxt, before, begun)
        try:
            COMMANDS["shelve_offload"](self.builds.compute.on(host), ctxt, begun, NO_ARGUMENTS)
        except rpc.RPCError as error:
            LOG.warning("conductor sends the offload of %s to %s again later: %s", uuid, host, error)


def _spec(spec: RequestSpec, asked: Arguments) -> RequestSpec:
    """Give what the scheduler is asked: what the owner asked for at first, but for the host."""
    return spec.replace(num_instances=1, requested_host=asked.host, requested_node=None, retry=Retry())
