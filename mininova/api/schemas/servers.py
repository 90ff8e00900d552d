"""What the body of POST /servers and of PUT /servers/{id} may say."""

from mininova.api.schemas.server_tags import TAGS
from mininova.api.schemas.types import (
    ANYTHING,
    BASE64,
    BOOLEAN,
    DESCRIPTION,
    DISK_CONFIG,
    HOST,
    IP,
    IPV4,
    IPV6,
    METADATA,
    NAME,
    SHORT,
    SPACED_NAME,
    STRING,
    TAG,
    UUID,
    Field,
    Json,
    integer,
    list_of,
    object_of,
    under,
)  # fmt: skip

# ---- POST /servers

HOSTNAME: Json = {
    "type": "string",
    "pattern": "^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$",
    "minLength": 2,
    "maxLength": 63,
}
COUNT: Json = {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1, "minLength": 1}
NETWORK: Json = {"fixed_ip": IP, "port": {"type": ["string", "null"], "format": "uuid"}, "uuid": UUID}
OLD_NETWORK = NETWORK | {"uuid": STRING}
TAGGED = {"tag": TAG}

_V1_DEVICE: Json = {
    "virtual_name": {"type": "string", "maxLength": 255},
    "volume_id": UUID,
    "snapshot_id": UUID,
    "volume_size": integer(1),
    "device_name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._/-]*$"},
    "delete_on_termination": BOOLEAN,
    "no_device": ANYTHING,
    "connection_info": {"type": "string", "maxLength": 16777215},
}
DEVICE: Json = _V1_DEVICE | {
    "source_type": {"type": "string", "enum": ["volume", "image", "snapshot", "blank"]},
    "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"},
    "image_id": UUID,
    "destination_type": {"type": "string", "enum": ["local", "volume"]},
    "guest_format": {"type": "string", "maxLength": 255},
    "device_type": {"type": "string", "maxLength": 255},
    "disk_bus": {"type": "string", "maxLength": 255},
    "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
}
VOLUME_TYPE: Json = {"volume_type": {"type": ["string", "null"], "maxLength": 255}}
FILE: Json = object_of({"path": STRING, "contents": BASE64})
CERTIFICATES: Json = {
    "type": ["array", "null"],
    "minItems": 1,
    "maxItems": 50,
    "uniqueItems": True,
    "items": STRING | {"minLength": 1},
}
HINTS: Json = object_of(
    {
        "group": {"oneOf": [list_of(UUID), UUID]},
        "different_host": {"oneOf": [UUID, list_of(UUID)]},
        "same_host": {"type": ["string", "array"], "items": UUID},
        "query": {"type": ["string", "object"]},
        "target_cell": NAME,
        "different_cell": {"type": ["string", "array"], "items": STRING},
        "build_near_host_ip": IP,
        "cidr": {"type": "string", "pattern": "^/[0-9a-f.:]+$"},
    },
    more=True,
)


def _networks(item: Json) -> Json:
    return list_of(object_of(item))


def _networks_or_word(item: Json) -> Json:
    return {"oneOf": [_networks(item), {"type": "string", "enum": ["none", "auto"]}]}


def _devices(*more: Json) -> Json:
    properties = dict(DEVICE)
    for some in more:
        properties |= some
    return list_of(object_of(properties))


CREATE = under(
    "server",
    Field("name", SPACED_NAME, until="2.0", required=True),
    Field("name", NAME, since="2.1", required=True),
    Field("imageRef", {"oneOf": [UUID, {"type": "string", "maxLength": 0}]}),
    Field("flavorRef", {"type": ["string", "integer"], "minLength": 1}, required=True),
    Field("adminPass", STRING),
    Field("metadata", METADATA),
    # A device's tag came with 2.32, was lost in 2.33 and came back in 2.42 (for networks, in 2.37).
    Field("networks", _networks(OLD_NETWORK), until="2.31"),
    Field("networks", _networks(OLD_NETWORK | TAGGED), since="2.32", until="2.36"),
    Field("networks", _networks_or_word(NETWORK), since="2.37", until="2.41", required=True),
    Field("networks", _networks_or_word(NETWORK | TAGGED), since="2.42", required=True),
    Field("OS-DCF:diskConfig", DISK_CONFIG),
    Field("accessIPv4", IPV4),
    Field("accessIPv6", IPV6),
    Field("personality", list_of(FILE), until="2.56"),
    Field("availability_zone", SPACED_NAME, until="2.0"),
    Field("availability_zone", NAME, since="2.1"),
    Field("block_device_mapping", list_of(object_of(_V1_DEVICE))),
    Field("block_device_mapping_v2", _devices(), until="2.31"),
    Field("block_device_mapping_v2", _devices(TAGGED), since="2.32", until="2.32"),
    Field("block_device_mapping_v2", _devices(), since="2.33", until="2.41"),
    Field("block_device_mapping_v2", _devices(TAGGED), since="2.42", until="2.66"),
    Field("block_device_mapping_v2", _devices(TAGGED, VOLUME_TYPE), since="2.67"),
    Field("config_drive", BOOLEAN),
    Field("key_name", SPACED_NAME, until="2.0"),
    Field("key_name", NAME, since="2.1"),
    Field("min_count", COUNT),
    Field("max_count", COUNT),
    Field("return_reservation_id", BOOLEAN),
    Field("security_groups", list_of(object_of({"name": SPACED_NAME})), until="2.0"),
    Field("security_groups", list_of(object_of({"name": NAME})), since="2.1"),
    Field("user_data", BASE64 | {"type": ["string", "null"], "maxLength": 65535}, until="2.0"),
    Field("user_data", BASE64 | {"maxLength": 65535}, since="2.1"),
    Field("description", DESCRIPTION, since="2.19"),
    Field("tags", TAGS, since="2.52"),
    Field("trusted_image_certificates", CERTIFICATES, since="2.63"),
    Field("host", HOST, since="2.74"),
    Field("hypervisor_hostname", HOST, since="2.74"),
    Field("hostname", HOSTNAME, since="2.90", until="2.93"),
    Field("hostname", HOST, since="2.94"),
    **{"os:scheduler_hints": HINTS, "OS-SCH-HNT:scheduler_hints": HINTS},
)

# ---- PUT /servers/{id}

UPDATE = under(
    "server",
    Field("name", SPACED_NAME, until="2.0"),
    Field("name", NAME, since="2.1"),
    Field("OS-DCF:diskConfig", DISK_CONFIG),
    Field("accessIPv4", IPV4),
    Field("accessIPv6", IPV6),
    Field("description", DESCRIPTION, since="2.19"),
    Field("hostname", HOSTNAME, since="2.90", until="2.93"),
    Field("hostname", HOST, since="2.94"),
    Field("pinned_availability_zone", {"oneOf": [{"type": "null"}, SHORT]}, since="2.104"),
)
