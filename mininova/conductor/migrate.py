"""A migration as the conductor leads it: choose a host, then have the two hosts take their steps, one after the other.

The api begins an operation of states.MIGRATIONS, and ``go_on`` sends the first step to its host.  That host takes it up
(``begin_step``) and says how it went (``end_step``, ``fail_step``); then the next step goes to the other host.  No
compute node ever commands another one, and each may speak of the instance only while a step of its own is due
(docs/adr/0022).  The table of steps is in steps.py, and the row of the migration is all that a conductor needs to go
on with it: so the sweeper, too, calls ``go_on``.

A delete wins over a migration: there is no open one any more, and what a host says of it comes too late.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.steps import CHOSEN_FOR, FIRST, STEPS, host_of
from mininova.context import RequestContext
from mininova.db import (
    actions,
    block_devices,
    claims,
    hosts,
    instances,
    open_operations,
    request_specs,
    server_migrations,
    services,
)
from mininova.db.endings import LOST
from mininova.db.faults import MAX_MESSAGE_CHARS
from mininova.db.open_operations import OpenOperation
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import NO_ARGUMENTS, BlockDevice, Fault, Instance, Migration, RequestSpec, Retry, Selection
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.service.attachments import AttachmentEnds
from mininova.service.faults import fault_of
from mininova.service.operation_ends import OperationEnds, is_unanswered

LOG = logging.getLogger(__name__)

TYPES = {
    "resize": "resize", "migrate": "migration", "live_migrate": "live-migration", "evacuate": "evacuation"
}  # fmt: skip


class MigrationTask:
    """Lead migrations from the api's cast to their last step.

    :param scheduler: chooses hosts
    :param compute: takes steps on one
    :param attachments: tells the volume service where an instance comes with its volumes
    """

    def __init__(
        self,
        conf: ConfigOpts,
        db: Database,
        scheduler: SchedulerAPI,
        compute: ComputeAPI,
        notifier: rpc.Notifier,
        attachments: AttachmentEnds,
    ) -> None:
        self._attachments = attachments
        self.conf, self.db, self.scheduler, self.compute, self.notifier = conf, db, scheduler, compute, notifier
        self.ends = OperationEnds(conf, db, notifier, "conductor")

    def go_on(self, uuid: str) -> None:
        """Go on with what is being done to an instance from where its record is, which may be its beginning.

        It does so in the name of the request that is recorded: an evacuation may have taken the place of the one whose
        message this is.
        """
        try:
            with self.db.write() as tx:
                instance, operation = self._under_way(tx, uuid)
                migration = server_migrations.of_instance(tx, uuid)
                if migration is None or migration.step is None:
                    instance = self._swap(tx, instance, {"task_state": instance.task_state})  # one conductor goes on
                    migration = self._begin(tx, instance, migration, operation)
            if migration.step is None:
                instance, migration = self._choose(instance, migration, operation)
                if operation.operation == "evacuate":
                    events.tell_evacuation(self.notifier, operation.context, instance, events.REBUILD_SCHEDULED)
        except (_NoHost, *LOST) as lost:
            return LOG.info("conductor does not go on with the migration of instance %s: %s", uuid, lost)
        return self._send(operation.context, instance, migration)

    def _begin(
        self, tx: Connection, instance: Instance, migration: Migration | None, operation: OpenOperation
    ) -> Migration:
        """Make a migration that begins, or have the first step be due of the operation that ends one.

        :raises errors.InstanceNotFound: when there is none to end
        """
        first, asked = FIRST[operation.operation], operation.arguments or NO_ARGUMENTS
        if first not in CHOSEN_FOR:
            if migration is None:
                raise errors.InstanceNotFound(instance_uuid=instance.uuid)
            return self._due(tx, instance, migration, first)
        if migration is not None:  # the host that was chosen could not take it
            return migration
        may_stay = asked.flavor is not None and self.conf.operations.allow_resize_to_same_host
        avoid = Retry() if may_stay else Retry(hosts=(instance.host or "",))
        kind, flavor = TYPES[operation.operation], asked.flavor or instance.flavor
        rests = states.STOPPED if asked.stopped and instance.vm_state != states.ERROR else instance.vm_state
        return server_migrations.begin(tx, instance, kind, flavor, avoid, rests)

    # ---- the host that it goes to

    def _choose(self, instance: Instance, migration: Migration, operation: OpenOperation) -> tuple[Instance, Migration]:
        """Have the scheduler choose a host and claim the room there, and make its step the one that is due.

        A host that an administrator forces is claimed without it: no filter is asked.

        :raises _NoHost: when there is none, which ends the operation; or when no scheduler can tell now
        :raises errors.InstanceNotFound: when the room is not claimed any more
        """
        ctxt, asked = operation.context, operation.arguments or NO_ARGUMENTS
        spec = self._spec(instance, migration, operation)
        try:
            if asked.force and asked.host:
                return self._force(instance, migration, operation, asked.host)
            ((chosen, *_),) = self.scheduler.select_destinations(ctxt, spec, [instance.uuid])
        except (errors.NoValidHost, errors.DatabaseAway, rpc.RPCError) as error:
            if not is_unanswered(error):
                reason = spec.retry.reason  # of the host before, which says more than that there is no other one
                last = errors.MaxRetriesExceeded(instance_uuid=instance.uuid, reason=reason) if reason else error
                self.ends.fail(ctxt, instance, operation.operation, fault_of(last))
            raise _NoHost(str(error)) from error
        with self.db.write() as tx:
            instance = self._swap(tx, instance, {"task_state": instance.task_state})
            claims.require(tx, instance.uuid, chosen.host)
            return instance, self._due(tx, instance, _to(migration, chosen), FIRST[operation.operation])

    def _force(
        self, instance: Instance, migration: Migration, operation: OpenOperation, host: str
    ) -> tuple[Instance, Migration]:
        """Claim the room on a host, and make its step the one that is due.

        :raises errors.NoValidHost: when it is the instance's own, was tried before, is down, or has too little room
        """
        with self.db.write() as tx:
            node, service = next(iter(hosts.search(tx, host=host)), None), services.compute_on(tx, host)
            now, down_time = datetime.now(UTC), self.conf.service_down_time
            if node is None or service is None or not services.is_up(service, now, down_time):
                raise errors.NoValidHost(reason=f"{host} is down")
            if host in server_migrations.retry_of(tx, migration).hosts:
                raise errors.NoValidHost(reason=f"{host} is where it is, or cannot take it")
            if not claims.claim(tx, instance.uuid, host, migration.new_flavor):
                raise errors.NoValidHost(reason=f"{host} has too little room")
            chosen = Selection(host=host, node=node.hypervisor_hostname, availability_zone=service.availability_zone)
            instance = self._swap(tx, instance, {"task_state": instance.task_state})
            return instance, self._due(tx, instance, _to(migration, chosen), FIRST[operation.operation])

    def _spec(self, instance: Instance, migration: Migration, operation: OpenOperation) -> RequestSpec:
        """Ask for a host as at the boot, for the flavor that the instance gets now, and not where it may not go."""
        with self.db.read() as tx:
            spec, retry = request_specs.get(tx, instance.uuid).spec, server_migrations.retry_of(tx, migration)
        host = operation.arguments.host if operation.arguments else None
        return spec.replace(
            flavor=migration.new_flavor, num_instances=1, retry=retry, requested_host=host, requested_node=None
        )

    # ---- a step

    def _due(self, tx: Connection, instance: Instance, migration: Migration, name: str) -> Migration:
        """Make a step the one that is due."""
        step = STEPS[name]
        migration = server_migrations.record(tx, migration.replace(step=name, status=step.status))
        actions.event_start(tx, instance.uuid, step.event, step.host(migration))
        return migration

    def _send(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Send the step that is due to its host; where that takes no message, the sweeper sends it again later."""
        step = STEPS[migration.step or ""]
        with self.db.read() as tx:
            image = request_specs.get(tx, instance.uuid).spec.image
        try:
            step.cast(self.compute.on(step.host(migration)), ctxt, instance, migration, image)
        except rpc.Undeliverable as error:
            LOG.warning("conductor sends the %s of instance %s later: %s", migration.step, instance.uuid, error)

    def begin_step(self, migration: Migration) -> tuple[Instance, Sequence[BlockDevice]]:
        """Enter a step for the host that takes it up; if it makes a guest there, the instance's volumes come with it.

        :raises errors.InstanceNotFound: when another step is due by now, or none
        """
        with self.db.write() as tx:
            instance, migration, operation = self._taken(tx, migration)
            step, due_after = STEPS[migration.step or ""], self.conf.operations.due_after
            begun = self._swap(tx, instance, {"task_state": step.task_state})
            has = block_devices.follow(tx, instance.uuid, due_after) if step.makes_guest else ()
        self._attachments.lead(begun.replace(host=step.host(migration)), has)
        events.tell_update(self.notifier, operation.context, instance, begun)
        return begun, [it.device for it in has]

    def end_step(self, migration: Migration, power_state: int) -> None:
        """Have the next step follow one that is done, or end the operation.

        :raises errors.InstanceNotFound: when another step is due by now, or none
        """
        with self.db.write() as tx:
            instance, migration, operation = self._taken(tx, migration)
            step = STEPS[migration.step or ""]
            done = self._swap(tx, instance, step.done(tx, instance, migration, power_state))
            if step.then is not None:
                actions.event_end(tx, instance.uuid)
                migration = self._due(tx, done, migration, step.then)
            else:
                actions.finish(tx, instance.uuid)
                if server_migrations.of_instance(tx, instance.uuid) is not None:
                    server_migrations.record(tx, migration.replace(step=None, status=server_migrations.FINISHED))
        events.tell_update(self.notifier, operation.context, instance, done)
        if step.then is not None:
            self._send(operation.context, done, migration)
        elif step.clears:
            self.clear(operation.context, done, migration)

    # ---- the other stories

    def fail_step(self, migration: Migration, fault: Fault) -> None:
        """End an operation of which a host could not do its step; or have another host be chosen.

        :raises errors.InstanceNotFound: when another step is due by now, or none
        """
        with self.db.write() as tx:
            instance, migration, operation = self._taken(tx, migration)
            attempts = server_migrations.retry_of(tx, migration).attempts + 1
            elsewhere = STEPS[migration.step or ""].elsewhere and attempts < self.conf.scheduler.max_attempts
            if elsewhere:
                self._give_up_the_host(tx, instance, migration, fault)
        if elsewhere:
            return self.go_on(instance.uuid)
        failed = self.ends.fail(operation.context, instance, operation.operation, fault)
        return None if failed is None else self.clear(operation.context, failed, migration)

    def _give_up_the_host(self, tx: Connection, instance: Instance, migration: Migration, fault: Fault) -> None:
        """Free the room on a host that could not take the instance, and have it not be chosen again."""
        before, host = server_migrations.retry_of(tx, migration), migration.dest_compute or ""
        reason = fault.message[:MAX_MESSAGE_CHARS]
        retry = Retry(attempts=before.attempts + 1, hosts=(*before.hosts, host), reason=reason)
        self._swap(tx, instance, {"task_state": STEPS[migration.step or ""].task_state})
        claims.free(tx, instance.uuid, host)
        actions.event_fail(tx, instance.uuid, fault.message)
        nowhere = migration.replace(step=None, dest_compute=None, dest_node=None, dest_zone=None)
        server_migrations.record(tx, nowhere, retry=retry)

    def take_up(self, uuid: str, is_up: Callable[[str], bool]) -> None:
        """Go on with what has stood still, without the host whose step is due if that is down.

        A confirm needs it for nothing but to destroy its guest, which it does when it is back.
        """
        with self.db.read() as tx:
            migration = server_migrations.of_instance(tx, uuid)
        host = host_of(migration) if migration is not None else None
        if migration is None or host is None or is_up(host):
            return self.go_on(uuid)
        if migration.step == "confirm":
            return self.end_step(migration, states.NOSTATE)
        return self.fail_step(migration, Fault(code=500, message=f"Its host {host} is down"))

    def clear(self, ctxt: RequestContext, instance: Instance, migration: Migration) -> None:
        """Have the host of a migration that ended on which the instance is not destroy what guest there is."""
        host = server_migrations.other_host(migration, instance)
        if host is None:
            return
        try:
            self.compute.on(host).clear_instance(ctxt, instance, migration)
        except rpc.RPCError as error:
            LOG.info("%s finds out by itself that instance %s has left it: %s", host, instance.uuid, error)

    # ---- small parts

    def _taken(self, tx: Connection, seen: Migration) -> tuple[Instance, Migration, OpenOperation]:
        """Read what a host speaks of, if its step is due.

        :raises errors.InstanceNotFound: when it is not
        """
        migration = server_migrations.of_instance(tx, seen.instance_uuid)
        if migration is None or migration.step is None or _which(migration) != _which(seen):
            raise errors.InstanceNotFound(instance_uuid=seen.instance_uuid)
        instance, operation = self._under_way(tx, migration.instance_uuid)
        return instance, migration, operation

    @staticmethod
    def _under_way(tx: Connection, uuid: str) -> tuple[Instance, OpenOperation]:
        """Read an instance, and which of states.MIGRATIONS is under way.

        :raises errors.InstanceNotFound: when none is
        """
        instance, operation = instances.get(tx, uuid), open_operations.of(tx, uuid)
        if operation is None or operation.operation not in states.MIGRATIONS:
            raise errors.InstanceNotFound(instance_uuid=uuid)
        if instance.task_state not in states.under_way(operation.operation):
            raise errors.InstanceNotFound(instance_uuid=uuid)
        return instance, operation

    @staticmethod
    def _swap(tx: Connection, instance: Instance, changes: dict[str, object]) -> Instance:
        """Write changes, unless another conductor or a delete was faster; the same ones count the generation up."""
        return instances.update(
            tx,
            instance.uuid,
            changes,
            generation=instance.generation,
            expected_task_state=(instance.task_state,),
        )


class _NoHost(Exception):
    """No host was chosen."""


def _which(migration: Migration) -> tuple[str | None, ...]:
    """Tell one step of one migration on one host from all others."""
    return (migration.uuid, migration.step, migration.source_compute, migration.dest_compute)


def _to(migration: Migration, chosen: Selection) -> Migration:
    zone = chosen.availability_zone
    return migration.replace(dest_compute=chosen.host, dest_node=chosen.node, dest_zone=zone)
