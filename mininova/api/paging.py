"""Pages of lists: how many items a page has, after which item it begins, and the link to the next one."""

from datetime import datetime
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.wsgi.values import moment, whole


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


def changed_between(request: ComputeRequest) -> tuple[datetime | None, datetime | None]:
    """Give the moments at or after which, and at or before which, what is listed has changed; the schema knows them.

    :raises errors.InvalidInput: when the first is the later one
    """
    since, before = (
        moment(request.query[name]) if name in request.query else None for name in ("changes-since", "changes-before")
    )
    require_in_order(since, before)
    return since, before


def require_in_order(since: datetime | None, before: datetime | None) -> None:
    """Refuse a time that ends before it begins.

    :raises errors.InvalidInput: when it does
    """
    if since and before and before < since:
        raise errors.InvalidInput("The value of changes-since must be less than or equal to changes-before.")


def number(request: ComputeRequest, name: str) -> int:
    """Read a query parameter that is a number, 0 when it is not there.

    :raises errors.InvalidInput: when it is none
    """
    value = request.query.get(name, "0")
    try:
        return whole(value)
    except ValueError as reason:
        raise errors.InvalidInput(f"Invalid {name} filter [{value}]") from reason
