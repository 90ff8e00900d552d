"""A build as the conductor leads it: schedule, give each instance its host, send it there; and again elsewhere.

The compute node does the work and never commands another one: when it cannot, it says so here, and the next
alternate gets the instance.  Whoever deletes an instance meanwhile wins: the compare-and-swap then fails, the
room is given back and the build ends without a word.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import RequestContext
from mininova.db import actions, claims, endings, instances, request_specs
from mininova.db.endings import LOST
from mininova.db.faults import LONGEST
from mininova.db.request_specs import Recorded
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import Fault, Instance, RequestSpec, Selection
from mininova.rpc.trust.denials import forbidden
from mininova.scheduler.rpcapi import SchedulerAPI

LOG = logging.getLogger(__name__)

BUILD_EVENT = "compute__do_build_and_run_instance"


class _ClaimGone(Exception):
    """The room that was claimed on a host is not claimed any more: another conductor sends the instance elsewhere."""

    def __init__(self, host: str) -> None:
        super().__init__(f"it has no claim on {host} any more")


class BuildFlow:
    """Lead builds from the api's cast to the cast to a compute node.

    :param scheduler: chooses hosts
    :param compute: builds on one
    """

    def __init__(
        self, conf: ConfigOpts, db: Database, scheduler: SchedulerAPI, compute: ComputeAPI, notifier: rpc.Notifier
    ) -> None:
        self.conf, self.db, self.scheduler, self.compute, self.notifier = conf, db, scheduler, compute, notifier

    def build(self, ctxt: RequestContext, wanted: Sequence[Instance], spec: RequestSpec) -> None:
        """Schedule all instances of a request together, then send each to its host."""
        waiting = self._still_scheduling(ctxt, wanted, spec)
        if not waiting:
            return
        try:
            chosen = self.scheduler.select_destinations(ctxt, spec, [instance.uuid for instance in waiting])
        except (errors.NoValidHost, rpc.RPCError) as error:
            for instance in waiting:
                self._give_up(ctxt, instance, _fault(error))
            return
        for instance, (first, *alternates) in zip(waiting, chosen, strict=True):
            self._send(ctxt, instance, spec, first, alternates)

    def reschedule(
        self, ctxt: RequestContext, instance: Instance, spec: RequestSpec, alternates: Sequence[Selection], fault: Fault
    ) -> None:
        """Take an instance back from the host that could not build it, and send it to the next one.

        What is built, for whom and where it may still go was recorded when it was sent to that host, and counts.

        :param spec: what the host was asked to build, as it says
        :param alternates: where it may still go, as it says
        :raises errors.InstanceNotFound: when it is not on that host
        :raises errors.InstanceUpdateConflict: when that host is not building it
        :raises rpc.Forbidden: when the host says something else than is recorded, after what is recorded was done
        """
        LOG.info("instance %s could not be built on %s: %s", instance.uuid, instance.host, fault.message)
        try:
            with self.db.write() as tx:
                waiting = self._take_back(tx, instance)
                recorded = request_specs.get(tx, instance.uuid)
                if recorded is None:  # what was sent before there were records goes nowhere else
                    alternates = ()
                    recorded = Recorded(instance_uuid=instance.uuid, context=ctxt, spec=spec, alternates=alternates)
                recorded = self._record_failure(tx, recorded, instance.host or "", fault)
        except LOST:
            again = self._taken_back_before(instance)
            if again is None:
                raise
            waiting, recorded = again
        events.tell_update(self.notifier, recorded.context, instance, waiting)
        self._next(waiting, recorded, fault)
        _denounce(recorded, spec, alternates)

    def _next(self, instance: Instance, recorded: Recorded, fault: Fault) -> None:
        """Send an instance to the first alternate that still has room, if any attempt is left."""
        ctxt, spec, alternates = recorded.context, recorded.spec, recorded.alternates
        attempts_left = spec.retry.attempts < self.conf.scheduler.max_attempts
        for position, selection in enumerate(alternates if attempts_left else ()):
            left = alternates[position + 1 :]
            try:
                placed = self._claim_and_place(ctxt, instance, spec, selection, left)
            except LOST as error:
                LOG.info("instance %s is not to be built any more: %s", instance.uuid, error)
                return
            if placed is not None:
                self._cast(ctxt, placed, spec, left)
                return
        exhausted = errors.MaxRetriesExceeded(instance_uuid=instance.uuid, reason=fault.message)
        self._give_up(ctxt, instance, _fault(exhausted))

    def _claim_and_place(
        self,
        ctxt: RequestContext,
        instance: Instance,
        spec: RequestSpec,
        to: Selection,
        alternates: Sequence[Selection],
    ) -> Instance | None:
        """Claim room on a host and give the instance that host, both or neither; None when there is no room.

        So whoever else has sent it somewhere meanwhile does not lose its claim to us.
        """
        with self.db.write() as tx:
            if not claims.claim(tx, instance.uuid, to.host, instance.flavor):
                return None
            return self._place(tx, ctxt, instance, spec, to, alternates)

    def _send(
        self,
        ctxt: RequestContext,
        instance: Instance,
        spec: RequestSpec,
        to: Selection,
        alternates: Sequence[Selection],
    ) -> None:
        """Give the instance its host, where the scheduler has claimed room, and have it built there."""
        try:
            with self.db.write() as tx:
                placed = self._place(tx, ctxt, instance, spec, to, alternates)
                if claims.hosts_of(tx, [instance.uuid]).get(instance.uuid) != to.host:
                    raise _ClaimGone(to.host)
        except (*LOST, _ClaimGone) as error:
            LOG.info("instance %s is not to be built any more: %s", instance.uuid, error)
            self._free_claim(instance, to.host)
            return
        self._cast(ctxt, placed, spec, alternates)

    @staticmethod
    def _place(
        tx: Connection,
        ctxt: RequestContext,
        instance: Instance,
        spec: RequestSpec,
        to: Selection,
        alternates: Sequence[Selection],
    ) -> Instance:
        """Write down which host an instance goes to, and what that host is sent."""
        placed = instances.update(
            tx,
            instance.uuid,
            {"host": to.host, "node": to.node, "availability_zone": to.availability_zone},
            generation=instance.generation,
            expected_task_state=(states.SCHEDULING,),
            host=None,
        )
        recorded = Recorded(instance_uuid=instance.uuid, context=ctxt, spec=spec, alternates=tuple(alternates))
        request_specs.record(tx, recorded)
        actions.event_start(tx, instance.uuid, ctxt.request_id, BUILD_EVENT, to.host)
        return placed

    def _cast(self, ctxt: RequestContext, placed: Instance, spec: RequestSpec, alternates: Sequence[Selection]) -> None:
        try:
            self.compute.on(placed.host or "").build_instance(ctxt, placed, spec, list(alternates))
        except rpc.Undeliverable as error:
            with suppress(*LOST):  # it was deleted just now
                self.reschedule(ctxt, placed, spec, alternates, _fault(error))

    def _free_claim(self, instance: Instance, host: str) -> None:
        """Give room back that was claimed for nothing, unless another conductor has sent the instance just there."""
        with self.db.write() as tx:
            if not any(row.host == host for row in instances.get_many(tx, [instance.uuid])):
                claims.free(tx, instance.uuid, host)

    def _still_scheduling(self, ctxt: RequestContext, wanted: Sequence[Instance], spec: RequestSpec) -> list[Instance]:
        """Give those that still need a host: not what was deleted meanwhile, nor what an earlier delivery sent away.

        What that delivery gave a host but may not have sent there, since its conductor died, is sent now; to a compute
        node that has it already a second build is harmless.
        """
        with self.db.read() as tx:
            found = instances.get_many(tx, [instance.uuid for instance in wanted])
        scheduling = [instance for instance in found if instance.task_state == states.SCHEDULING]
        for instance in scheduling:
            if instance.host is not None:
                self._cast(ctxt, instance, spec, ())
        return [instance for instance in scheduling if instance.host is None]

    @staticmethod
    def _take_back(tx: Connection, instance: Instance) -> Instance:
        """Have an instance wait for a host again."""
        waiting = instances.update(
            tx,
            instance.uuid,
            {"host": None, "node": None, "task_state": states.SCHEDULING},
            generation=instance.generation,
            expected_task_state=states.under_way("build"),
            host=instance.host,
        )
        claims.free(tx, instance.uuid, instance.host)
        return waiting

    @staticmethod
    def _record_failure(tx: Connection, recorded: Recorded, host: str, fault: Fault) -> Recorded:
        """Write down that a host could not build an instance."""
        tried = recorded.tried(host, fault.message[:LONGEST])
        request_specs.record(tx, tried)
        request_id = tried.context.request_id
        actions.event_finish(tx, tried.instance_uuid, request_id, BUILD_EVENT, "Error", fault.message)
        return tried

    def _taken_back_before(self, instance: Instance) -> tuple[Instance, Recorded] | None:
        """Find the instance as an earlier delivery of this message left it, if its conductor died just then."""
        with self.db.read() as tx:
            found, recorded = instances.get_many(tx, [instance.uuid]), request_specs.get(tx, instance.uuid)
        if recorded is None or recorded.spec.retry.hosts[-1:] != (instance.host,):
            return None
        taken_back = (None, states.SCHEDULING, instance.generation + 1)
        same = (row for row in found if (row.host, row.task_state, row.generation) == taken_back)
        return next(((row, recorded) for row in same), None)

    def _give_up(self, ctxt: RequestContext, instance: Instance, fault: Fault) -> None:
        """End a build in ERROR, with a fault that its owner can read."""
        LOG.warning("instance %s was not built: %s", instance.uuid, fault.message)
        try:
            with self.db.write() as tx:
                new = endings.fail(tx, ctxt, instance, "build", fault)
        except LOST as error:
            LOG.info("instance %s has no use for a fault: %s", instance.uuid, error)
            return
        events.tell_update(self.notifier, ctxt, instance, new)
        events.tell(self.notifier, ctxt, new, "create", "error", message=fault.message, code=fault.code)


def _denounce(recorded: Recorded, spec: RequestSpec, alternates: Sequence[Selection]) -> None:
    """Deny a host what it has not been sent: another flavor, image or owner, or another place to go to.

    The instance's owner must not suffer for it, so that comes last.
    """
    known = {selection.host for selection in recorded.alternates}
    if _what(spec) != _what(recorded.spec) or not known.issuperset(selection.host for selection in alternates):
        reason = "it was sent something else to build, or other alternates, and that was done"
        raise forbidden(rpc.caller(), "reschedule_instance", recorded.instance_uuid, reason)


def _what(spec: RequestSpec) -> tuple[object, ...]:
    """Give what no host may change in a spec; not all of it, since an older one may have dropped fields."""
    flavor = spec.flavor
    return (flavor.flavor_id, flavor.vcpus, flavor.memory_mb, flavor.disk_gb, spec.image.id, spec.project_id)


def _fault(error: Exception) -> Fault:
    """Put an error into words for the instance's owner."""
    return Fault(code=getattr(error, "http_status", 500), message=str(error), created_at=datetime.now(UTC))
