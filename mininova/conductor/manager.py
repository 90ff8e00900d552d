"""The conductor's side of ConductorAPI: what it writes on behalf of compute nodes.

Every change of an instance is one compare-and-swap (db.instances.update), so conductors are interchangeable and
there can be any number of them: the generation keeps one instance's changes in order, not a queue.  Builds are
led by build.BuildFlow.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import UNSET
from oslo_config.cfg import ConfigOpts

from mininova import errors, notifications, rpc, states
from mininova.conductor.build import BUILD_EVENT, BuildFlow
from mininova.context import RequestContext
from mininova.db import actions, endings, hosts, instances, networks, services
from mininova.db.session import Connection, Database
from mininova.objects import ComputeNode, Fault, Instance, InstanceChanges, RequestSpec, Selection, Service

# The one event of an action that is worked off on a compute node (Nova's names).
EVENTS = {operation: f"compute__{operation}_instance" for operation in states.OPERATIONS} | {
    "build": BUILD_EVENT,
    "delete": "compute__terminate_instance",
    "hard_reboot": "compute__reboot_instance",
}


class ConductorManager:
    """Write what compute nodes report, and lead builds.

    :param flow: leads builds
    :param notifier: tells the world of every change of state
    """

    def __init__(self, conf: ConfigOpts, db: Database, flow: BuildFlow, notifier: rpc.Notifier) -> None:
        self.conf, self.db, self.flow, self.notifier = conf, db, flow, notifier

    # ---- builds

    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: RequestSpec) -> None:
        """Find a host for each instance and have it built there."""
        self.flow.build(ctxt, instances, request_spec)

    def reschedule_instance(
        self,
        ctxt: RequestContext,
        instance: Instance,
        request_spec: RequestSpec,
        alternates: list[Selection],
        fault: Fault,
    ) -> None:
        """Build an instance on its next alternate."""
        self.flow.reschedule(ctxt, instance, request_spec, alternates, fault)

    def allocate_network(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """Enter the networking step, and lend an address, in one transaction."""
        with self.db.write() as tx:
            if instance.networks != "none":
                networks.allocate(tx, self.conf.network.label, self.conf.network.cidr, instance.uuid)
            new = self._swap(tx, instance, {"task_state": states.NETWORKING}, states.under_way("build"))
        notifications.tell_update(self.notifier, ctxt, instance, new)
        return new

    # ---- changes of state

    def update_instance(
        self, ctxt: RequestContext, instance: Instance, changes: InstanceChanges, expected_task_state: list[str | None]
    ) -> Instance:
        """Compare and swap; when that ends the operation, its action has ended well."""
        values = {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
        with self.db.write() as tx:
            new = self._swap(tx, instance, values, expected_task_state)
            if new.task_state is None and instance.task_state is not None:
                event = EVENTS[states.operation_of(instance.task_state) or "build"]
                actions.event_finish(tx, new.uuid, ctxt.request_id, event, "Success")
                actions.finish(tx, new.uuid, ctxt.request_id)
        notifications.tell_update(self.notifier, ctxt, instance, new)
        return new

    @staticmethod
    def _swap(
        tx: Connection, instance: Instance, changes: Mapping[str, object], expected_task_state: Sequence[str | None]
    ) -> Instance:
        """Compare and swap, and give the row as it is now."""
        try:
            return instances.update(
                tx,
                instance.uuid,
                changes,
                generation=instance.generation,
                expected_task_state=expected_task_state,
                host=instance.host,
            )
        except errors.InstanceUpdateConflict as conflict:
            return _done_already(tx, instance, changes, conflict)

    def fail_instance(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance:
        """End an operation badly, and keep the fault for its owner."""
        with self.db.write() as tx:
            try:
                new = endings.fail(tx, ctxt, instance, operation, fault, host=instance.host)
            except errors.InstanceUpdateConflict as conflict:
                new = _done_already(tx, instance, states.fail(operation), conflict)
            actions.event_finish(tx, new.uuid, ctxt.request_id, EVENTS[operation], "Error", fault.message)
        notifications.tell_update(self.notifier, ctxt, instance, new)
        return new

    def destroy_instance(self, ctxt: RequestContext, instance: Instance, terminated_at: datetime | None = None) -> None:
        """End a delete: the row, its room and its address, in one transaction."""
        with self.db.write() as tx:
            gone = endings.destroy(tx, ctxt, instance.uuid, terminated_at)
            actions.event_finish(tx, instance.uuid, ctxt.request_id, EVENTS["delete"], "Success")
            new = instances.get(tx, instance.uuid, deleted=True) if gone else instance
        notifications.tell_update(self.notifier, ctxt, instance, new)

    # ---- reads and reports

    def get_instance(self, ctxt: RequestContext, uuid: str) -> Instance:
        """Read one instance."""
        with self.db.read() as tx:
            return instances.get(tx, uuid)

    def get_instances(
        self, ctxt: RequestContext, host: str, active_since: datetime | None = None
    ) -> Sequence[Instance]:
        """Read every instance on a host, and those that were deleted lately if that is asked for."""
        with self.db.read() as tx:
            return instances.list_by_host(tx, host, active_since=active_since)

    def report_state(self, ctxt: RequestContext, service: Service, node: ComputeNode) -> None:
        """Take a heartbeat and a node's capacity."""
        with self.db.write() as tx:
            services.report(tx, service, datetime.now(UTC))
            hosts.report(tx, node)

    def get_levels(self, ctxt: RequestContext) -> dict[str, list[str]]:
        """Tell what the services have registered that they speak."""
        with self.db.read() as tx:
            return services.levels(tx)


def _done_already(
    tx: Connection, instance: Instance, changes: Mapping[str, object], conflict: errors.InstanceUpdateConflict
) -> Instance:
    """Give the row if this call was done before and is sent again, since its answer was lost; else it is refused."""
    done = instances.done_already(tx, instance, changes)
    if done is None:
        raise conflict
    return done
