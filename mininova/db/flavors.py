"""Flavors: the sizes there are, and which projects may use those that are not public.

The api and mininova-manage call this.  An instance carries a copy of its flavor: nothing done here reaches it.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, exists, insert, or_, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db import expressions
from mininova.db.models import flavor_projects
from mininova.db.models import flavors as table
from mininova.db.pages import Sort, page
from mininova.db.rows import Rows, insert_new
from mininova.objects import Flavor

ROWS = Rows(Flavor, table, key="flavor_id")

_update = update_of(table).where(ROWS.which)


def create(tx: Connection, flavor: Flavor) -> Flavor:
    """Keep a new flavor.

    :raises errors.FlavorExists: when its id or its name is taken
    """
    if not insert_new(tx, insert(table), {**ROWS.values(flavor), "created_at": datetime.now(UTC)}):
        if tx.execute(select(table.c.id).where(table.c.name == flavor.name)).first() is None:
            raise errors.FlavorExists(flavor_id=flavor.flavor_id)
        raise errors.FlavorExists(f"Flavor with name {flavor.name} already exists.")
    return flavor


def ids(tx: Connection, flavor_ids: Collection[str]) -> dict[str, int]:
    """Tell the numbers of the rows of some flavors, which old answers of Nova have; a deleted flavor has none."""
    query = select(table.c.flavor_id, table.c.id).where(table.c.flavor_id.in_(flavor_ids))
    return {row.flavor_id: row.id for row in tx.execute(query)}


def get(tx: Connection, flavor_id: str, *, project_id: str | None = None) -> Flavor:
    """Read one flavor.

    :param project_id: who must be allowed to use it; None does not ask
    :raises errors.FlavorNotFound: when there is none, or none for this project
    """
    query = ROWS.one if project_id is None else _ONE_USABLE
    flavor = ROWS.first(tx.execute(query, {"which": flavor_id, "project": project_id}))
    if flavor is None:
        raise errors.FlavorNotFound(flavor_id=flavor_id)
    return flavor


def search(
    tx: Connection,
    *,
    is_public: bool | None = True,
    project_id: str | None = None,
    disabled: bool | None = None,
    name: str | None = None,
    min_ram: int = 0,
    min_disk: int = 0,
    sort: Sort = (("flavor_id", "asc"),),
    limit: int | None = None,
    marker: str | None = None,
) -> list[Flavor]:
    """List flavors.

    :param is_public: only those that are, or are not, for everybody; None lists both
    :param project_id: list the public ones and those that this project may use
    :param name: a regular expression that its name matches
    :param min_ram: MiB of memory it must have
    :param min_disk: GiB of root disk it must have
    :param marker: the flavor_id of the last one of the page before
    :raises errors.InvalidInput: when no flavor has the marker
    """
    query = ROWS.select.where(table.c.memory_mb >= min_ram, table.c.root_gb >= min_disk)
    if is_public is not None:
        public = table.c.is_public == is_public
        query = query.where(or_(public, _granted_to(project_id)) if is_public and project_id else public)
    if name is not None:
        query = query.where(expressions.matching(table.c.name, "name", name))
    if disabled is not None:
        query = query.where(table.c.disabled == disabled)
    # Whose marker may not be seen must not learn from the answer that it is there.
    among = or_(table.c.is_public, _granted_to(project_id)) if project_id else None
    return ROWS.all(tx.execute(page(tx, query, table.c.flavor_id, sort=sort, marker=marker, among=among, limit=limit)))


def update(tx: Connection, flavor_id: str, **columns: Any) -> Flavor:
    """Change columns of a flavor, such as its description or its extra specs.

    :raises errors.FlavorNotFound: when there is none
    """
    flavor = ROWS.update(tx, _update.values(columns), {"which": flavor_id})
    if flavor is None:
        raise errors.FlavorNotFound(flavor_id=flavor_id)
    return flavor


def delete(tx: Connection, flavor_id: str) -> None:
    """Forget a flavor, and who might use it.

    :raises errors.FlavorNotFound: when there is none
    """
    if tx.execute(delete_from(table).where(ROWS.which), {"which": flavor_id}).rowcount == 0:
        raise errors.FlavorNotFound(flavor_id=flavor_id)


# ---- who may use a flavor that is not public


def grant(tx: Connection, flavor_id: str, project_id: str) -> bool:
    """Let a project use a flavor; tell whether it could not before."""
    return insert_new(tx, insert(flavor_projects), {"flavor_id": flavor_id, "project_id": project_id})


def revoke(tx: Connection, flavor_id: str, project_id: str) -> bool:
    """Let a project use a flavor no longer; tell whether it could before."""
    grants = flavor_projects.c
    query = delete_from(flavor_projects).where(grants.flavor_id == flavor_id, grants.project_id == project_id)
    return tx.execute(query).rowcount > 0


def projects(tx: Connection, flavor_id: str) -> list[str]:
    """List the projects that were granted a flavor."""
    grants = flavor_projects.c
    query = select(grants.project_id).where(grants.flavor_id == flavor_id).order_by(grants.project_id)
    return list(tx.execute(query).scalars())


def _granted_to(project_id: str | BindParameter[str]) -> Any:
    grants = flavor_projects.c
    return exists().where(grants.flavor_id == table.c.flavor_id, grants.project_id == project_id)


_ONE_USABLE = ROWS.one.where(or_(table.c.is_public, _granted_to(bindparam("project"))))
