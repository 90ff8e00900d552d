"""What can be done about a live migration that is under way: end it, or have it end sooner."""

import logging
from collections.abc import Sequence

from mininova import errors, rpc, states
from mininova.api.requirements import host_of, require_unlocked
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import RequestContext
from mininova.db import actions, instances, server_migrations
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import Instance, Migration

LOG = logging.getLogger(__name__)


class LiveMigrations:
    """Changes the course of live migrations.

    :param notifier: tells the world of each change of state
    """

    def __init__(self, db: Database, compute: ComputeAPI, notifier: rpc.Notifier) -> None:
        self._db, self._compute, self._notifier = db, compute, notifier

    def abort(self, ctxt: RequestContext, instance: Instance, migration_id: str, statuses: Sequence[str]) -> None:
        """Cancel a live migration: the instance stays where it is, and its host sends the guest no more.

        :param statuses: in which that may be done
        :raises errors.Conflict: when the instance is locked, or no live migration of it is under way
        :raises errors.NotFound: when it has no such migration
        :raises errors.InvalidInput: when that is in none of the statuses
        """
        require_unlocked(ctxt, instance)
        if instance.task_state != states.MIGRATING:
            attr, state = "task_state", instance.task_state
            method = "abort live migration"
            raise errors.InstanceInvalidState(instance_uuid=instance.uuid, method=method, attr=attr, state=state)
        with self._db.write() as tx:
            current = instances.get(tx, instance.uuid)
            _require_live(tx, current, migration_id, statuses, "abort live migration", errors.NotFound)
            left = instances.update(
                tx,
                instance.uuid,
                {"task_state": None},
                generation=current.generation,
                expected_task_state=states.under_way("live_migrate"),
            )
            ended = server_migrations.settle(tx, left, "cancelled")
            actions.interrupt(tx, instance.uuid, f"live_migration_cancel ({ctxt.request_id})")
            actions.record(tx, ctxt, instance.uuid, "live_migration_cancel", "compute_live_migration_abort")
        events.tell_update(self._notifier, ctxt, current, left, service="api")
        try:
            self._compute.on(host_of(left)).live_migration_abort(ctxt, left)
        except rpc.RPCError as error:
            LOG.warning("%s goes on sending %s, to no end: %s", left.host, left.uuid, error)
        if ended is not None and ended.dest_compute is not None:
            self._roll_back_at(ended.dest_compute, ctxt, left, ended)

    def _roll_back_at(self, dest: str, ctxt: RequestContext, instance: Instance, ended: Migration) -> None:
        try:
            self._compute.on(dest).clear_instance(ctxt, instance, ended)
        except rpc.RPCError as error:
            LOG.info("%s finds out by itself that instance %s does not come: %s", dest, instance.uuid, error)

    def force(self, ctxt: RequestContext, instance: Instance, migration_id: str) -> None:
        """Have the guest of a live migration be sent at once; should the message be lost, it goes on as it did.

        :raises errors.Conflict: when the instance is locked, or no live migration of it is under way
        :raises errors.InvalidInput: when it has no such migration, or that is not running
        """
        require_unlocked(ctxt, instance)
        with self._db.write() as tx:
            current = instances.get(tx, instance.uuid)
            for attr, wanted in (("vm_state", states.ACTIVE), ("task_state", states.MIGRATING)):
                if (state := getattr(current, attr)) != wanted:
                    method = "force_complete"
                    raise errors.InstanceInvalidState(instance_uuid=current.uuid, method=method, attr=attr, state=state)
            _require_live(tx, current, migration_id, ("running",), "force complete", errors.InvalidInput)
            actions.record(
                tx, ctxt, instance.uuid, "live_migration_force_complete", "compute_live_migration_force_complete"
            )
        try:
            self._compute.on(host_of(current)).live_migration_force_complete(ctxt, current)
        except rpc.RPCError as error:
            LOG.warning("%s sends %s no faster: %s", current.host, current.uuid, error)


def _require_live(
    tx: Connection,
    instance: Instance,
    number: str,
    statuses: Sequence[str],
    wish: str,
    absent: type[errors.MininovaError],
) -> None:
    """Refuse to change the course of a migration that is none of the instance's, or in another status."""
    migration = server_migrations.numbered(tx, instance.uuid, number)
    if migration is None:
        raise absent(f"Migration {number} not found for instance {instance.uuid}")
    if migration.status not in statuses:
        raise errors.InvalidInput(
            f"Migration {number} state of instance {instance.uuid} is {migration.status}. "
            f"Cannot {wish} while the migration is in this state."
        )
