"""What can be said of an image: one table, from which bodies are checked and the schema documents are made."""

from typing import Any

from jsonschema import Draft202012Validator

from mininova import errors
from mininova.standins.glance.db.images import VISIBILITIES

CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop")

_COUNT = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
TAG = {"type": "string", "minLength": 1, "maxLength": 255}

# What clients may set.
WRITABLE: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "maxLength": 36},
    "name": {"type": ["null", "string"], "maxLength": 255},
    "visibility": {"type": "string", "enum": list(VISIBILITIES)},
    "protected": {"type": "boolean"},
    "os_hidden": {"type": "boolean"},
    "owner": {"type": ["null", "string"], "maxLength": 64},
    "container_format": {"type": ["null", "string"], "enum": [None, *CONTAINER_FORMATS]},
    "disk_format": {"type": ["null", "string"], "enum": [None, *DISK_FORMATS]},
    "min_disk": _COUNT,
    "min_ram": _COUNT,
    "tags": {"type": "array", "items": TAG},
}

# What the service sets.
READ_ONLY: dict[str, dict[str, Any]] = {
    name: {"type": types, "readOnly": True}
    for name, types in {
        "status": "string",
        "checksum": ["null", "string"],
        "os_hash_algo": ["null", "string"],
        "os_hash_value": ["null", "string"],
        "size": ["null", "integer"],
        "virtual_size": ["null", "integer"],
        "created_at": "string",
        "updated_at": "string",
        "self": "string",
        "file": "string",
        "schema": "string",
        "direct_url": "string",
    }.items()
}

# Anything else is a property: text under a name of the owner's choosing.
PROPERTY = {"type": "string", "maxLength": 65535}
PROPERTY_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
RESERVED = frozenset({"location", "locations", "deleted", "deleted_at", "stores"})

_IMAGE = Draft202012Validator(
    {"type": "object", "properties": WRITABLE, "additionalProperties": PROPERTY, "propertyNames": PROPERTY_NAME}
)

#: The ways to import an image: there is nothing that the service fetches by itself.
IMPORT_METHODS = ("glance-direct",)
_IMPORT = Draft202012Validator({
    "type": "object",
    "properties": {
        "method": {"type": "object", "properties": {"name": TAG}, "required": ["name"]},
        "all_stores": {"type": "boolean"},
        "all_stores_must_succeed": {"type": "boolean"},
        "stores": {"type": "array", "items": TAG},
    },
    "required": ["method"],
})  # fmt: skip


def checked_import(values: Any) -> dict[str, Any]:
    """Give the body of an import back that has its form.

    :raises errors.InvalidInput: naming the attribute that is wrong
    """
    for error in _IMPORT.iter_errors(values):
        where = f" in attribute '{error.path[0]}'" if error.path else ""
        raise errors.InvalidInput(f"Provided object does not match schema 'import'{where}: {error.message}")
    return dict(values)


def check(values: dict[str, Any]) -> None:
    """Refuse values that an image cannot have.

    :raises errors.NotAllowed: when a client may not set one of them
    :raises errors.InvalidInput: naming the attribute that is wrong
    """
    for name in values:
        if name in READ_ONLY or name in RESERVED:
            raise errors.NotAllowed(f"Attribute '{name}' is {'read-only' if name in READ_ONLY else 'reserved'}.")
    for error in _IMAGE.iter_errors(values):
        where = f" in attribute '{error.path[0]}'" if error.path else ""
        raise errors.InvalidInput(f"Provided object does not match schema 'image'{where}: {error.message}")


def documents() -> dict[str, dict[str, Any]]:
    """Give the schema documents: name → what is answered under ``/v2/schemas/NAME``."""
    text = {"type": "string"}
    image = {**WRITABLE, **READ_ONLY}
    member = dict.fromkeys(("member_id", "image_id", "status", "created_at", "updated_at", "schema"), text)
    task = dict.fromkeys(("id", "type", "status", "owner", "created_at", "updated_at", "self", "schema"), text)
    singles: dict[str, dict[str, Any]] = {
        "image": {"properties": image, "additionalProperties": {"type": "string"}},
        "member": {"properties": member},
        "task": {"properties": task},
    }
    lists: dict[str, dict[str, Any]] = {
        f"{name}s": {"properties": {f"{name}s": {"type": "array", "items": {"name": name, **one}}, "schema": text}}
        for name, one in singles.items()
    }
    return {name: {"name": name, **document} for name, document in {**singles, **lists}.items()}
