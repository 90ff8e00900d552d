"""The conductor's side of ConductorAPI: what it writes on behalf of compute nodes.

Every change of an instance is one compare-and-swap (db.instances.update), so conductors are interchangeable and
there can be any number of them: the generation keeps one instance's changes in order, not a queue.  Builds are
led by build.BuildFlow.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import UNSET
from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.conductor.build import BUILD_EVENT, BuildFlow
from mininova.conductor.checks.own_instances import OwnInstances
from mininova.conductor.checks.reports import Reports
from mininova.context import RequestContext
from mininova.db import actions, endings, instances, networks, services
from mininova.db.endings import LOST
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.objects import ComputeNode, Fault, Instance, InstanceChanges, RequestSpec, Selection, Service
from mininova.rpc.trust.denials import OnDenied, forbidden
from mininova.trust.identities import Identity

LOG = logging.getLogger(__name__)

SKEW = timedelta(minutes=5)  # that the clock of a host may be wrong

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
    :param identity_of: finds who a caller is; None where nobody can be told from another (``[identities] enforce``)
    :param on_denied: told of what a report says beyond what is recorded of its host
    :ivar on_identities: called when a compute was added or removed
    """

    def __init__(
        self,
        conf: ConfigOpts,
        db: Database,
        flow: BuildFlow,
        notifier: rpc.Notifier,
        identity_of: Callable[[str | None], Identity | None] | None = None,
        on_denied: OnDenied | None = None,
    ) -> None:
        self.conf, self.db, self.flow, self.notifier = conf, db, flow, notifier
        self.own = OwnInstances(db, identity_of)
        self.on_identities: Callable[[], object] = lambda: None
        self.reports = Reports(db, checked=self.own.checked, on_denied=on_denied)

    # ---- builds

    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: RequestSpec) -> None:
        """Find a host for each instance and have it built there."""
        self.flow.build(ctxt, instances, request_spec)

    def identities_changed(self, ctxt: RequestContext) -> None:
        """Look again which computes there are."""
        self.on_identities()

    def reschedule_instance(
        self,
        ctxt: RequestContext,
        instance: Instance,
        request_spec: RequestSpec,
        alternates: list[Selection],
        fault: Fault,
    ) -> None:
        """Build an instance on its next alternate."""
        try:
            with self.own.only("reschedule_instance", instance.uuid, instance.generation):
                self.flow.reschedule(ctxt, instance, request_spec, alternates, fault)
        except LOST as error:
            LOG.info("instance %s is not to be built again: %s", instance.uuid, error)

    def allocate_network(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """Enter the networking step, and lend an address, in one transaction."""
        with self.own.only("allocate_network", instance.uuid, instance.generation), self.db.write() as tx:
            new, _ = self._swap(tx, instance, {"task_state": states.NETWORKING}, states.under_way("build"))
            if new.networks != "none":
                address = networks.allocate(tx, self.conf.network.label, self.conf.network.cidr, new.uuid)
                new = new.replace(addresses=(address,))
        events.tell_update(self.notifier, ctxt, instance, new)
        return new

    # ---- changes of state

    def update_instance(
        self, ctxt: RequestContext, instance: Instance, changes: InstanceChanges, expected_task_state: list[str | None]
    ) -> Instance:
        """Compare and swap; when that ends the operation, its action has ended well."""
        values = {name: value for name in changes.__struct_fields__ if (value := getattr(changes, name)) is not UNSET}
        ended = _ended(values, expected_task_state)
        with self.own.only("update_instance", instance.uuid, instance.generation), self.db.write() as tx:
            new, again = self._swap(tx, instance, values, expected_task_state)
            self._refuse_another_time("update_instance", new, new.launched_at if "launched_at" in values else None)
            if ended and not again:
                actions.event_finish(tx, new.uuid, ctxt.request_id, EVENTS[ended], "Success")
                actions.finish(tx, new.uuid, ctxt.request_id)
        events.tell_update(self.notifier, ctxt, instance, new)
        return new

    @staticmethod
    def _swap(
        tx: Connection, instance: Instance, changes: Mapping[str, object], expected_task_state: Sequence[str | None]
    ) -> tuple[Instance, bool]:
        """Compare and swap; give the row as it is now, and tell whether it was done before and is only asked again."""
        try:
            new = instances.update(
                tx,
                instance.uuid,
                changes,
                generation=instance.generation,
                expected_task_state=expected_task_state,
                host=instance.host,
            )
        except errors.InstanceUpdateConflict as conflict:
            return _done_already(tx, instance, changes, conflict), True
        return new, False

    def fail_instance(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance:
        """End an operation badly, and keep the fault for its owner."""
        with self.own.only("fail_instance", instance.uuid, instance.generation), self.db.write() as tx:
            try:
                new = endings.fail(tx, ctxt, instance, operation, fault, host=instance.host)
                actions.event_finish(tx, new.uuid, ctxt.request_id, EVENTS[operation], "Error", fault.message)
            except errors.InstanceUpdateConflict as conflict:
                new = _done_already(tx, instance, states.fail(operation), conflict)
        events.tell_update(self.notifier, ctxt, instance, new)
        return new

    def destroy_instance(self, ctxt: RequestContext, instance: Instance, terminated_at: datetime | None = None) -> None:
        """End a delete: the row, its room and its address, in one transaction."""
        with self.own.only("destroy_instance", instance.uuid, instance.generation), self.db.write() as tx:
            new = endings.destroy(tx, ctxt, instance.uuid, terminated_at, host=instance.host or "")
            if new is None:
                return
            actions.event_finish(tx, instance.uuid, ctxt.request_id, EVENTS["delete"], "Success")
            self._refuse_another_time("destroy_instance", new, terminated_at)
        events.tell_update(self.notifier, ctxt, instance, new)

    def _refuse_another_time(self, method: str, instance: Instance, at: datetime | None) -> None:
        """Refuse a moment before an instance was asked for, or after now: its owner pays for the time between."""
        begin, now = instance.created_at, datetime.now(UTC)
        if not self.own.checked or at is None or begin is None or begin - SKEW <= at.astimezone(UTC) <= now + SKEW:
            return
        raise forbidden(
            rpc.caller(), method, instance.uuid, f"it was asked for at {begin}, it is {now} now, and not {at}"
        )

    # ---- reads and reports

    def get_instance(self, ctxt: RequestContext, uuid: str) -> Instance:
        """Read one instance."""
        with self.own.only("get_instance", uuid), self.db.read() as tx:
            return instances.get(tx, uuid, hosts=self.own.hosts())

    def get_instances(
        self, ctxt: RequestContext, host: str, active_since: datetime | None = None
    ) -> Sequence[Instance]:
        """Read every instance on a host, and those that were deleted lately if that is asked for."""
        with self.db.read() as tx:
            return instances.list_by_host(tx, host, active_since=active_since)

    def report_state(self, ctxt: RequestContext, service: Service, node: ComputeNode) -> None:
        """Take a heartbeat and a node's capacity, as far as that is for the host to say."""
        self.reports.take(service, node)

    def get_levels(self, ctxt: RequestContext) -> dict[str, list[str]]:
        """Tell what the services have registered that they speak."""
        with self.db.read() as tx:
            return services.levels(tx)


def _ended(changes: Mapping[str, object], expected_task_state: Sequence[str | None]) -> str | None:
    """Name the operation that changes end well, if they end one."""
    if changes.get("task_state", ...) is not None:
        return None
    return next((name for state in expected_task_state if (name := states.operation_of(state))), None)


def _done_already(
    tx: Connection, instance: Instance, changes: Mapping[str, object], conflict: errors.InstanceUpdateConflict
) -> Instance:
    """Give the row if this call was done before and is sent again, since its answer was lost; else it is refused."""
    done = instances.done_already(tx, instance, changes)
    if done is None:
        raise conflict
    return done
