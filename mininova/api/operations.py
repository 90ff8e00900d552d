"""The operations of users on instances: check the state, write, then send (Nova calls this compute/api.py).

Every operation is one transaction, in which the row and the record of the action change together, and one message
sent after it.  Whether an operation may begin is asked of mininova.states; two requests that race are told apart by
the compare-and-swap, and the one that lost gets 409.  Nothing here knows HTTP.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.api import quotas
from mininova.api.requirements import host_of, require_unlocked
from mininova.compute.rpcapi import COMMANDS, ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext
from mininova.db import (
    actions,
    block_devices,
    endings,
    instances,
    request_specs,
    server_migrations,
    services,
    unneeded_images,
)
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import NO_ARGUMENTS, Arguments, Instance, RequestSpec
from mininova.service.faults import fault_of, words_of
from mininova.service.operation_ends import OperationEnds, is_unanswered
from mininova.states import UNCOMPARED

LOG = logging.getLogger(__name__)

# The operations after which a project uses more.
ADDING = frozenset({"restore"})
# The operations that change nothing of an instance, so a lock does not keep its owner from them.
HARMLESS = frozenset({"snapshot", "backup"})
# How often a compare-and-swap is tried again after losing against a change that does not forbid the operation.
MAX_TRIES = 3


@dataclass(frozen=True)
class Order:
    """Instances that a user asks for, already checked (mininova/api/create.py).

    :param count: how many of them
    :param least: how many would do, where the quota does not allow all
    :param make: makes so many, and the request spec
    :param user_data: base64 for the guests; it goes to the database and into no message
    :param files: to be injected, as the request has them
    :param security_groups: their ids; None means the project's default one
    :param plug: gives one that is written the ports that were chosen; None where none were
    """

    count: int
    least: int
    make: Callable[[int], tuple[list[Instance], RequestSpec]]
    user_data: str | None = None
    files: Sequence[Mapping[str, str]] = ()
    security_groups: Sequence[str] | None = None
    plug: Callable[[Connection, Instance], Instance] | None = None


class Operations:
    """Changes instances.

    :param notifier: tells the world of each change of state
    """

    def __init__(
        self, conf: ConfigOpts, db: Database, conductor: ConductorAPI, compute: ComputeAPI, notifier: rpc.Notifier
    ) -> None:
        self._conf, self._db = conf, db
        self._conductor, self._compute = conductor, compute
        self._notifier, self._ends = notifier, OperationEnds(conf, db, notifier, "api")

    # ---- create

    def create(self, ctxt: RequestContext, order: Order) -> list[Instance]:
        """Write new instances and have a conductor build them.

        Where no message gets through now, a conductor finds them in their record when they are due; one that is refused
        for good ends them in ERROR.

        :raises errors.QuotaExceeded: when the project would have more than it may
        """
        created, spec = self._write(ctxt, order)
        LOG.info("creating %d instance(s) of flavor %s: %s", len(created), spec.flavor.name, _uuids(created))
        for instance in created:
            self._tell(ctxt, instance, None)
            if spec.group:
                joined = {"instance_uuids": [instance.uuid]}
                events.tell_server_group(self._notifier, ctxt, events.SERVER_GROUP_ADD_MEMBER, spec.group, **joined)
        try:
            self._build(ctxt, created, spec)
        except rpc.RPCError as error:
            if is_unanswered(error):
                LOG.warning(
                    "api leaves the build of %s to a conductor: none takes the message: %s", _uuids(created), error
                )
                return created
            LOG.error("no conductor takes %s: %s", _uuids(created), error)
            return [self._fail_build(ctxt, instance, error) for instance in created]
        return created

    def _build(self, ctxt: RequestContext, created: Sequence[Instance], spec: RequestSpec) -> None:
        """Ask a conductor for all of them together; where they are too many for a message, for each half."""
        try:
            self._conductor.build_instances(ctxt, list(created), spec)
        except rpc.MessageTooLong:
            if len(created) == 1:
                raise
            half = len(created) // 2
            self._build(ctxt, created[:half], spec)
            self._build(ctxt, created[half:], spec)

    def _write(self, ctxt: RequestContext, order: Order) -> tuple[list[Instance], RequestSpec]:
        """Write as many instances as the quota allows; other requests of the project wait from ``instances.create`` on.

        :raises errors.QuotaExceeded: when those are fewer than would do; none is written
        """
        try:
            with self._db.write() as tx:
                wanted, spec = order.make(order.count)
                request_specs.create(tx, [instance.uuid for instance in wanted], spec)
                self._accept(tx, ctxt, wanted, "build")
                created = instances.create(tx, wanted, order.user_data, order.security_groups)
                flavors = [instance.flavor for instance in created]
                quota = quotas.require_room(tx, self._conf, ctxt.project_id, ctxt.user_id, flavors, order.least)
                quotas.require_few_items(quota, wanted[0].metadata)
                quotas.require_few_files(quota, order.files)
                if spec.group:
                    quotas.require_few_members(quota, tx, spec.group, ctxt.user_id)
                if order.plug is not None:
                    created = [order.plug(tx, instance) for instance in created]
                return created, spec
        except errors.TooManyInstances as refused:
            LOG.info("api refuses project %s %d instance(s): %s", ctxt.project_id, order.count, refused)
            if not order.least <= refused.details["fits"] < order.count:
                raise
            fewer = replace(order, count=refused.details["fits"])
        return self._write(ctxt, fewer)

    def _fail_build(self, ctxt: RequestContext, instance: Instance, error: Exception) -> Instance:
        """End a build that no conductor took; if one took it after all, or a delete came, that stands."""
        fault = fault_of(error, "The build could not be handed to a conductor")
        return self._ends.fail(ctxt, instance, "build", fault) or instance

    # ---- delete

    def delete(self, ctxt: RequestContext, instance: Instance) -> None:
        """Delete an instance as its owner does: where deleted ones can be restored for a while, it is stopped and kept.

        :raises errors.InstanceIsLocked: when it is, and the caller is no administrator
        """
        keeps = self._conf.operations.reclaim_instance_interval
        restorable = keeps and instance.launched_at is not None and instance.host is not None
        if not restorable or instance.task_state == states.DELETING:
            self.force_delete(ctxt, instance)
        elif instance.task_state != states.SOFT_DELETING:
            self.begin(ctxt, "soft_delete", instance)

    def force_delete(self, ctxt: RequestContext, instance: Instance) -> None:
        """Delete an instance for good, in any state and during any task; a second delete is sent to its host again.

        Where no compute node can do it (there is none yet, or it is down), it is done here and at once; the node
        finds out when it comes back.

        :raises errors.InstanceIsLocked: when it is, and the caller is no administrator
        """
        require_unlocked(ctxt, instance)
        with self._db.write() as tx:
            deleting, is_new = self._first_of_delete(tx, instance)
            host = self._host_if_up(tx, deleting)
            if is_new:
                self._accept(tx, ctxt, [deleting], "delete", host)
        self._tell(ctxt, deleting, instance)
        if host is None:
            return self._ends.delete(ctxt, deleting, f"its host, {deleting.host}, is down or none")
        try:
            return COMMANDS["delete"](self._compute.on(host), ctxt, deleting, NO_ARGUMENTS)
        except rpc.RPCError as error:
            LOG.warning(
                "api leaves the delete of %s to a conductor: %s takes no message: %s", deleting.uuid, host, error
            )

    @staticmethod
    def _first_of_delete(tx: Connection, instance: Instance) -> tuple[Instance, bool]:
        """Have an instance be deleted, in whichever state it is; tell whether that begins now."""
        change, expected = states.begin("delete", instance), states.start_expects("delete")
        if instance.task_state != states.DELETING:
            with suppress(errors.InstanceUpdateConflict):  # then it has changed since it was read, and is read again
                seen = instance.generation
                return instances.update(tx, instance.uuid, change, generation=seen, expected_task_state=expected), True
        row = instances.get(tx, instance.uuid)
        if row.task_state == states.DELETING:
            return row, False
        return instances.update(tx, row.uuid, change, generation=UNCOMPARED, expected_task_state=expected), True

    def _host_if_up(self, tx: Connection, instance: Instance) -> str | None:
        """Name the host of an instance; None when it has none yet, or the host is down."""
        host, down_time = instance.host, self._conf.service_down_time
        return host if host and services.is_host_up(tx, host, datetime.now(UTC), down_time) else None

    # ---- what a compute node does on its own

    def begin(
        self,
        ctxt: RequestContext,
        operation: str,
        instance: Instance,
        asked: Arguments = NO_ARGUMENTS,
        columns: Mapping[str, Any] = {},
    ) -> Instance:
        """Take the first step of an operation; the compute node does the rest, or for a migration the conductor has it
        done.

        An operation whose message could not be sent is refused, if it can be taken back.  If a conductor has taken it
        up meanwhile, or a delete came, it was accepted all the same.

        :param operation: a name in COMMANDS, or in states.MIGRATIONS
        :param asked: what its command takes
        :param columns: what else becomes true of the instance when it begins
        :return: the instance as it is then
        :raises errors.Conflict: when it is locked, not in a state for it, or its host cannot be reached
        """
        if operation not in HARMLESS:
            require_unlocked(ctxt, instance)
        before = self._as_it_is(instance, columns)
        begun = self._first_step(ctxt, operation, instance, asked, columns)
        self._tell(ctxt, begun, instance)
        if operation == "evacuate":
            events.tell_evacuation(self._notifier, ctxt, begun, events.EVACUATE)
        try:
            if operation in states.MIGRATIONS:
                self._conductor.migrate_instance(ctxt, begun)
            elif begun.host is None:
                self._conductor.unshelve_instance(ctxt, begun)
            else:
                COMMANDS[operation](self._compute.on(begun.host), ctxt, begun, asked)
        except rpc.RPCError as error:
            LOG.warning("%s does not take the %s of %s: %s", begun.host, operation, begun.uuid, error)
            if self._take_back(ctxt, operation, begun, before, error):
                raise errors.ComputeServiceUnavailable(host=begun.host or "any conductor") from error
        return begun

    def _first_step(
        self,
        ctxt: RequestContext,
        operation: str,
        instance: Instance,
        asked: Arguments,
        columns: Mapping[str, Any],
    ) -> Instance:
        for _ in range(MAX_TRIES):
            if operation in ("start", "stop"):
                host_of(instance)  # Nova's answer is that, before it looks at the states
            change = {**columns, **states.begin(operation, instance)}
            host = instance.host
            if host is None and change["task_state"] != states.UNSHELVING:
                raise errors.InstanceInvalidState(
                    instance_uuid=instance.uuid, method=states.OPERATIONS[operation].action, attr="host", state=None
                )
            try:
                with self._db.write() as tx:
                    begun = instances.update(
                        tx,
                        instance.uuid,
                        change | request_specs.made_of(tx, instance),
                        generation=instance.generation,
                        expected_task_state=states.start_expects(operation),
                        host=host,
                    )
                    if operation in ADDING:
                        quotas.take_turn(tx, begun.project_id)
                        quotas.require_room(tx, self._conf, begun.project_id, begun.user_id, [begun.flavor])
                    if operation in states.MIGRATIONS:
                        self._require_possible(tx, operation, begun, asked)
                    elif begun.vm_state == states.RESIZED:
                        server_migrations.settle(tx, begun)
                    at = None if operation in states.MIGRATIONS else host
                    self._accept(tx, ctxt, [begun], operation, at, asked)
                    return begun
            except errors.InstanceUpdateConflict:
                # Another writer was first.  If the operation is still possible, it is tried again.
                with self._db.read() as tx:
                    instance = instances.get(tx, instance.uuid)
        raise errors.Conflict(f"Instance {instance.uuid} changes too fast: try again")

    def _require_possible(self, tx: Connection, operation: str, instance: Instance, asked: Arguments) -> None:
        """Refuse a migration that the quota does not allow, or whose host is down, or for an evacuation up.

        An evacuation ends the one before it, whose host may be down as well.

        :raises errors.QuotaExceeded: when the instance would use more than there is
        :raises errors.ComputeServiceUnavailable: when it is to leave a host that is down
        :raises errors.ComputeServiceInUse: when its guest may run where it is, and was to be made anew elsewhere
        """
        is_up = self._host_if_up(tx, instance) is not None
        if operation == "evacuate":
            if is_up:
                raise errors.ComputeServiceInUse(host=instance.host)
            server_migrations.settle(tx, instance)
            return
        migration = server_migrations.of_instance(tx, instance.uuid)
        larger = migration.old_flavor if operation == "revert_resize" and migration else asked.flavor
        if larger is not None:
            quotas.take_turn(tx, instance.project_id)
            quotas.require_growth(tx, self._conf, instance, larger)
        if instance.vm_state != states.RESIZED and not is_up:
            raise errors.ComputeServiceUnavailable(host=instance.host)

    def _as_it_is(self, instance: Instance, columns: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give what an instance has in the columns that an operation changes when it begins."""
        has: dict[str, Any] = {name: getattr(instance, name) for name in columns if name != "user_data"}
        if "user_data" in columns:
            with self._db.read() as tx:
                has["user_data"] = instances.user_data(tx, [instance.uuid]).get(instance.uuid)
        return has

    def _take_back(
        self, ctxt: RequestContext, operation: str, begun: Instance, before: Mapping[str, Any], error: Exception
    ) -> bool:
        """Undo the first step of an operation that no compute node took; False when the instance has changed since.

        :param before: what the columns had that it has written
        """
        try:
            with self._db.write() as tx:
                left = instances.update(
                    tx,
                    begun.uuid,
                    {"task_state": None, **before},
                    generation=begun.generation,
                    expected_task_state=[begun.task_state],
                )
                actions.finish(tx, begun.uuid, words_of(error))
        except endings.LOST as lost:
            LOG.info("the %s of %s is not taken back: %s", operation, begun.uuid, lost)
            return False
        self._tell(ctxt, left, begun)
        return True

    # ---- what needs no compute node

    def edit(self, instance: Instance, change: Callable[[Instance], Mapping[str, Any]]) -> Instance:
        """Write what its owner says of an instance: its name, its metadata, its tags.

        :param change: gives the new columns for the instance as it is; what it raises leaves everything as it was
        """
        with self._db.write() as tx:
            columns = change(instances.get(tx, instance.uuid))
            if "requested_zone" in columns:
                request_specs.pin(tx, instance.uuid, columns["requested_zone"])
            return instances.edit(tx, instance.uuid, **columns)

    def lock(self, ctxt: RequestContext, instance: Instance, reason: str | None) -> None:
        """Lock an instance, so that only an administrator can do anything to it."""
        by = "owner" if ctxt.project_id == instance.project_id else "admin"
        self._record(ctxt, instance, "lock", locked=True, locked_by=by, locked_reason=reason)

    def unlock(self, ctxt: RequestContext, instance: Instance) -> None:
        """Unlock an instance."""
        self._record(ctxt, instance, "unlock", locked=False, locked_by=None, locked_reason=None)

    def _record(self, ctxt: RequestContext, instance: Instance, action: str, **columns: Any) -> None:
        """Record at once what has an entry of its own among the instance's actions, and what it changes."""
        with self._db.write() as tx:
            if columns:
                instances.edit(tx, instance.uuid, **columns)
            actions.record(tx, ctxt, instance.uuid, action, f"api_{action}")

    def reset_state(self, ctxt: RequestContext, instance: Instance, vm_state: str) -> None:
        """Overwrite an instance's state (for administrators)."""
        LOG.warning("%s resets instance %s to %s", ctxt.user_id, instance.uuid, vm_state)
        with self._db.write() as tx:
            change = {"vm_state": vm_state, "task_state": None, **request_specs.made_of(tx, instance)}
            reset = instances.update(tx, instance.uuid, change, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
            server_migrations.settle(tx, reset)
            block_devices.follow(tx, instance.uuid, due_after=0)
            actions.interrupt(tx, instance.uuid, f"resetState ({ctxt.request_id})")
            actions.record(tx, ctxt, instance.uuid, "resetState", None)
        self._tell(ctxt, reset, instance)

    # ---- for all

    def _accept(
        self,
        tx: Connection,
        ctxt: RequestContext,
        begun: Sequence[Instance],
        operation: str,
        host: str | None = None,
        asked: Arguments = NO_ARGUMENTS,
    ) -> None:
        """Record that an operation was accepted; from here on a conductor sees to it that it ends.

        The image of a shelved instance goes with the instance.
        """
        if operation in ("delete", "soft_delete") and begun[0].vm_state in states.ON_AN_IMAGE:
            unneeded_images.note(tx, actions.shelved_image(tx, begun[0].uuid))
        actions.start(tx, ctxt, begun, operation, host, arguments=asked, due_after=self._conf.operations.due_after)

    def _tell(self, ctxt: RequestContext, new: Instance, old: Instance | None) -> None:
        """Notify of a change of state that the api wrote: the one place where it does.

        :param old: as it was before; None when it was not
        """
        events.tell_update(self._notifier, ctxt, old, new, service="api")


def _uuids(some: Sequence[Instance]) -> str:
    return ", ".join(instance.uuid for instance in some)
