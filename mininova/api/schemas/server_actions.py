"""What a server's actions take, each under its name."""

from mininova.api.schemas.types import ANYTHING, SHORT, STRING, action, object_of
from mininova.api.validation import Schemas

FORCE_DELETE, UNLOCK = action("forceDelete"), action("unlock")
CHANGE_PASSWORD = action("changePassword", object_of({"adminPass": STRING}, ["adminPass"]))
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
RESET_STATE = action("os-resetState", object_of({"state": {"type": "string", "enum": ["active", "error"]}}, ["state"]))
CONSOLE_OUTPUT = action(
    "os-getConsoleOutput",
    object_of({"length": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1}}),
)
