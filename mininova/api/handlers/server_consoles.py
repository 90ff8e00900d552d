"""Consoles of a server over HTTP (nova: api/openstack/compute/remote_consoles.py and console_auth_tokens.py).

Until 2.5 each kind is an action; since 2.6 a console is made, and the body says of which kind.  The answer is a URL
with a token, which the console proxy takes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_consoles as schemas
from mininova.api.validation import takes
from mininova.db import console_auth_tokens

Json = dict[str, Any]

RULE = "os-remote-consoles"


def _getting(action: str) -> Callable[..., Json]:
    """Make the handler of an action that asks for a console."""
    protocol = action.removeprefix("os-get").removesuffix("Console").lower()

    @takes(body=schemas.ACTIONS[action])
    def get(request: ComputeRequest, id: str) -> Json:
        console_type = request.document[action]["type"]
        return {"console": {"type": console_type, "url": _url(request, id, protocol, console_type)}}

    get.__name__, get.__doc__ = f"get_{protocol}_console", f"Give the URL of a {protocol} console."
    return get


get_vnc_console = _getting("os-getVNCConsole")
get_spice_console = _getting("os-getSPICEConsole")
get_serial_console = _getting("os-getSerialConsole")


@takes(body=schemas.CREATE)
def create(request: ComputeRequest, server_id: str) -> Json:
    """Give the URL of a console of any kind."""
    asked = request.body_of("remote_console")
    return {"remote_console": {**asked, "url": _url(request, server_id, asked["protocol"], asked["type"])}}


def _url(request: ComputeRequest, id: str, protocol: str, console_type: str) -> str:
    instance = find(request, id, RULE)
    return request.cloud.questions.remote_console(request.context, instance, protocol, console_type)


@takes(query=schemas.TOKEN_QUERY)
def show_token(request: ComputeRequest, token: str) -> Json:
    """Tell a console proxy what a token opens.

    Before 2.31 Nova tells it of consoles by RDP alone, which neither has any more.
    """
    request.require("os-console-auth-tokens")
    with request.cloud.db.read() as tx:
        opened = console_auth_tokens.validate(tx, token, datetime.now(UTC))
    if opened is None:
        raise errors.NotFound("Token not found")
    if request.api_version < (2, 31):
        raise errors.Unauthorized("The requested console type details are not accessible")
    shown = msgspec.structs.asdict(opened)
    del shown["console_type"]
    return {"console": shown if request.api_version < (2, 99) else {**shown, "tls_port": None}}
