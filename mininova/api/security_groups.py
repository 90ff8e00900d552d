"""Which security groups are meant: the network service has them, and users name them by name or by id."""

from collections.abc import Iterable, Sequence
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.views.security_groups import DEFAULT

Json = dict[str, Any]


def of_project(request: ComputeRequest, project_id: str | None) -> list[Json]:
    """List the groups of a project that the caller sees."""
    return [group for group in request.cloud.network.search(request.context) if group["project_id"] == project_id]


def named(name: str, among: Iterable[Json]) -> Json:
    """Find the group that is meant.

    :raises errors.NotFound: when there is none
    :raises errors.Conflict: when there are several of this name
    """
    found = [group for group in among if name in (group["id"], group["name"])]
    if not found:
        raise errors.NotFound(f"Unable to find security_group with name or id '{name}'")
    if len(found) > 1:
        problem = f"Multiple security_group matches found for name '{name}', use an ID to be more specific."
        raise errors.Conflict(problem)
    return found[0]


def chosen(request: ComputeRequest, asked: Sequence[Json]) -> list[str] | None:
    """Give the ids of the groups that a new server asks for; None means the default one alone.

    :raises errors.InvalidInput: when there is none of a name
    :raises errors.Conflict: when there are several of a name
    """
    names = {group["name"] for group in asked}
    if not names - {DEFAULT}:
        return None
    project_id = request.context.project_id
    there = of_project(request, project_id)
    try:
        return sorted({named(name, there)["id"] for name in names})
    except errors.NotFound as error:
        name = str(error).rpartition(" ")[2].strip("'")
        raise errors.InvalidInput(f"Security group {name} not found for project {project_id}.") from error
