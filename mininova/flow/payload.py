"""Reads what a message carries, which another process wrote, perhaps of another version.

Nothing here raises for a payload of another shape; a missing value reads as None.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from mininova.objects.base import DATA
from mininova.rpc.watch.flow import MessageEvent

_LEAVES = frozenset({str, int, float, bool, type(None)})  # most of a payload: a call for each would cost most
_BRANCHES = frozenset({dict, list, tuple})
_UUID_KEYS = ("uuid", "instance_uuid", "instance_id")
_NAMING = {*_UUID_KEYS, "instance_uuids"}


def plain(value: Any) -> Any:
    """Copy a payload with each versioned object replaced by its data."""
    if isinstance(value, dict):
        if DATA in value:
            return plain(value[DATA])
        return {key: item if type(item) in _LEAVES else plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _LEAVES else plain(item) for item in value]
    return value


def at(value: Any, *path: str | int) -> Any:
    """Follow a path of keys and positions into plain data; None when it leads nowhere."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def listed(value: Any) -> list[Any]:
    """Give a list as it is, and anything else as an empty one."""
    return value if isinstance(value, list) else []


def instances(payload: Any) -> dict[str, str]:
    """Map the uuid of each instance in a payload to its name; "" where it does not say.

    Nothing is copied, and what is empty is not looked into: this is most of the collector's work.
    """
    found: dict[str, str] = {}
    left = [payload]
    while left:
        value = left.pop()
        if type(value) is dict:
            if DATA in value:
                left.append(value[DATA])
                continue
            if not value.keys().isdisjoint(_NAMING):
                for uuid, name in _named(value):
                    found[uuid] = name or found.get(uuid, "")
            value = value.values()
        elif type(value) not in _BRANCHES:
            continue
        for item in value:
            if type(item) in _BRANCHES and item:
                left.append(item)
    return found


def servers(event: MessageEvent) -> dict[str, str]:
    """Map the uuid of each instance that a message is about to its name; "" where it does not say."""
    found = instances(event.payload)
    if event.kind == "http":
        found |= {part: "" for part in _after("servers", event.method) if _is_uuid(part)}
    return found


def _named(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what a mapping itself says of instances."""
    for key in _UUID_KEYS:
        if key in value and _is_uuid(uuid := value[key]):
            if "display_name" in value or "uuid" not in value:
                yield uuid, str(value.get("display_name") or "")
            break
    for item in listed(value.get("instance_uuids")):
        if _is_uuid(item):
            yield item, ""


def _after(word: str, method: str) -> list[str]:
    parts = method.partition(" ")[2].partition("?")[0].split("/")
    return [part for before, part in pairwise(parts) if before == word]


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.count("-") == 4
