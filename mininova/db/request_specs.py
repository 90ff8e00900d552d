"""Request specs: what was asked for when an instance was, and where its build may still go.

The conductor writes one in the transaction that gives an instance its host, and reads it when that host cannot build
it: so a host has no say in what is built elsewhere, nor where.  It goes when the instance does.
"""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, update

from mininova.context import RequestContext
from mininova.db.models.compute import request_specs as table
from mininova.db.rows import Rows, insert_new
from mininova.objects import RequestSpec, Retry, Selection


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a build beside the instance.

    :param context: of the request that asked for it
    :param spec: its ``retry`` has the hosts that could not
    :param alternates: the hosts that are still to be tried
    """

    instance_uuid: str
    context: RequestContext
    spec: RequestSpec
    alternates: tuple[Selection, ...]

    def tried(self, host: str, reason: str) -> "Recorded":
        """Give what is known of it after a host could not build it."""
        before = self.spec.retry
        retry = Retry(attempts=before.attempts + 1, hosts=(*before.hosts, host), reason=reason)
        return msgspec.structs.replace(self, spec=self.spec.replace(retry=retry))


ROWS = Rows(Recorded, table, key="instance_uuid")

_insert = insert(table)
_update = update(table).where(table.c.instance_uuid == bindparam("which"))
_delete = delete(table).where(ROWS.which)


def record(tx: Connection, recorded: Recorded) -> None:
    """Write down how an instance is being built now; what was written before is replaced."""
    values = {**ROWS.values(recorded), "updated_at": datetime.now(UTC)}
    if not insert_new(tx, _insert, values):
        tx.execute(_update, {**values, "which": recorded.instance_uuid})


def get(tx: Connection, uuid: str) -> Recorded | None:
    """Read what is known of an instance's build."""
    return ROWS.first(tx.execute(ROWS.one, {"which": uuid}))


def forget(tx: Connection, uuid: str) -> None:
    """Forget an instance that is gone."""
    tx.execute(_delete, {"which": uuid})
