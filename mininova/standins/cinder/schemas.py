"""What a body of the Block Storage API must be like."""

from typing import Any

from jsonschema import Draft202012Validator

from mininova import errors

Json = dict[str, Any]

MAX_GB = 2**31 - 1
UUID = "^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$"

_NAME: Json = {"type": ["string", "null"], "maxLength": 255}
_ID: Json = {"type": ["string", "null"], "maxLength": 36}
_FLAG: Json = {"enum": [True, False, "True", "False", "true", "false", "1", "0", 1, 0]}
_SIZE: Json = {"type": ["integer", "string", "null"], "pattern": "^[0-9]{1,9}$", "minimum": 1, "maximum": MAX_GB}
_TEXTS: Json = {
    "type": "object",
    "maxProperties": 128,
    "propertyNames": {"pattern": "^[a-zA-Z0-9-_:. ]{1,255}$"},
    "additionalProperties": {"type": "string", "maxLength": 255},
}
TYPE: Json = {"type": ["string", "null"], "maxLength": 255}


def _object(properties: Json, *required: str, others: bool = False) -> Draft202012Validator:
    return Draft202012Validator(
        {"type": "object", "properties": properties, "required": list(required), "additionalProperties": others}
    )


# Volumes have been called by two names each since the first version of the API.
_NAMED: Json = dict.fromkeys(("name", "display_name", "description", "display_description"), _NAME)
_METADATA: Json = {"metadata": {**_TEXTS, "type": ["object", "null"]}}

NEW_VOLUME = _object(
    {
        **_NAMED,
        **_METADATA,
        "size": _SIZE,
        "volume_type": TYPE,
        "snapshot_id": _ID,
        "source_volid": _ID,
        "imageRef": {"type": ["string", "null"], "maxLength": 255},
        "image_id": {"type": ["string", "null"], "maxLength": 255},
        "availability_zone": _NAME,
        "multiattach": {"type": ["boolean", "string", "null"]},
        "consistencygroup_id": {"type": "null"},
        "group_id": {"type": "null"},
        "backup_id": {"type": "null"},
    },
    others=True,  # Cinder passes over what it does not know, as clients send their own ideas along
)
CHANGED = _object({**_NAMED, **_METADATA}, others=True)
METADATA = _object({"metadata": _TEXTS}, "metadata")
META = _object({"meta": {**_TEXTS, "minProperties": 1, "maxProperties": 1}}, "meta")

NEW_SNAPSHOT = _object(
    {
        **_NAMED,
        **_METADATA,
        "volume_id": {"type": "string", "maxLength": 36},
        "force": {**_FLAG, "enum": [*_FLAG["enum"], None]},
    },
    "volume_id",
    others=True,
)

NEW_TYPE = _object(
    {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": _NAME,
        "os-volume-type-access:is_public": {"type": "boolean"},
        "is_public": {"type": "boolean"},
        "extra_specs": _TEXTS,
    },
    "name",
)
CHANGED_TYPE = _object({"name": {**_NAME, "minLength": 1}, "description": _NAME, "is_public": {"type": "boolean"}})
EXTRA_SPECS = _object({"extra_specs": {**_TEXTS, "minProperties": 1}}, "extra_specs")
ONE_SPEC = Draft202012Validator({**_TEXTS, "minProperties": 1, "maxProperties": 1})

_CONNECTOR: Json = {"type": ["object", "null"]}
NEW_ATTACHMENT = _object(
    {
        "volume_uuid": {"type": "string", "maxLength": 36},
        "instance_uuid": _ID,
        "connector": _CONNECTOR,
        "mode": {"enum": ["rw", "ro"]},
    },
    "volume_uuid",
)
CONNECTOR = _object({"connector": {"type": "object", "minProperties": 1}}, "connector", others=True)

# What each action on a volume takes.
ACTIONS = {
    "os-attach": _object(
        {
            "instance_uuid": _ID,
            "mountpoint": {"type": "string", "minLength": 1, "maxLength": 255},
            "host_name": _NAME,
            "mode": {"enum": ["rw", "ro"]},
        },
        "mountpoint",
    ),
    "os-detach": _object({"attachment_id": _ID}),
    "os-force_detach": _object({"attachment_id": _ID, "connector": _CONNECTOR}),
    "os-extend": _object({"new_size": {**_SIZE, "type": ["integer", "string"]}}, "new_size"),
    "os-reset_status": _object({"status": _NAME, "attach_status": _NAME, "migration_status": _NAME}, others=True),
    "os-set_bootable": _object({"bootable": _FLAG}, "bootable"),
    "os-update_readonly_flag": _object({"readonly": _FLAG}, "readonly"),
    "os-reimage": _object({"image_id": {"type": "string", "pattern": UUID}, "reimage_reserved": _FLAG}, "image_id"),
    "os-retype": _object(
        {"new_type": {"type": "string", "maxLength": 255}, "migration_policy": {"enum": ["on-demand", "never"]}},
        "new_type",
    ),
    "os-set_image_metadata": METADATA,
    "os-unset_image_metadata": _object({"key": {"type": "string", "minLength": 1, "maxLength": 255}}, "key"),
    "os-initialize_connection": _object({"connector": {"type": "object"}}, "connector"),
    "os-terminate_connection": _object({"connector": _CONNECTOR}),
}
QUOTA_SET = Draft202012Validator(
    {
        "type": "object",
        "maxProperties": 500,
        "propertyNames": {"maxLength": 255},
        "additionalProperties": {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,10}$", "minimum": -1},
    }
)


def checked(body: Any, validator: Draft202012Validator) -> Json:
    """Give a body back that has its form.

    :raises errors.InvalidInput: naming the field that is wrong
    """
    for error in validator.iter_errors(body):
        where = "/".join(str(part) for part in error.path)
        value = f" for field/attribute {where}. Value: {error.instance!s:.100}" if where else ""
        raise errors.InvalidInput(f"Invalid input{value}. {error.message:.500}")
    found: Json = body
    return found


def named(body: Json) -> Json:
    """Give the name and the description that a body has, by their column."""
    said = {}
    for column in ("name", "description"):
        for key in (f"display_{column}", column):
            if key in body:
                said[column] = body[key].strip() if isinstance(body[key], str) else None
    return said


def truth(value: Any) -> bool:
    """Read what stands for true or false in a body."""
    return str(value).lower() in ("true", "1")
