"""Who asked, and under which request id: what travels beside every message.

A context is a value.  It never holds a token or a password, so there is none to steal from a message.
"""

import uuid
from typing import Any

import msgspec


def new_request_id() -> str:
    """Make the ``req-…`` id that one request keeps from the HTTP header to its last notification."""
    return f"req-{uuid.uuid4()}"


class RequestContext(msgspec.Struct, frozen=True, kw_only=True):
    """The user, the project and the request on whose behalf something is done."""

    request_id: str = msgspec.field(default_factory=new_request_id)
    global_request_id: str | None = None
    user_id: str | None = None
    user_name: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    roles: tuple[str, ...] = ()
    is_admin: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Give the fields that travel; the RPC layer prefixes each with ``_context_`` (oslo.messaging's way)."""
        fields = msgspec.structs.asdict(self) | {"roles": list(self.roles)}  # as it arrives: it need not be compared
        return {name: value for name, value in fields.items() if value is not None}

    @classmethod
    def from_wire(cls, values: dict[str, Any]) -> "RequestContext":
        """Read a context from the wire; what this version does not know is left aside."""
        return msgspec.convert(values, cls)


def service_context() -> RequestContext:
    """Make the context of something a service does on its own account, such as a heartbeat."""
    return RequestContext(is_admin=True, roles=("admin", "service"))
