"""What console may be asked for, and from which microversion on."""

from mininova.api.schemas.types import Field, Json, action, object_of, query, under


def _one_of(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def _of_type(*words: str) -> Json:
    return object_of({"type": _one_of(*words)}, ["type"])


ACTIONS = {
    "os-getVNCConsole": action("os-getVNCConsole", _of_type("novnc", "xvpvnc")),
    "os-getSPICEConsole": action("os-getSPICEConsole", _of_type("spice-html5")),
    "os-getSerialConsole": action("os-getSerialConsole", _of_type("serial")),
}

_PROTOCOLS = ("vnc", "spice", "serial", "rdp")
_TYPES = ("novnc", "xvpvnc", "spice-html5", "serial", "rdp-html5")
CREATE = under(
    "remote_console",
    Field("protocol", _one_of(*_PROTOCOLS), until="2.7", required=True),
    Field("protocol", _one_of(*_PROTOCOLS, "mks"), since="2.8", required=True),
    Field("type", _one_of(*_TYPES), until="2.7", required=True),
    Field("type", _one_of(*_TYPES, "webmks"), since="2.8", until="2.98", required=True),
    Field("type", _one_of(*_TYPES, "webmks", "spice-direct"), since="2.99", required=True),
)

TOKEN_QUERY = query(strict_since="2.99")
