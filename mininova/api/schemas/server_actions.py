"""What a server's actions take, each under its name."""

from mininova.api.schemas.servers import CERTIFICATES, FILE, HOSTNAME
from mininova.api.schemas.types import (
    ANYTHING,
    BASE64,
    BOOLEAN,
    DESCRIPTION,
    DISK_CONFIG,
    HOST,
    IPV4,
    IPV6,
    LIMIT,
    METADATA,
    NAME,
    SHORT,
    SPACED_NAME,
    STRING,
    UUID,
    Field,
    Json,
    action,
    list_of,
    object_of,
    under,
)
from mininova.api.validation import Schemas
from mininova.wsgi import Microversion


def _to_where(version: Microversion) -> Json:
    """Describe where a server is to be unshelved."""
    if version < (2, 77):
        return ANYTHING
    if version < (2, 91):
        where = object_of({"availability_zone": NAME}, ["availability_zone"])
    else:
        where = object_of({"availability_zone": {"type": ["string", "null"]}, "host": STRING})
    return where | {"type": ["object", "null"]}


FORCE_DELETE, UNLOCK = action("forceDelete"), action("unlock")
CHANGE_PASSWORD = action("changePassword", object_of({"adminPass": STRING}, ["adminPass"]))
CREATE_IMAGE = action("createImage", object_of({"name": NAME, "metadata": METADATA}, ["name"]))
CREATE_BACKUP = under(
    "createBackup",
    Field("name", SPACED_NAME, until="2.0", required=True),
    Field("name", NAME, since="2.1", required=True),
    Field("backup_type", STRING, required=True),
    Field("rotation", LIMIT, required=True),
    Field("metadata", METADATA),
)
UNSHELVE = Schemas(
    lambda version: object_of({"unshelve": _to_where(version)}, ["unshelve"]),
    ["2.77", "2.91"],
)
CRASH_DUMP = action("trigger_crash_dump", {"type": "null"})
RESCUE = action("rescue", object_of({"adminPass": STRING, "rescue_image_ref": UUID}) | {"type": ["object", "null"]})
REBUILD = under(
    "rebuild",
    Field("name", SPACED_NAME, until="2.0"),
    Field("name", NAME, since="2.1"),
    Field("imageRef", UUID, required=True),
    Field("adminPass", STRING),
    Field("metadata", METADATA),
    Field("preserve_ephemeral", BOOLEAN),
    Field("OS-DCF:diskConfig", DISK_CONFIG),
    Field("accessIPv4", IPV4),
    Field("accessIPv6", IPV6),
    Field("personality", list_of(FILE), until="2.56"),
    Field("description", DESCRIPTION, since="2.19"),
    Field("key_name", {"oneOf": [NAME, {"type": "null"}]}, since="2.54"),
    Field("user_data", BASE64 | {"type": ["string", "null"], "maxLength": 65535}, since="2.57"),
    Field("trusted_image_certificates", CERTIFICATES, since="2.63"),
    Field("hostname", HOSTNAME, since="2.90", until="2.93"),
    Field("hostname", HOST, since="2.94"),
)
FLAVOR_REF = {"type": ["string", "integer"], "minLength": 1}
LOCK = Schemas(
    lambda version: object_of(
        {
            "lock": object_of({"locked_reason": SHORT}) | {"type": ["object", "null"]}
            if version >= (2, 73)
            else ANYTHING
        },
        ["lock"],
    ),
    ["2.73"],
)
REBOOT = action(
    "reboot",
    object_of({"type": {"type": "string", "enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}}, ["type"]),
)
NEW_HOST = HOST | {"type": ["string", "null"]}
RESIZE = under("resize", Field("flavorRef", FLAVOR_REF, required=True), Field("OS-DCF:diskConfig", DISK_CONFIG))
MIGRATE = Schemas(
    lambda version: object_of(
        {"migrate": object_of({"host": NEW_HOST}) | {"type": ["object", "null"]} if version >= (2, 56) else ANYTHING},
        ["migrate"],
    ),
    ["2.56"],
)
MIGRATE_LIVE = under(
    "os-migrateLive",
    Field("block_migration", BOOLEAN, until="2.24", required=True),
    Field("block_migration", BOOLEAN | {"enum": [*BOOLEAN["enum"], "auto"]}, since="2.25", required=True),
    Field("disk_over_commit", BOOLEAN, until="2.24", required=True),
    Field("host", NEW_HOST, required=True),
    Field("force", BOOLEAN, since="2.30", until="2.67"),
)
EVACUATE = under(
    "evacuate",
    Field("host", HOST),
    Field("onSharedStorage", BOOLEAN, until="2.13", required=True),
    Field("adminPass", STRING),
    Field("force", BOOLEAN, since="2.29", until="2.67"),
)
RESET_STATE = action("os-resetState", object_of({"state": {"type": "string", "enum": ["active", "error"]}}, ["state"]))
CONSOLE_OUTPUT = action(
    "os-getConsoleOutput",
    object_of({"length": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1}}),
)
