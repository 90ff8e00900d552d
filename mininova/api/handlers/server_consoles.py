"""Consoles of a server over HTTP: there are none yet, and the answer is that of a Nova on which none is enabled.

Until 2.5 each kind is an action; since 2.6 a console is made, and the body says of which kind.
"""

from collections.abc import Callable
from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_consoles as schemas
from mininova.api.validation import takes

Json = dict[str, Any]

RULE = "os-remote-consoles"


def _refusing(action: str) -> Callable[..., Json]:
    """Make the handler of an action that asks for a console."""

    @takes(body=schemas.ACTIONS[action])
    def refuse(request: ComputeRequest, id: str) -> Json:
        return _refuse(request, id, request.document[action]["type"])

    kind = action.removeprefix("os-get").removesuffix("Console")
    refuse.__name__, refuse.__doc__ = f"get_{kind.lower()}_console", f"Refuse a console by {kind}."
    return refuse


get_vnc_console = _refusing("os-getVNCConsole")
get_spice_console = _refusing("os-getSPICEConsole")
get_serial_console = _refusing("os-getSerialConsole")


@takes(body=schemas.CREATE)
def create(request: ComputeRequest, server_id: str) -> Json:
    """Refuse a console of any kind."""
    return _refuse(request, server_id, request.body_of("remote_console")["type"])


def _refuse(request: ComputeRequest, id: str, kind: str) -> Json:
    instance = find(request, id, RULE)
    if instance.host is None:
        raise errors.InstanceNotReady(instance_uuid=instance.uuid)
    raise errors.InvalidInput(f"Unavailable console type {kind}.")
