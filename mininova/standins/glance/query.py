"""Turns the query string of ``GET /v2/images`` into a filter, a sort and a page (Image API, "List images")."""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from mininova import errors
from mininova.db.pages import Sort
from mininova.standins.glance.db.images import VISIBILITIES, ImageFilter
from mininova.wsgi.values import moment, whole

DEFAULT_LIMIT = 25
SORT_KEYS = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One page of one list."""

    wanted: ImageFilter
    limit: int
    marker: str | None
    sort: Sort


# A query string, decoded: names and values in their order, a name perhaps several times.
Asked = Sequence[tuple[str, str]]


def parse(asked: Asked, max_limit: int) -> Query:
    """Read a query string.

    :raises errors.InvalidInput: naming the parameter that is wrong
    """
    last = dict(asked)
    limit = _count("limit", last.get("limit", str(DEFAULT_LIMIT)))
    return Query(wanted=_wanted(asked), limit=min(limit, max_limit), marker=last.get("marker"), sort=_sort(asked))


def _every(asked: Asked, name: str) -> list[str]:
    return [text for other, text in asked if other == name]


# ---- filters


def _flag(name: str, text: str) -> list[bool]:
    if text.lower() not in ("true", "false"):
        raise errors.InvalidInput(f"Invalid value '{text}' for '{name}': it must be true or false.")
    return [text.lower() == "true"]


def _count(name: str, text: str) -> int:
    try:
        number = whole(text)
    except ValueError:
        number = -1
    if number < 0:
        raise errors.InvalidInput(f"Invalid value '{text}' for '{name}': it must be a number, 0 or more.")
    return number


def _one_of(name: str, text: str) -> list[str]:
    """Read one value, or several after ``in:``, where double quotes keep a comma inside a value."""
    return next(csv.reader([text.removeprefix("in:")])) if text.startswith("in:") else [text]


def _visibility(name: str, text: str) -> str:
    if text not in (*VISIBILITIES, "all"):
        raise errors.InvalidInput(f"Invalid visibility value: {text}")
    return text


def _member_status(name: str, text: str) -> str:
    if text not in ("pending", "accepted", "rejected", "all"):
        raise errors.InvalidInput(f"Invalid member_status value: {text}")
    return text


# What a column must be equal to.
_AMONG: dict[str, Callable[[str, str], list[Any]]] = {
    **dict.fromkeys(("id", "name", "status", "container_format", "disk_format"), _one_of),
    **dict.fromkeys(("owner", "checksum", "os_hash_algo", "os_hash_value"), lambda name, text: [text]),
    **dict.fromkeys(("min_disk", "min_ram", "size"), lambda name, text: [_count(name, text)]),
    **dict.fromkeys(("protected", "os_hidden"), _flag),
}
# What a column is compared with: parameter → column, comparison.
_SIZES = {"size_min": ("size", "gte"), "size_max": ("size", "lte")}
_MOMENTS = ("created_at", "updated_at")
_PLAIN: dict[str, Callable[[str, str], str]] = {"visibility": _visibility, "member_status": _member_status}
_NOT_FILTERS = {"limit", "marker", "sort", "sort_key", "sort_dir", "tag"}


def _wanted(asked: Asked) -> ImageFilter:
    among: dict[str, list[Any]] = {"os_hidden": [False]}
    compared: list[tuple[str, str, Any]] = []
    plain: dict[str, str] = {}
    properties: dict[str, str] = {}
    for name, text in asked:
        if name in _AMONG:
            among[name] = _AMONG[name](name, text)
        elif name in _SIZES:
            compared.append((*_SIZES[name], _count(name, text)))
        elif name in _MOMENTS:
            compared.append((name, *_moment(name, text)))
        elif name in _PLAIN:
            plain[name] = _PLAIN[name](name, text)
        elif name not in _NOT_FILTERS:
            properties[name] = text
    return ImageFilter(among=among, compared=compared, tags=_every(asked, "tag"), properties=properties, **plain)


def _moment(name: str, text: str) -> tuple[str, datetime]:
    """Read ``gte:2026-01-01T00:00:00Z``; without a comparison it means equal."""
    comparison, _, said = text.partition(":")
    if comparison not in ("eq", "neq", "lt", "lte", "gt", "gte"):
        comparison, said = "eq", text
    try:
        return comparison, moment(said)
    except ValueError as reason:
        raise errors.InvalidInput(f"Invalid value '{text}' for '{name}': no date and time.") from reason


# ---- order


def _sort(asked: Asked) -> Sort:
    """Read ``sort=name:asc,size``, or the older ``sort_key=name&sort_dir=asc``, which may come several times."""
    texts = [item.partition(":") for text in _every(asked, "sort") for item in text.split(",")]
    keys, directions = _every(asked, "sort_key") or ["created_at"], _every(asked, "sort_dir") or ["desc"]
    if len(directions) == 1:
        directions *= len(keys)
    if len(directions) != len(keys):
        raise errors.InvalidInput("Number of sort dirs does not match the number of sort keys")
    pairs = [(key.strip(), direction) for key, _, direction in texts] or list(zip(keys, directions, strict=True))
    sort = [(key, direction or "desc") for key, direction in pairs]
    for key, direction in sort:
        if key not in SORT_KEYS or direction not in ("asc", "desc"):
            raise errors.InvalidInput(f"Invalid sort '{key}:{direction}': sort by {', '.join(SORT_KEYS)}, asc or desc.")
    return sort
