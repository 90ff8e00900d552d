"""What a conductor remembers of the instances that it works on: the row as it was written last, and who asked for it.

A host may say anything, so the steps of a boot go by the record: each is told in the name of the request that is
recorded, and gives the instance as the row has it.  To read both again for each step is most of what a boot costs on a
database server.  So a conductor remembers them.  What is under way changes only with the instance, and each change
counts its generation up: what was true of a generation is true of it still.  What its owner says of an instance changes
without that, and ``updated_at`` tells (db/instances.py).  After a step that another conductor did, the record is read.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

from mininova.context import RequestContext, service_context
from mininova.db import open_operations
from mininova.db.session import Connection
from mininova.objects import Instance

MAX_REMEMBERED = 1000  # instances


class Remembered(NamedTuple):
    """An instance, and the context of the request whose operation is under way."""

    row: Instance
    asked: RequestContext


class Memory:
    """Remembers what was committed."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[str, Remembered] = OrderedDict()
        self._changing = threading.Lock()

    def row(self, instance: Instance) -> Instance | None:
        """Give an instance as it was written in this generation; None when it is not remembered."""
        remembered = self._of(instance)
        return remembered.row if remembered is not None else None

    def asked(self, tx: Connection, instance: Instance) -> RequestContext:
        """Give the context of the request whose operation is under way; our own when none is.

        It holds for the generation that the instance has here, so use it only where that one is compared, too.
        """
        remembered = self._of(instance)
        return remembered.asked if remembered is not None else self.recorded(tx, instance.uuid)

    @staticmethod
    def recorded(tx: Connection, uuid: str) -> RequestContext:
        """Look the context up, where no generation is compared."""
        asked = open_operations.context_of(tx, uuid)
        return service_context() if asked is None else asked

    def remember(self, row: Instance, asked: RequestContext) -> None:
        """Remember for the next step what was committed for this one; at rest there is none.

        :param row: as the database gave it, or as it was written
        """
        with self._changing:
            self._remembered.pop(row.uuid, None)
            if row.task_state is not None:
                self._remembered[row.uuid] = Remembered(row, asked)
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)

    def _of(self, instance: Instance) -> Remembered | None:
        remembered = self._remembered.get(instance.uuid)
        return remembered if remembered is not None and remembered.row.generation == instance.generation else None
