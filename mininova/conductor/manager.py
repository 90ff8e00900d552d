"""The conductor's side of ConductorAPI: what it writes on behalf of compute nodes.

Every change of an instance is one compare-and-swap (db.instances.update), so conductors are interchangeable and
there can be any number of them: the generation keeps one instance's changes in order, not a queue.  Builds are
led by build.BuildTask.  What a compute node may ask for is judged in checks/.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc, states
from mininova.conductor.build import BuildTask
from mininova.conductor.checks.own_instances import OwnInstances
from mininova.conductor.checks.reports import SKEW, Reports
from mininova.conductor.credentials import Credentials
from mininova.conductor.migrate import MigrationTask
from mininova.conductor.shelving import Shelving
from mininova.conductor.snapshots import Snapshots
from mininova.conductor.volumes import Connections
from mininova.context import RequestContext, service_context
from mininova.db import (
    actions,
    block_devices,
    endings,
    faults,
    instances,
    networks,
    open_operations,
    ports,
    request_specs,
    server_migrations,
    services,
    unneeded_images,
)
from mininova.db.endings import LOST
from mininova.db.instances import ALL
from mininova.db.open_operations import OpenOperation
from mininova.db.ports import Port
from mininova.db.session import Connection, Database
from mininova.notifications import events
from mininova.notifications.audit_period import AuditPeriod
from mininova.objects import (
    BlockDevice,
    ComputeNode,
    Fault,
    Instance,
    InstanceChanges,
    Migration,
    RequestSpec,
    Service,
    TaskLog,
)
from mininova.rpc.trust.denials import OnDenied, forbidden
from mininova.service.attachments import AttachmentEnds
from mininova.service.port_bindings import NotToldOf, PortBindings
from mininova.trust.identities import Identity

LOG = logging.getLogger(__name__)


class ConductorManager:
    """Lead builds, and write what compute nodes report.

    :param builds: leads them
    :param notifier: publishes every change of state
    :param identity_of: finds the identity of a caller; None where callers cannot be told apart (``[identities]
        enforce``)
    :param on_denied: called when a report says more than is recorded of its host
    :param credentials: renews passwords of computes; None where none is renewed
    :param snapshots: uploads the images that are made of instances
    :param attachments: agrees with the volume service on who has a volume
    :ivar on_identities: called when a compute was added or removed
    :ivar ports: hears of the ports of instances
    """

    def __init__(
        self,
        conf: ConfigOpts,
        db: Database,
        builds: BuildTask,
        notifier: rpc.Notifier,
        identity_of: Callable[[str | None], Identity | None] | None = None,
        on_denied: OnDenied | None = None,
        credentials: Credentials | None = None,
        snapshots: Snapshots | None = None,
        attachments: AttachmentEnds | None = None,
    ) -> None:
        self.conf, self.db, self.builds, self.notifier = conf, db, builds, notifier
        self.attachments = attachments or AttachmentEnds(db)
        self.migrations = MigrationTask(conf, db, builds.scheduler, builds.compute, notifier, self.attachments)
        self.own = OwnInstances(db, identity_of)
        self.credentials, self.snapshots = credentials, snapshots or Snapshots(db)
        self.connections = Connections(conf, db, self.attachments, self.snapshots.image)
        self.shelving = Shelving(conf, db, builds, self.snapshots)
        self.on_identities: Callable[[], object] = lambda: None
        self.ports: PortBindings = NotToldOf()
        self.reports = Reports(db, checked=self.own.checked, on_denied=on_denied)

    # ---- a build, from the api's cast to its last step

    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: RequestSpec) -> None:
        """Find a host for each instance and have it built there."""
        self.builds.build(ctxt, instances, request_spec)

    def allocate_network(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """Enter the networking step, and lend an address, in one transaction; chosen ports are there already."""
        with self.own.only("allocate_network", instance.uuid, instance.generation), self.db.write() as tx:
            asked = self.builds.memory.asked(tx, instance)
            new, again = self._swap(tx, instance, "build", {"task_state": states.NETWORKING})
            if new.networks == networks.AUTO:
                address = networks.allocate(tx, self.conf.network.label, self.conf.network.cidr, new.uuid)
                new = new.replace(addresses=(address,))
        self._tell(asked, instance, new, again)
        self.ports.bound(new.uuid)
        return new

    def update_instance(
        self, ctxt: RequestContext, instance: Instance, operation: str | None, changes: InstanceChanges
    ) -> Instance:
        """Compare and swap; when that ends the operation, its action has ended well."""
        written = changes.written()
        if reason := states.unlawful(operation, written):
            raise forbidden(rpc.caller(), "update_instance", instance.uuid, reason)
        with self.own.only("update_instance", instance.uuid, instance.generation), self.db.write() as tx:
            recorded = self._require_recorded(tx, instance, operation)
            asked = self.builds.memory.asked(tx, instance)
            new, again = self._swap(tx, instance, operation, written)
            if recorded and recorded.arguments and new.task_state == states.REBUILD_SPAWNING:
                request_specs.rebuild_from(tx, new.uuid, recorded.arguments.image)
            if operation is not None and not again:
                _require_asked(ctxt, asked, instance)
            self._refuse_another_time("update_instance", new, written.get("launched_at"))
            keeps_image = True
            if states.ends(written) and not again:
                keeps_image = self._shelved_on_image(tx, new.uuid, operation)
                actions.finish(tx, new.uuid)
            if operation is None and written.get("vm_state") == states.ERROR and not again:
                faults.create(
                    tx, new.uuid, Fault(code=500, message=f"Its guest is not on {new.host} any more"), new.host
                )
        self._tell(asked, instance, new, again)
        if states.ends(written):
            self._after(operation)
        if not keeps_image:  # its volumes are all that is kept of it, so it needs no host
            self.shelving.offload(asked, new.uuid)
        return new

    def reschedule_instance(self, ctxt: RequestContext, instance: Instance, fault: Fault) -> None:
        """Build an instance on its next alternate."""
        try:
            with self.own.only("reschedule_instance", instance.uuid, instance.generation):
                self.builds.reschedule(instance, fault)
        except LOST as error:
            LOG.info("conductor does not build instance %s again: %s", instance.uuid, error)

    # ---- shelved instances

    def unshelve_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Find a host for an offloaded instance, and send it there."""
        self.shelving.unshelve(ctxt, instance)

    def offload_instance(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """End an offload: its room is free, and the instance is on no host; its volumes are reserved for it."""
        with self.own.only("offload_instance", instance.uuid, instance.generation), self.db.write() as tx:
            asked, new = self.builds.memory.asked(tx, instance), endings.offload(tx, instance)
            has = block_devices.follow(tx, instance.uuid, self.conf.operations.due_after)
        self.attachments.lead(new, has)
        self._tell(asked, instance, new)
        return new

    @staticmethod
    def _shelved_on_image(tx: Connection, uuid: str, operation: str | None) -> bool:
        """Tell whether an instance that is shelved has an image; note that of one that is unshelved, and needs none."""
        recorded = open_operations.of(tx, uuid) if operation in ("shelve", "unshelve") else None
        asked = recorded.arguments if recorded is not None else None
        if operation == "unshelve":
            unneeded_images.note(tx, asked.image.id if asked is not None else "")
        return operation != "shelve" or bool(asked and asked.makes)

    def _after(self, operation: str | None) -> None:
        """Do at once what a sweep would do for an operation that has ended well."""
        if operation == "unshelve":
            self.snapshots.discard()
        elif operation == "shelve" and self.conf.operations.shelved_offload_time == 0:
            self.shelving.offload_due()

    # ---- an image of an instance

    def upload_snapshot(self, ctxt: RequestContext, instance: Instance, operation: str, taken: str) -> Instance:
        """Enter the step in which an image gets its data, and give it what the host took."""
        if operation not in states.IMAGE_MAKERS:
            reason = f"no image is made by the operation {operation!s:.100}"
            raise forbidden(rpc.caller(), "upload_snapshot", instance.uuid, reason)
        uploading = {"task_state": states.OPERATIONS[operation].passes[-1]}
        with self.own.only("upload_snapshot", instance.uuid, instance.generation), self.db.write() as tx:
            asked = self.builds.memory.asked(tx, instance)
            new, again = self._swap(tx, instance, operation, uploading)
            if not again:
                _require_asked(ctxt, asked, instance)
            recorded = open_operations.of(tx, instance.uuid)
            if recorded is None or recorded.operation != operation:
                raise forbidden(rpc.caller(), "upload_snapshot", instance.uuid, f"its operation is not {operation}")
        self._tell(asked, instance, new, again)
        self.snapshots.upload(new, recorded, taken)
        return new

    # ---- a migration

    def migrate_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Go on with a migration."""
        self.migrations.go_on(instance.uuid)

    def begin_step(self, ctxt: RequestContext, migration: Migration) -> tuple[Instance, Sequence[BlockDevice]]:
        """Enter a step of a migration."""
        with self.own.only("begin_step", migration.instance_uuid):
            return self.migrations.begin_step(migration)

    def end_step(self, ctxt: RequestContext, migration: Migration, power_state: int) -> None:
        """Have the next step follow."""
        with self.own.only("end_step", migration.instance_uuid):
            self.migrations.end_step(migration, power_state)

    def fail_step(self, ctxt: RequestContext, migration: Migration, fault: Fault) -> None:
        """End a migration badly, or have another host be chosen."""
        with self.own.only("fail_step", migration.instance_uuid):
            self.migrations.fail_step(migration, fault)

    # ---- a volume of an instance

    def connect_volumes(self, ctxt: RequestContext, instance: Instance) -> Sequence[BlockDevice]:
        """Give an instance whose guest is about to be made the volumes that it has."""
        with self.own.only("connect_volumes", instance.uuid), self.db.read() as tx:
            owned = instances.get(tx, instance.uuid, hosts=self.own.hosts())
        if owned.task_state not in states.MAPS_VOLUMES:
            raise errors.InstanceNotFound(instance_uuid=instance.uuid)
        return self.connections.connect(owned)

    def end_attachment(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """End an attachment or a detachment well."""
        owned, recorded = self._block_device("end_attachment", instance, device)
        try:
            self.attachments.succeed(owned, recorded)
        except errors.NotFound as gone:
            self.attachments.fail(owned, recorded, str(gone))
            raise errors.BlockDeviceNotFound(volume_id=recorded.volume_id) from gone

    def fail_attachment(self, ctxt: RequestContext, instance: Instance, device: BlockDevice, fault: Fault) -> None:
        """End an attachment or a detachment badly."""
        self.attachments.fail(*self._block_device("fail_attachment", instance, device), fault.message)

    def _block_device(
        self, method: str, instance: Instance, device: BlockDevice
    ) -> tuple[Instance, block_devices.Recorded]:
        """Read what is recorded of a volume and of the caller's own instance, which it must be of."""
        with self.own.only(method, instance.uuid), self.db.read() as tx:
            owned = instances.get(tx, instance.uuid, hosts=self.own.hosts())
            recorded = block_devices.get(tx, device.uuid)
        if recorded is None or recorded.instance_uuid != owned.uuid:
            raise errors.BlockDeviceNotFound(volume_id=device.volume_id)
        return owned, recorded

    # ---- other ends

    def fail_instance(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance:
        """End an operation badly, and keep the fault for its owner."""
        if operation not in states.OPERATIONS:
            raise forbidden(rpc.caller(), "fail_instance", instance.uuid, f"there is no operation {operation!s:.100}")
        if operation in states.MIGRATIONS:
            reason = f"the host whose step of a {operation} is due says how that went, by fail_step"
            raise forbidden(rpc.caller(), "fail_instance", instance.uuid, reason)
        with self.own.only("fail_instance", instance.uuid, instance.generation), self.db.write() as tx:
            self._require_recorded(tx, instance, operation)
            asked, again = self.builds.memory.asked(tx, instance), False
            try:
                new = endings.fail(tx, instance, operation, fault, host=instance.host)
                _require_asked(ctxt, asked, instance)
            except errors.InstanceUpdateConflict as conflict:
                new, again = _done_already(tx, instance, states.fail(operation), conflict), True
        self._tell(asked, instance, new, again)
        if operation in states.IMAGE_MAKERS:
            self.snapshots.discard()
        return new

    def destroy_instance(self, ctxt: RequestContext, instance: Instance, terminated_at: datetime | None = None) -> None:
        """End a delete: the row, its room and its address, in one transaction."""
        with self.own.only("destroy_instance", instance.uuid, instance.generation), self.db.write() as tx:
            was = open_operations.ending(tx, instance.uuid)
            migration = server_migrations.of_instance(tx, instance.uuid) if was and was.migrates else None
            new = endings.destroy(tx, instance.uuid, terminated_at, host=instance.host or "", migration=migration)
            if was is None or new is None:
                return
            self._refuse_another_time("destroy_instance", new, terminated_at)
        if was.has_volumes:
            self.attachments.clear()
        asked = was.context or service_context()
        self._tell(asked, new.replace(vm_state=was.vm_state, task_state=states.DELETING), new)
        if migration is not None:
            self.migrations.clear(asked, new, migration)

    def end_detach(self, ctxt: RequestContext, instance: Instance, port_id: str, fault: Fault | None = None) -> None:
        """Take a port from an instance that was to lose it; a second time there is nothing to do."""
        left: list[Port] = []
        with self.own.only("end_detach", instance.uuid), self.db.write() as tx:
            instances.get(tx, instance.uuid, hosts=self.own.hosts(), lock=True)
            for port in ports.search(tx, id=[port_id], instance_uuid=[instance.uuid]):
                asked_by = ports.detach_asked_by(port)
                if asked_by is None:
                    reason = f"its port {port_id!s:.36} was not to be detached"
                    raise forbidden(rpc.caller(), "end_detach", instance.uuid, reason)
                ports.ask_to_detach(tx, port, None)
                if fault is None:
                    ports.leave(tx, port)
                    networks.show(tx, instance.uuid)
                actions.end(tx, instance.uuid, asked_by, fault.message if fault else None)
                if fault is None:
                    left.append(port)
        for port in left:
            self.ports.left(port)

    # ---- reads and reports

    def get_instance(self, ctxt: RequestContext, uuid: str) -> Instance:
        """Read one instance."""
        with self.own.only("get_instance", uuid), self.db.read() as tx:
            return instances.get(tx, uuid, hosts=self.own.hosts())

    def get_instances(
        self,
        ctxt: RequestContext,
        host: str,
        active_since: datetime | None = None,
        marker: str = "",
        limit: int = 0,
    ) -> Sequence[Instance]:
        """Read the instances on a host; with ``active_since``, those that were deleted since then, too."""
        with self.db.read() as tx:
            return instances.list_by_host(tx, host, active_since=active_since, marker=marker, limit=limit or ALL)

    def reconcile_host(
        self, ctxt: RequestContext, host: str, cleared: list[str], marker: str = "", limit: int = 0
    ) -> tuple[Sequence[Instance], Sequence[str]]:
        """Give back what waited for a host to clear it; tell which instances are or may come there, and which left."""
        if cleared:
            with self.db.write() as tx:
                server_migrations.cleared(tx, host, cleared)
                networks.cleared(tx, host, cleared)
            LOG.info("conductor lends the addresses again that %s has no guests with: %s", host, ", ".join(cleared))
        with self.db.read() as tx:
            here = instances.list_by_host(tx, host, marker=marker, limit=limit or ALL)
            on_its_way = set(server_migrations.on_host(tx, host)) - {instance.uuid for instance in here}
            coming = instances.get_many(tx, [uuid for uuid in on_its_way if uuid > marker])
            left = sorted({*networks.departed(tx, host), *server_migrations.left_on(tx, host)})
        page = sorted([*here, *coming], key=lambda instance: instance.uuid)[: limit or ALL]
        return page, left[: networks.MOST_DEPARTED]

    def report_state(self, ctxt: RequestContext, service: Service, node: ComputeNode) -> None:
        """Record a heartbeat and a node's capacity, as far as the host may set them."""
        self.reports.take(service, node)

    def record_task_log(self, ctxt: RequestContext, task_log: TaskLog) -> None:
        """Record how far a host is with telling the usage of a period."""
        self.reports.take_task_log(task_log, AuditPeriod.parse(self.conf.instance_usage_audit_period))

    def get_levels(self, ctxt: RequestContext) -> dict[str, list[str]]:
        """Tell which versions the services have registered."""
        with self.db.read() as tx:
            return services.levels(tx)

    def renew_password(self, ctxt: RequestContext, password_hash: str, instead_of_password: str) -> dict[str, str]:
        """Have the broker take a password that the caller made up."""
        caller = rpc.caller()
        if self.credentials is None or caller is None or not self.own.checked:
            raise errors.NotSupported("No password is renewed here: see [identities] credential_lifetime.")
        return {"password_hash": self.credentials.renew(caller, password_hash, instead_of_password)}

    def identities_changed(self, ctxt: RequestContext) -> None:
        """Read again which computes there are."""
        self.on_identities()

    # ---- small parts

    @staticmethod
    def _require_recorded(tx: Connection, instance: Instance, operation: str | None) -> OpenOperation | None:
        """Give the record of a rebuild; refuse what only looks like one: the host failed, and a migration is under way.

        :raises errors.InstanceNotFound: when it is
        """
        if operation not in states.AS_A_MIGRATION:
            return None
        recorded = open_operations.of(tx, instance.uuid)
        if recorded is not None and recorded.operation in states.MIGRATIONS:
            raise errors.InstanceNotFound(instance_uuid=instance.uuid)
        return recorded

    def _swap(
        self, tx: Connection, instance: Instance, operation: str | None, changes: Mapping[str, object]
    ) -> tuple[Instance, bool]:
        """Compare and swap; give the row as it is now, and tell whether an earlier delivery had done it already."""
        try:
            new = instances.update(
                tx,
                instance.uuid,
                changes,
                generation=instance.generation,
                expected_task_state=states.under_way(operation),
                host=instance.host,
                seen=instance,
                known=self.builds.memory.row(instance),
            )
        except errors.InstanceUpdateConflict as conflict:
            return _done_already(tx, instance, changes, conflict), True
        return new, False

    def _tell(self, asked: RequestContext, old: Instance, new: Instance, again: bool = False) -> None:
        """Notify of a change that was written; of one that a copy of the same message wrote, that copy did."""
        if not again:
            self.builds.memory.remember(new, asked)
            events.tell_update(self.notifier, asked, old, new)

    def _refuse_another_time(self, method: str, instance: Instance, at: datetime | None) -> None:
        """Refuse a moment before an instance was asked for, or after now: its owner pays for the time between."""
        begin, now = instance.created_at, datetime.now(UTC)
        if not self.own.checked or at is None or begin is None or begin - SKEW <= at.astimezone(UTC) <= now + SKEW:
            return
        raise forbidden(
            rpc.caller(), method, instance.uuid, f"it was asked for at {begin}, it is {now} now, and not {at}"
        )


def _require_asked(ctxt: RequestContext, asked: RequestContext, instance: Instance) -> None:
    """Refuse to move on what another request asked for: a late copy of a message may find it in a state it knows, too.

    :param ctxt: of the message that the host carries out
    :param asked: the context of the request whose operation is recorded
    :raises errors.InstanceNotFound: when they differ
    """
    if ctxt.request_id != asked.request_id:
        raise errors.InstanceNotFound(instance_uuid=instance.uuid)


def _done_already(
    tx: Connection, instance: Instance, changes: Mapping[str, object], conflict: errors.InstanceUpdateConflict
) -> Instance:
    """Give the row if this call was done before and is sent again, since its answer was lost; else it is refused."""
    done = instances.done_already(tx, instance, changes)
    if done is None:
        raise conflict
    return done
