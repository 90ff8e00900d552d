"""What the page does to a cloud: each of its buttons is a POST here, for scripts, too.

Servers are asked for by the Compute API, as any client does; what breaks something is left to the control API.  The
token that opens that opens this.
"""

from collections.abc import Callable
from functools import wraps
from hmac import compare_digest
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec

from mininova import errors
from mininova.control.bodies import takes
from mininova.control.client import Control, ControlError
from mininova.web.servers import RefusedError, Servers
from mininova.wsgi import Reply, Request, Route

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class Boot(msgspec.Struct, forbid_unknown_fields=True):
    """Which servers are made.

    :param count: how many
    """

    name: Name
    flavor: Name = "m1.tiny"
    image: Name = "cirros"
    count: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1


class ServerAction(msgspec.Struct, forbid_unknown_fields=True):
    """What is done to a server.

    :param flavor: what it is resized to
    """

    action: Literal[*Servers.ACTIONS, "resize"]  # type: ignore[valid-type]
    flavor: Name = "m1.small"


class OneRule(msgspec.Struct, forbid_unknown_fields=True):
    """By which rule the hypervisor of a host behaves, or messages are lost; None takes it back."""

    rule: dict[str, Any] | None


def answered(handler: Callable[..., None]) -> Callable[..., Reply]:
    """Let those do it who have the token, and pass on what the cloud answers that refuses it."""

    @wraps(handler)
    def checked(self: "Play", request: Request, **variables: str) -> Reply:
        self.require_token(request)
        try:
            handler(self, request, **variables)
        except (ControlError, RefusedError) as error:
            return _refused(error.status, str(error))
        except OSError as error:
            return _refused(503, f"The cloud does not answer: {error}")
        return Reply(202, {})

    return checked


def _refused(status: int, message: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": message}})


class Play:
    """Does to a cloud what its page is asked to.

    :param servers: asks the Compute API
    """

    def __init__(self, control: Control, servers: Servers) -> None:
        self._control, self._servers = control, servers

    def require_token(self, request: Request) -> None:
        """Refuse who does not have the token.

        :raises errors.Unauthorized: without one, and errors.NotAllowed with another
        """
        sent = request.headers.get("X-Flow-Token", "")
        if not sent:
            raise errors.Unauthorized("What changes the cloud needs the token that the stack has printed.")
        if not compare_digest(sent.encode(), self._control.token.encode()):
            raise errors.NotAllowed("This is not the token that the stack has printed.")

    @answered
    @takes(Boot)
    def boot(self, request: Request, asked: Boot) -> None:
        """Make servers."""
        self._servers.boot(asked.name, asked.flavor, asked.image, asked.count)

    @answered
    @takes(ServerAction)
    def act_on_server(self, request: Request, asked: ServerAction, uuid: str) -> None:
        """Do something to a server."""
        self._servers.act(uuid, asked.action, asked.flavor)

    @answered
    def act_on_service(self, request: Request, name: str) -> None:
        """Kill, pause, resume or restart a service, cut it off from the broker, or misuse its name."""
        self._control.request("POST", f"/services/{quote(name, safe='')}/action", request.document)

    @answered
    def act_on_broker(self, request: Request) -> None:
        """Cut every service off from the broker, or mend that."""
        self._control.request("POST", "/services/broker/action", request.document)

    @answered
    @takes(OneRule)
    def behave(self, request: Request, asked: OneRule, name: str) -> None:
        """Have the hypervisor of a host go by a rule, before all others, or by those others again."""
        rules = self._control.request("GET", "/behaviour")["rules"]
        others = [rule for rule in rules if rule.get("hosts") != name]
        self._control.behaviour(*([{**asked.rule, "hosts": name}] if asked.rule else []), *others)

    @answered
    @takes(OneRule)
    def lose(self, request: Request, asked: OneRule) -> None:
        """Have messages be lost by a rule alone, or none."""
        self._control.lose(*([asked.rule] if asked.rule else []))

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [
            Route("POST", "/api/play/servers", self.boot),
            Route("POST", "/api/play/servers/<uuid>/action", self.act_on_server),
            Route("POST", "/api/play/services/<name>/action", self.act_on_service),
            Route("POST", "/api/play/broker/action", self.act_on_broker),
            Route("POST", "/api/play/hosts/<name>/behaviour", self.behave),
            Route("POST", "/api/play/losses", self.lose),
        ]
