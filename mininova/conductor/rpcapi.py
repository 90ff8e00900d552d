"""What can be asked of a conductor."""

from mininova import rpc
from mininova.context import RequestContext
from mininova.objects import ComputeNode, Fault, Instance, InstanceChanges, RequestSpec, Selection, Service


class ConductorAPI(rpc.Interface):
    """Lead builds for the api; read and write the database for the compute nodes."""

    topic, version = "conductor", "1.0"

    # ---- from the api

    @rpc.cast(since="1.0")
    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: RequestSpec) -> None:
        """Find a host for each instance and have it built there."""

    # ---- from a compute node

    @rpc.cast(since="1.0")
    def reschedule_instance(
        self,
        ctxt: RequestContext,
        instance: Instance,
        request_spec: RequestSpec,
        alternates: list[Selection],
        fault: Fault,
    ) -> None:
        """Build an instance on its next alternate, after this host could not."""

    @rpc.call(since="1.0", idempotent=True)
    def allocate_network(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """Enter the networking step of a build, and lend the instance an address.

        :raises errors.InstanceUpdateConflict: when the row is not as the caller believed
        """

    @rpc.call(since="1.0")
    def update_instance(
        self, ctxt: RequestContext, instance: Instance, changes: InstanceChanges, expected_task_state: list[str | None]
    ) -> Instance:
        """Compare and swap: write the changes if host, generation and task_state are as expected.

        :raises errors.InstanceUpdateConflict: when they are not; nothing was written
        :raises errors.InstanceBeingDeleted: when they are not because the instance is being deleted
        """

    @rpc.call(since="1.0")
    def fail_instance(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance:
        """End an operation badly: the state that states.OPERATIONS gives a failure, and a fault the user can read."""

    @rpc.call(since="1.0", idempotent=True)
    def destroy_instance(self, ctxt: RequestContext, instance: Instance) -> None:
        """End a delete: mark the row deleted; free its room and its address.  Doing it twice is doing it once."""

    @rpc.call(since="1.0", idempotent=True)
    def get_instance(self, ctxt: RequestContext, uuid: str) -> Instance:
        """Read one instance as the database has it now.

        :raises errors.InstanceNotFound: when there is none
        """

    @rpc.call(since="1.0", idempotent=True)
    def get_instances(self, ctxt: RequestContext, host: str) -> list[Instance]:
        """Read every instance that is on a host."""

    @rpc.call(since="1.0", idempotent=True)
    def report_state(self, ctxt: RequestContext, service: Service, node: ComputeNode) -> None:
        """Take a heartbeat and the node's capacity; the first one registers both."""
