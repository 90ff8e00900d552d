"""How much a project may have where that is not a stand-in's default: one row a project, in a table of the stand-in."""

from collections.abc import Mapping

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select
from sqlalchemy import delete as delete_from

from mininova.db.models.base import Json


def make_table(name: str, metadata: MetaData) -> Table:
    """Describe the table; -1 is no limit."""
    return Table(
        name,
        metadata,
        Column("project_id", String(64), primary_key=True),
        Column("limits", Json(dict[str, int]), nullable=False),
    )


class ProjectLimits:
    """What is written in such a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, tx: Connection, project_id: str) -> dict[str, int]:
        """Read what a project may have beside the defaults."""
        query = select(self._table.c.limits).where(self._table.c.project_id == project_id)
        found: dict[str, int] | None = tx.scalar(query)
        return found or {}

    def read_all(self, tx: Connection) -> dict[str, dict[str, int]]:
        """Read that of all projects: project → limits."""
        rows = tx.execute(select(self._table).order_by(self._table.c.project_id))
        return {row.project_id: row.limits for row in rows}

    def write(self, tx: Connection, project_id: str, limits: Mapping[str, int]) -> None:
        """Write what a project may have, instead of all that was said before."""
        tx.execute(delete_from(self._table).where(self._table.c.project_id == project_id))
        if limits:
            tx.execute(insert(self._table), {"project_id": project_id, "limits": dict(limits)})
