"""Which request asked for what is being done to an instance: by the record, for a host may say anything.

Each step of a boot asks, since its notification goes out in the name of that request.  So a conductor remembers the
answers that it gave last.  What is under way changes only with the instance, and each change has a generation of its
own: the same generation has the same request.  After a step that another conductor did, the record is read.
"""

import threading
from collections import OrderedDict

from mininova.context import RequestContext, service_context
from mininova.db import open_operations
from mininova.db.session import Connection
from mininova.objects import Instance

MAX_REMEMBERED = 1000  # instances


class Requests:
    """Tell the context of the request that asked for what is under way."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[str, tuple[int, RequestContext]] = OrderedDict()
        self._changing = threading.Lock()

    def of(self, tx: Connection, instance: Instance) -> RequestContext:
        """Give the context of the request whose operation is under way; our own when none is.

        It holds for the generation that the instance has here, so use it only where that one is compared, too.
        """
        generation, asked = self._remembered.get(instance.uuid, (None, None))
        if asked is None or generation != instance.generation:
            return self.recorded(tx, instance.uuid)
        return asked

    @staticmethod
    def recorded(tx: Connection, uuid: str) -> RequestContext:
        """Look the context up, where no generation is compared."""
        asked = open_operations.context_of(tx, uuid)
        return service_context() if asked is None else asked

    def remember(self, instance: Instance, asked: RequestContext) -> None:
        """Remember for the next step of an operation whose was the last one, which is committed."""
        with self._changing:
            self._remembered[instance.uuid] = instance.generation, asked
            self._remembered.move_to_end(instance.uuid)
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
