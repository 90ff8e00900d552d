"""What can be asked of a scheduler."""

from mininova import rpc
from mininova.context import RequestContext
from mininova.objects import RequestSpec, Selection


class SchedulerAPI(rpc.Interface):
    """Choose hosts."""

    topic, version = "scheduler", "1.0"

    @rpc.call(since="1.0", by={"conductor"}, idempotent=True)
    def select_destinations(
        self, ctxt: RequestContext, request_spec: RequestSpec, instance_uuids: list[str]
    ) -> list[list[Selection]]:
        """Choose a host for each instance and claim its room; answer a list for each, the claimed host first.

        Asking again gives an instance the host where it has room already, and that one alone.

        :raises errors.NoValidHost: naming the filter that left nothing; then nothing stays claimed
        """
