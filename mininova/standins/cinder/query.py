"""What a client wants of a list: filters, order, and a page of it (Block Storage API v3).

The lists are those of one project, and short; so all of a list is read, and chosen from here.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from mininova import errors
from mininova.db.kinds import Thing
from mininova.standins.cinder import policy
from mininova.wsgi import Request
from mininova.wsgi.values import moment, whole

Json = dict[str, Any]
T = TypeVar("T", bound=Thing)

MAX_LIMIT = 1000
#: How moments are compared: ``created_at=gt:2026-01-01T00:00:00``, several of them with commas between.
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "eq": operator.eq, "neq": operator.ne, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip
YES, NO = ("1", "true", "on", "yes"), ("0", "false", "off", "no")


def projects(request: Request) -> list[str] | None:
    """Name the projects whose things a list has: the caller's, unless an administrator asks for all or for another.

    :return: None for all
    """
    if policy.viewer(request.context) is None and flag(request, "all_tenants"):
        asked = request.GET.get("project_id")
        return [asked] if asked else None
    return [request.context.project_id or ""]


def flag(request: Request, name: str) -> bool:
    """Read a parameter that is true or false.

    :raises errors.InvalidInput: when it is neither
    """
    text = request.GET.get(name, "false").strip().lower()
    if text not in (*YES, *NO):
        raise errors.InvalidInput(f"Invalid value '{text:.50}' for {name}: it must be true or false.")
    return text in YES


def in_time(request: Request, things: Iterable[T]) -> list[T]:
    """Give what was made and changed when a client asks for (since 3.60).

    :raises errors.InvalidInput: naming the parameter that compares in no way, or with no moment
    """
    found = list(things)
    for name in ("created_at", "updated_at"):
        if request.api_version < (3, 60) or name not in request.GET:
            continue
        for part in request.GET[name].split(","):
            how, _, text = part.partition(":")
            if how not in COMPARISONS:
                raise errors.InvalidInput(f"Invalid {name} operator: {how:.50}")
            try:
                asked = moment(text)
            except ValueError as reason:
                raise errors.InvalidInput(f"Invalid {name} value: {text:.50}") from reason
            found = [each for each in found if COMPARISONS[how](getattr(each, name), asked)]
    return found


def answer(
    request: Request,
    key: str,
    things: Sequence[T],
    known: Mapping[str, Callable[[T], Any]],
    shown: Callable[[T], Json],
) -> Json:
    """Give what is wanted of a list, under its key, with a link to the next page.

    :param known: by what a list can be chosen and sorted; other parameters choose nothing
    :param shown: makes the document of one
    :raises errors.InvalidInput: naming the parameter that is wrong
    :raises errors.NotFound: when there is no such marker
    """
    found = [each for each in things if all(_matches(request, name, of(each)) for name, of in known.items())]
    count = {"count": len(found)} if request.api_version >= (3, 45) and flag(request, "with_count") else {}
    page, links = _page(request, key, _sorted(request, found, known))
    return {key: [shown(each) for each in page], **links, **count}


def _matches(request: Request, name: str, value: Any) -> bool:
    like = request.GET.get(f"{name}~")
    if like is not None and like not in str(value or ""):
        return False
    return all(_is(name, value, text) for text in request.GET.getall(name))


def _is(name: str, value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return text.lower() in (YES if value else NO)
    if isinstance(value, dict):
        try:
            wanted = msgspec.json.decode(text.replace("'", '"'), type=dict[str, str])
        except msgspec.DecodeError as reason:
            raise errors.InvalidInput(f"Invalid filter {name}: '{text:.50}' is no object with texts.") from reason
        return wanted.items() <= value.items()
    return str("" if value is None else value) == text


def _sorted(request: Request, things: list[T], known: Mapping[str, Callable[[T], Any]]) -> list[T]:
    asked = request.GET.get("sort")
    if asked is not None:
        pairs = [(key.strip(), direction.strip() or "desc") for key, _, direction in map(_split, asked.split(","))]
    else:
        keys, directions = request.GET.getall("sort_key"), request.GET.getall("sort_dir")
        if len(directions) > max(1, len(keys)):
            raise errors.InvalidInput("Sort direction array size exceeds sort key array size.")
        keys = keys or ["created_at"]
        pairs = [(key, directions[at] if at < len(directions) else "desc") for at, key in enumerate(keys)]
    times: dict[str, Callable[[T], Any]] = {
        "created_at": lambda it: it.created_at,
        "updated_at": lambda it: it.updated_at,
    }
    for key, direction in reversed(pairs):
        of = known.get(key) or times.get(key)
        if of is None:
            raise errors.InvalidInput(f"Sort key supplied '{key:.50}' is invalid: it is none of {sorted(known)}.")
        if direction not in ("asc", "desc"):
            raise errors.InvalidInput("Sort direction must be 'asc' or 'desc'")
        things = sorted(things, key=lambda thing: _orderly(of(thing)), reverse=direction == "desc")
    return things


def _split(part: str) -> tuple[str, str, str]:
    return part.partition(":")


def _orderly(value: Any) -> tuple[bool, Any]:
    return (value is not None, "" if value is None else value)


def _page(request: Request, key: str, things: list[T]) -> tuple[list[T], Json]:
    limit, offset = _number(request, "limit", MAX_LIMIT), _number(request, "offset", 0)
    marker = request.GET.get("marker")
    if marker is not None:
        ids = [each.id for each in things]
        if marker not in ids:
            raise errors.NotFound(f"Marker {marker:.50} could not be found.")
        things = things[ids.index(marker) + 1 :]
    page = things[offset : offset + min(limit, MAX_LIMIT)]
    if "limit" not in request.GET or len(page) < limit or not page:
        return page, {}
    others = {name: value for name, value in request.GET.items() if name != "offset"} | {"marker": page[-1].id}
    href = f"{request.service_endpoint}{request.path_info}?{urlencode(others)}"
    return page, {f"{key}_links": [{"rel": "next", "href": href}]}


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.GET.get(name)
    if text is None:
        return otherwise
    try:
        number = whole(text)
    except ValueError as reason:
        raise errors.InvalidInput(f"{name} must be an integer") from reason
    if number < 0:
        raise errors.InvalidInput(f"{name} must be >= 0")
    return number
