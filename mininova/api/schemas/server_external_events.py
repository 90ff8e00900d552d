"""What other services may say of servers: the events, and from which microversion on each is known."""

from mininova.api.schemas.types import UUID, Json, list_of, object_of
from mininova.api.validation import Schemas
from mininova.wsgi import Microversion

# The first microversion that has each.
EVENTS = {
    "network-changed": "2.0", "network-vif-plugged": "2.0", "network-vif-unplugged": "2.0",
    "network-vif-deleted": "2.0",
    "volume-extended": "2.51", "power-update": "2.76", "accelerator-request-bound": "2.82", "volume-reimaged": "2.93",
}  # fmt: skip
STATUSES = ["failed", "completed", "in-progress"]


def _body(version: Microversion) -> Json:
    known = [name for name, since in EVENTS.items() if Microversion.parse(since) <= version]
    event = {
        "name": {"type": "string", "enum": known},
        "server_uuid": UUID,
        "status": {"type": "string", "enum": STATUSES},
        "tag": {"type": "string", "maxLength": 255},
    }
    return object_of({"events": list_of(object_of(event, ["name", "server_uuid"]), minItems=1)}, ["events"])


CREATE = Schemas(_body, sorted(set(EVENTS.values()) - {"2.0"}, key=Microversion.parse))
