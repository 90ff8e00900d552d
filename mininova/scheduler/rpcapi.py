"""What can be asked of a scheduler."""

from mininova import rpc
from mininova.context import RequestContext
from mininova.objects import RequestSpec, Selection


class SchedulerAPI(rpc.Interface):
    """Choose hosts."""

    topic, version = "scheduler", "1.0"

    @rpc.call(since="1.0", idempotent=True)
    def select_destinations(
        self, ctxt: RequestContext, request_spec: RequestSpec, instance_uuids: list[str]
    ) -> list[list[Selection]]:
        """Choose a host for each instance and claim its room; answer a list for each, the claimed host first.

        Asking again may choose other hosts, and gives the room on the first ones back: an instance has one claim.

        :raises errors.NoValidHost: naming the filter that left nothing; then nothing stays claimed
        """
