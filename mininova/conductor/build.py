"""A build as the conductor leads it: find a host for each instance, and send the instance there.

The manager calls ``build`` for the api's cast, and ``reschedule`` when a compute node could not do its part; the next
alternate then gets the instance.  A compute node never commands another one.  What is built, for whom and where it may
still go is a record of the conductor's own (db/request_specs.py), so any conductor can go on with any build.

A delete wins over a build: the compare-and-swap then fails, and the build ends with a line in the log.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.memory import Memory
from mininova.context import RequestContext
from mininova.db import actions, claims, instances, networks, request_specs, services
from mininova.db.endings import LOST
from mininova.db.faults import MAX_MESSAGE_CHARS
from mininova.db.request_specs import Build
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import Fault, Instance, RequestSpec
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.service.faults import fault_of
from mininova.service.operation_ends import OperationEnds, is_unanswered

LOG = logging.getLogger(__name__)


class BuildTask:
    """Lead builds from the api's cast to the cast to a compute node.

    :param scheduler: chooses hosts
    :param compute: builds on one
    :ivar memory: of what this conductor changed last
    """

    def __init__(
        self, conf: ConfigOpts, db: Database, scheduler: SchedulerAPI, compute: ComputeAPI, notifier: rpc.Notifier
    ) -> None:
        self.conf, self.db, self.scheduler, self.compute, self.notifier = conf, db, scheduler, compute, notifier
        self.ends, self.memory = OperationEnds(conf, db, notifier, "conductor"), Memory()

    def build(self, ctxt: RequestContext, wanted: Sequence[Instance], spec: RequestSpec) -> None:
        """Have the scheduler choose hosts for all instances of a request together, then send each to its host.

        Why each has a message of its own: docs/adr/0027.
        """
        waiting = self._waiting(ctxt, wanted, spec)
        if not waiting:
            return
        try:
            chosen = self.scheduler.select_destinations(ctxt, spec, [instance.uuid for instance in waiting])
        except (errors.NoValidHost, errors.DatabaseAway, rpc.RPCError) as error:
            for instance in waiting:
                self._no_host(ctxt, instance, error)
            return
        for instance, hosts in zip(waiting, chosen, strict=True):
            self._send(ctxt, instance, Build(instance_uuid=instance.uuid, spec=spec, alternates=tuple(hosts)))

    def _no_host(self, ctxt: RequestContext, instance: Instance, error: Exception) -> None:
        """End a build for which no host was chosen; or keep it, for the sweeper, while no scheduler can tell."""
        asked_at = instance.created_at or datetime.now(UTC)
        may_wait = asked_at + timedelta(seconds=self.conf.operations.schedule_within) > datetime.now(UTC)
        if may_wait and is_unanswered(error):
            LOG.warning("conductor asks for a host for instance %s again later: %s", instance.uuid, error)
        else:
            LOG.error("conductor has no host for instance %s: %s", instance.uuid, error)
            waited = f"No scheduler chose a host within {self.conf.operations.schedule_within} s"
            self.ends.fail(ctxt, instance, "build", fault_of(error, waited if is_unanswered(error) else ""))

    def _send(self, ctxt: RequestContext, instance: Instance, build: Build) -> None:
        """Send an instance to the next host, where the scheduler has claimed its room."""
        host = build.next_host.host
        try:
            with self.db.write() as tx:
                placed = self._place(tx, instance, build)
        except (*LOST, _ClaimGone) as error:
            LOG.info("conductor drops the build of instance %s on %s: %s", instance.uuid, host, error)
            self.free_claim(instance, host)
            return
        self._cast(ctxt, placed, build.spec)

    @staticmethod
    def _place(tx: Connection, instance: Instance, build: Build) -> Instance:
        """Give an instance the next host, record what is left to try, and begin the host's step of the action.

        :param instance: as an api or a conductor wrote it
        """
        to = build.next_host
        placed = instances.update(
            tx,
            instance.uuid,
            {"host": to.host, "node": to.node, "availability_zone": to.availability_zone},
            generation=instance.generation,
            expected_task_state=(states.SCHEDULING,),
            host=None,
            known=instance,
        )
        if not request_specs.send(tx, build):
            raise _ClaimGone(to.host)
        actions.event_start(tx, instance.uuid, actions.ON_HOST["build"], to.host)
        return placed

    def _cast(self, ctxt: RequestContext, placed: Instance, spec: RequestSpec) -> None:
        self.memory.remember(placed, ctxt)
        try:
            self.compute.on(placed.host or "").build_instance(ctxt, placed, spec.image, spec.has_volumes)
        except rpc.Undeliverable as error:
            LOG.warning("conductor cannot send instance %s to %s: %s", placed.uuid, placed.host, error)
            with suppress(*LOST):  # it was deleted just now
                self.reschedule(placed, fault_of(error))

    # ---- the host could not build it: the next alternate may

    def reschedule(self, instance: Instance, fault: Fault, *, is_down: bool = False) -> None:
        """Take an instance back from the host that could not build it, and send it to the next one.

        :param is_down: whether that host is, so that it may have a guest, whose address is not lent again yet
        :raises errors.InstanceNotFound: when it is not on that host
        :raises errors.InstanceUpdateConflict: when that host is not building it
        """
        LOG.info("conductor takes instance %s back from %s: %s", instance.uuid, instance.host, fault.message)
        try:
            waiting, build = self._take_back(instance, fault, is_down)
        except LOST:
            again = self._taken_back_before(instance)
            if again is None:
                raise
            waiting, build = again
        with self.db.read() as tx:
            ctxt = self.memory.recorded(tx, instance.uuid)
        events.tell_update(self.notifier, ctxt, instance, waiting)
        self._send_to_an_alternate(ctxt, waiting, build, fault)

    def _take_back(self, instance: Instance, fault: Fault, is_down: bool) -> tuple[Instance, Build]:
        """Have an instance wait for a host again, free its room, and record the failure."""
        with self.db.write() as tx:
            waiting = instances.update(
                tx,
                instance.uuid,
                {"host": None, "node": None, "task_state": states.SCHEDULING},
                generation=instance.generation,
                expected_task_state=states.under_way("build"),
                host=instance.host,
            )
            chosen = waiting.networks == networks.CHOSEN  # ports that were asked for stay, as in an evacuation
            if is_down and not chosen and networks.free(tx, instance.uuid, guest_on=instance.host):
                waiting = waiting.replace(addresses=())
            build = request_specs.get(tx, instance.uuid).failed_on(
                instance.host or "", fault.message[:MAX_MESSAGE_CHARS]
            )
            request_specs.record(tx, build)
            actions.event_fail(tx, instance.uuid, fault.message)
            claims.free(tx, instance.uuid, instance.host)
        return waiting, build

    def _send_to_an_alternate(self, ctxt: RequestContext, instance: Instance, build: Build, fault: Fault) -> None:
        """Send an instance to the first alternate that is up and still has room, if any attempt is left."""
        attempts_left = build.spec.retry.attempts < self.conf.scheduler.max_attempts
        while attempts_left and build.alternates:
            try:
                placed = self._claim_and_place(instance, build)
            except LOST as error:
                LOG.info("conductor drops the build of instance %s: %s", instance.uuid, error)
                return
            if placed is not None:
                self._cast(ctxt, placed, build.spec)
                return
            build = build.sent()
        exhausted = errors.MaxRetriesExceeded(instance_uuid=instance.uuid, reason=fault.message)
        self.ends.fail(ctxt, instance, "build", fault_of(exhausted).replace(details=fault.details))

    def _claim_and_place(self, instance: Instance, build: Build) -> Instance | None:
        """Claim room on the next host and give the instance that host, both or neither.

        So a conductor that has sent the instance elsewhere meanwhile does not lose its claim to us.

        :return: None when the host is down, has no room, or the instance's server group may not have it there
        """
        host = build.next_host.host
        with self.db.write() as tx:
            if not services.is_host_up(tx, host, datetime.now(UTC), self.conf.service_down_time):
                return None
            if not claims.claim(tx, instance.uuid, host, instance.flavor, build.spec.group):
                return None
            return self._place(tx, instance, build)

    # ---- the build stood still, for its message was lost or its host is down

    def take_up(self, ctxt: RequestContext, instance: Instance, host_is_down: Fault | None) -> None:
        """Go on with a build from where its record is.

        :param host_is_down: the fault with which its host, if it has one, is given up
        :raises errors.InstanceUpdateConflict: when it has moved on
        """
        with self.db.read() as tx:
            build = request_specs.get(tx, instance.uuid)
        if instance.host is None:
            self.build(ctxt, [instance], build.spec)
        elif host_is_down is not None:
            self.reschedule(instance, host_is_down, is_down=True)
        else:
            self.compute.on(instance.host).build_instance(ctxt, instance, build.spec.image, build.spec.has_volumes)

    # ---- the message came before, and its conductor died, or another one is at it

    def _waiting(self, ctxt: RequestContext, wanted: Sequence[Instance], spec: RequestSpec) -> list[Instance]:
        """Give the instances that still need a host: not those that were deleted meanwhile, or have a host.

        An earlier delivery may have given an instance its host and died before it sent the cast, so that is sent now.
        A compute node that got it already ignores the second one.
        """
        uuids = [instance.uuid for instance in wanted]
        with self.db.read() as tx:
            generations = instances.without_host(tx, uuids)
            if all(generations.get(instance.uuid) == instance.generation for instance in wanted):
                return list(wanted)
            found = instances.get_many(tx, uuids)
        scheduling = [instance for instance in found if instance.task_state == states.SCHEDULING]
        for instance in scheduling:
            if instance.host is not None:
                self._cast(ctxt, instance, spec)
        return [instance for instance in scheduling if instance.host is None]

    def _taken_back_before(self, instance: Instance) -> tuple[Instance, Build] | None:
        """Find the instance as an earlier delivery of this message left it, if its conductor died just then."""
        with self.db.read() as tx:
            found, build = instances.get_many(tx, [instance.uuid]), request_specs.get(tx, instance.uuid)
        if build.spec.retry.hosts[-1:] != (instance.host,):
            return None
        taken_back = (None, states.SCHEDULING, instance.generation + 1)
        same = (row for row in found if (row.host, row.task_state, row.generation) == taken_back)
        return next(((row, build) for row in same), None)

    def free_claim(self, instance: Instance, host: str) -> None:
        """Give room back that was claimed for nothing, unless another conductor has sent the instance just there."""
        with self.db.write() as tx:
            if not any(row.host == host for row in instances.get_many(tx, [instance.uuid])):
                claims.free(tx, instance.uuid, host)


class _ClaimGone(Exception):
    """The room that was claimed on a host is not claimed any more: another conductor sends the instance elsewhere."""

    def __init__(self, host: str) -> None:
        super().__init__(f"it has no claim on {host} any more")
