"""A PATCH of an image: the operations in it, in either of Glance's two forms, applied to the attributes of the image.

``application/openstack-images-v2.1-json-patch`` is JSON Patch (RFC 6902) as far as Glance has it: add, replace and
remove of whole attributes.  The form of v2.0 names the operation by its key, ``{"add": "/name", "value": "x"}``, and
refuses to add what is there.  This works on plain values; it knows neither HTTP nor the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mininova import errors
from mininova.standins.glance.schemas import READ_ONLY, RESERVED, WRITABLE

V2_1 = "application/openstack-images-v2.1-json-patch"
V2_0 = "application/openstack-images-v2.0-json-patch"
FORMS = (V2_1, V2_0)

OPERATIONS = ("add", "replace", "remove")


@dataclass(frozen=True)
class Change:
    """One operation on one attribute.

    :param strict: whether adding what is there is an error
    """

    operation: str
    attribute: str
    value: Any
    strict: bool


def parse(body: Any, form: str) -> list[Change]:
    """Read the operations of a PATCH.

    :param form: its content type, one of FORMS
    :raises errors.InvalidInput: when it is not of that form
    """
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise errors.InvalidInput("Request body must be a JSON array of operation objects.")
    return [_change(item, form) for item in body]


def _change(item: dict[str, Any], form: str) -> Change:
    if form == V2_1:
        operation, path = item.get("op"), item.get("path")
    else:
        operation = next((name for name in OPERATIONS if name in item), None)
        path = item.get(operation) if operation else None
    if operation not in OPERATIONS:
        raise errors.InvalidInput(f"Operations must be one of: {', '.join(OPERATIONS)}.")
    if operation != "remove" and "value" not in item:
        raise errors.InvalidInput(f'Operation "{operation}" requires a member named "value".')
    return Change(operation, _attribute(path), item.get("value"), strict=form == V2_0)


def _attribute(path: Any) -> str:
    """Give the attribute that a JSON pointer names; no attribute has parts that could be named."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) == 1:
        raise errors.InvalidInput(f'Pointer `{path}` does not start with "/" or names nothing.')
    if "/" in path[1:]:
        raise errors.InvalidInput(f"Pointer `{path}` goes into an attribute: only whole ones can be changed.")
    return path[1:].replace("~1", "/").replace("~0", "~")


def apply(changes: Iterable[Change], values: dict[str, Any]) -> dict[str, Any]:
    """Give the attributes of an image after the changes.

    :param values: what it says now: its attributes, its properties and its tags, flat
    :raises errors.NotAllowed: when an attribute is not for clients to change
    :raises errors.Conflict: when a property is not there, or is there already
    """
    values = dict(values)
    for change in changes:
        name = change.attribute
        if name in READ_ONLY or name in RESERVED or name == "id":
            raise errors.NotAllowed(f"Attribute '{name}' is {'reserved' if name in RESERVED else 'read-only'}.")
        if change.operation == "remove" and name in WRITABLE:
            raise errors.NotAllowed(f"Property {name} may not be removed.")
        if change.operation != "add" and name not in values:
            raise errors.Conflict(f"Property {name} does not exist.")
        if change.operation == "add" and change.strict and name in values:
            raise errors.Conflict(f"Property {name} already present.")
        if change.operation == "remove":
            del values[name]
        else:
            values[name] = change.value
    return values
