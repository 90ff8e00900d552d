"""What can be asked of a conductor."""

from datetime import datetime
from typing import Annotated

from mininova import rpc
from mininova.context import RequestContext
from mininova.objects import ComputeNode, Fault, Instance, InstanceChanges, RequestSpec, Selection, Service


class ConductorAPI(rpc.Interface):
    """Lead builds for the api; read and write the database for the compute nodes.

    A compute node gets what is on its own hosts, and writes what the operation under way allows; all else is
    rpc.Forbidden (docs/adr/0009).

    1.1: get_levels; destroy_instance takes terminated_at, and get_instances active_since; update_instance and
    fail_instance may be sent again.  1.2: identities_changed.
    """

    topic, version = "conductor", "1.2"

    @rpc.cast(since="1.0", by={"api"})
    def build_instances(self, ctxt: RequestContext, instances: list[Instance], request_spec: RequestSpec) -> None:
        """Find a host for each instance and have it built there."""

    @rpc.fanout(since="1.2", by={"operator"})
    def identities_changed(self, ctxt: RequestContext) -> None:
        """Look again which computes there are, and whose lanes are to be read."""

    @rpc.cast(since="1.0", by={"compute"})
    def reschedule_instance(
        self,
        ctxt: RequestContext,
        instance: Instance,
        request_spec: RequestSpec,
        alternates: list[Selection],
        fault: Fault,
    ) -> None:
        """Build an instance on its next alternate, after this host could not.

        What was sent with the build is sent back; what is not as it was recorded then is refused.
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def allocate_network(self, ctxt: RequestContext, instance: Instance) -> Instance:
        """Enter the networking step of a build, and lend the instance an address.

        :raises errors.InstanceUpdateConflict: when the row is not as the caller believed
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def update_instance(
        self, ctxt: RequestContext, instance: Instance, changes: InstanceChanges, expected_task_state: list[str | None]
    ) -> Instance:
        """Compare and swap: write the changes if host, generation and task_state are as expected.

        Asking again gives what the first time gave.

        :raises errors.InstanceUpdateConflict: when they are not; nothing was written
        :raises errors.InstanceBeingDeleted: when they are not because the instance is being deleted
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def fail_instance(self, ctxt: RequestContext, instance: Instance, operation: str, fault: Fault) -> Instance:
        """End an operation badly: the state that states.OPERATIONS gives a failure, and a fault the user can read."""

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def destroy_instance(
        self,
        ctxt: RequestContext,
        instance: Instance,
        terminated_at: Annotated[datetime | None, rpc.since("1.1", dispensable=True)] = None,
    ) -> None:
        """End a delete: mark the row deleted; free its room and its address.  Doing it twice is doing it once.

        :raises errors.InstanceUpdateConflict: when nobody asked for its delete
        :param terminated_at: when the guest ended, as notifications say it; None means now
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
        active_since: Annotated[datetime | None, rpc.since("1.1", dispensable=True)] = None,
    ) -> list[Instance]:
        """Read every instance that is on a host.

        :param active_since: also those that were deleted then or later
        """

    @rpc.call(since="1.0", by={"compute"}, idempotent=True)
    def report_state(self, ctxt: RequestContext, service: Service, node: ComputeNode) -> None:
        """Take a heartbeat and the node's capacity; the first one registers both, and the most it may offer."""

    @rpc.call(since="1.1", by={"compute"}, idempotent=True)
    def get_levels(self, ctxt: RequestContext) -> dict[str, list[str]]:
        """Tell what the services have registered that they speak: for each topic, and each object, by version."""
