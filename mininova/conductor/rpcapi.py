"""What can be asked of a conductor."""

from datetime import datetime
from typing import Annotated

from mininova import rpc
from mininova.context import RequestContext
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
from mininova.objects.base import Count


class ConductorAPI(rpc.Interface):
    """Lead builds for the api; read and write the database for the compute nodes.

    A compute node gets what is on its own hosts, and writes what the operation under way allows; all else is
    rpc.Forbidden (docs/adr/0009).
    """

    topic, version = "conductor", "1.1"

    @rpc.cast(since="1.0", by={"api"})
    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: RequestSpec) -> None:
        """Find a host for each instance and have it built there."""

    @rpc.cast(since="1.1", by={"api"})
    def unshelve_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Find a host for an offloaded instance, and have it made there of the image of its shelving."""

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def allocate_network(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """Enter the networking step of a build, and lend the instance an address.

        :raises errors.InstanceUpdateConflict: when the row has changed since the caller read it
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def update_instance(
        self, ctxt: RequestContext, instance: Instance, operation: str | None, changes: InstanceChanges
    ) -> Instance:
        """Compare and swap: write the changes if the row has the instance's host and generation, and the operation.

        Asking again gives what the first time gave.

        :param operation: the one of states.OPERATIONS that is under way, which these changes move on by a step or
            end well; None means that none is
        :raises rpc.Forbidden: when the operation makes no such changes
        :raises errors.InstanceUpdateConflict: when the row is not so; nothing was written
        :raises errors.InstanceBeingDeleted: when it is not so because the instance is being deleted
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def upload_snapshot(self, ctxt: RequestContext, instance: Instance, operation: str, taken: str) -> Instance:
        """Enter the last step of an operation that makes an image, and give the image its data.

        Its backups that are too many are deleted.

        :param taken: of the guest's disk, which goes to the image that the operation's record names
        :raises errors.InstanceUpdateConflict: when the row has changed since the caller read it
        :raises errors.ImageNotFound: when the image was deleted meanwhile
        :raises errors.ImageNotUploaded: when the image service did not take the data
        """

    @rpc.cast(since="1.1", by={"api"})
    def migrate_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """Begin the migration of an instance, or end it: the record of the operation that is under way says which."""

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def begin_step(self, ctxt: RequestContext, migration: Migration) -> tuple[Instance, list[BlockDevice]]:
        """Enter the step of a migration that the caller was sent; give the instance as it is then, and its volumes.

        :return: of the volumes none but in a step that makes a guest, which is to have them; they are attached there

        :raises errors.InstanceNotFound: when another step is due by now, or none; the caller leaves its guest alone
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def end_step(self, ctxt: RequestContext, migration: Migration, power_state: int) -> None:
        """End the step of a migration that the caller has done; the other host is sent the next one.

        :param power_state: of the guest
        :raises errors.InstanceNotFound: when another step is due by now, or none
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def fail_step(self, ctxt: RequestContext, migration: Migration, fault: Fault) -> None:
        """End the migration, since the caller could not do its step; or have another host take the instance.

        :raises errors.InstanceNotFound: when another step is due by now, or none
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def connect_volumes(self, ctxt: RequestContext, instance: Instance) -> list[BlockDevice]:
        """Attach the volumes of an instance on the host of the caller, and make those that there are not yet.

        A rebuild writes its image to the one that the instance boots from, if that was asked for.

        :raises errors.InvalidBlockDevice: when there is one that the instance cannot have, on any host
        :raises errors.InstanceNotFound: when the instance is in no such step on that host, or is deleted
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def end_attachment(self, ctxt: RequestContext, instance: Instance, device: BlockDevice) -> None:
        """End what the caller has done: the instance has the volume, or has it no more; its record says which.

        :raises errors.BlockDeviceNotFound: when that has ended before, and the instance does not have the volume
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def fail_attachment(self, ctxt: RequestContext, instance: Instance, device: BlockDevice, fault: Fault) -> None:
        """End what the caller could not do: an instance that was to get a volume has none, one that has it keeps it.

        :raises errors.BlockDeviceNotFound: when that has ended before, and the instance does not have the volume
        """

    @rpc.cast(since="1.0", by={"compute"})
    def reschedule_instance(self, ctxt: RequestContext, instance: Instance, fault: Fault) -> None:
        """Build an instance on its next alternate, after this host could not."""

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def fail_instance(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance:
        """End an operation badly: the state that states.OPERATIONS gives a failure, and a fault the user can read."""

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def offload_instance(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """End an offload: the instance leaves the host, whose room for it is free.

        :raises errors.InstanceUpdateConflict: when no offload is under way
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def end_detach(self, ctxt: RequestContext, instance: Instance, port_id: str, fault: Fault | None = None) -> None:
        """End what was asked of a port of an instance: its guest has it no more, and the instance neither.

        :param fault: why the guest has it still; then the instance has it, too
        :raises errors.InstanceNotFound: when the instance is not on a host of the caller
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def destroy_instance(self, ctxt: RequestContext, instance: Instance, terminated_at: datetime | None = None) -> None:
        """End a delete: mark the row deleted; free its room and its address.  Doing it twice is doing it once.

        :param terminated_at: when the guest ended, as notifications say it; None means now
        :raises errors.InstanceUpdateConflict: when no delete was asked for
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def get_instance(self, ctxt: RequestContext, uuid: str) -> Instance:
        """Read one instance as the database has it now.

        :raises errors.InstanceNotFound: when there is none, or it has left the caller's hosts
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def get_instances(
        self,
        ctxt: RequestContext,
        host: str,
        active_since: datetime | None = None,
        marker: Annotated[str, rpc.since("1.1")] = "",
        limit: Annotated[Count, rpc.since("1.1")] = 0,
    ) -> list[Instance]:
        """Read the instances that are on a host, sorted by their uuids.

        :param active_since: also those that were deleted then or later
        :param marker: only those whose uuids come after it
        :param limit: how many at most; 0 means all, which do not fit into a message where they are many
        :raises rpc.MessageTooLong: when so many do not fit
        """

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def reconcile_host(
        self, ctxt: RequestContext, host: str, cleared: list[str], marker: str = "", limit: Count = 0
    ) -> tuple[list[Instance], list[str]]:
        """Read the instances that are on a host, sorted by their uuids, and name those that left it while it was down.

        One that comes from a host or goes there is on it, too, until that has ended.  The address of one that left is
        lent again when the host has cleared it.

        :param cleared: instances that left, and of which the host has destroyed what guest there was
        :param marker: and the limit are those of get_instances
        :raises rpc.MessageTooLong: when so many do not fit
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def report_state(self, ctxt: RequestContext, service: Service, node: ComputeNode) -> None:
        """Record a heartbeat and the node's capacity; the first one registers both, and the most it may offer."""

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def record_task_log(self, ctxt: RequestContext, task_log: TaskLog) -> None:
        """Record how far a host is with telling the usage of a period.

        :raises rpc.Forbidden: when there is no such period, or it is not over, or has been for long
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def get_levels(self, ctxt: RequestContext) -> dict[str, list[str]]:
        """Tell which versions the services have registered: of each topic, and of each object."""

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def renew_password(self, ctxt: RequestContext, password_hash: str, instead_of_password: str) -> dict[str, str]:
        """Have the broker take a password that the caller made up; the connections made with the old one end.

        :param password_hash: what RabbitMQ keeps of the new one
        :param instead_of_password: the hash of the one that is replaced; "" where none is known.  If the caller has
            another one, nothing is changed
        :return: the ``password_hash`` of the one that the caller has now
        :raises errors.TooManyRequests: when it has that one for a short time only
        :raises errors.Conflict: when the broker could not be told now
        :raises errors.NotSupported: when no password is renewed here
        """

    @rpc.fanout(since="1.0", by={"operator"})
    def identities_changed(self, ctxt: RequestContext) -> None:
        """Read again which computes there are, and whose lanes to read."""
