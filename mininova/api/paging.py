"""Pages of lists: how many items a page has, after which item it begins, and the link to the next one."""

from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.wsgi.values import whole


def limit_of(request: ComputeRequest) -> int:
    """Give how many items a page may have: the query's limit, or ``[api] max_limit`` if that is less.

    :raises errors.InvalidInput: when it is no number
    """
    most: int = request.cloud.conf.api.max_limit
    return min(number(request, "limit"), most) if "limit" in request.query else most


def marker_of(request: ComputeRequest) -> str | None:
    """Give the id of the last item of the page before."""
    return request.query.get("marker")


def next_page(request: ComputeRequest, path: str, shown: list[Any], limit: int, marker: str) -> list[dict[str, str]]:
    """Link to the next page, if there may be one.

    :param marker: the id of the last item shown
    """
    if not shown or len(shown) < limit:
        return []
    return request.links.next(path, list(request.GET.items()), marker)


def number(request: ComputeRequest, name: str) -> int:
    """Read a query parameter that is a number, 0 when it is not there.

    :raises errors.InvalidInput: when it is none
    """
    value = request.query.get(name, "0")
    try:
        return whole(value)
    except ValueError as reason:
        raise errors.InvalidInput(f"Invalid {name} filter [{value}]") from reason
