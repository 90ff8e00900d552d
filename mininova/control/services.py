"""The services of a cloud as processes: killed, paused, restarted, cut off from the broker, misused.

The stack that started them does it (tools/stack/faults.py).  The api knows the socket where the stack listens, and
signals no process itself.  One line of JSON asks, and one line answers: a service and what is done to it, or nothing,
which asks for the list.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from typing import Annotated, Any, Literal, Protocol

import msgspec

from mininova import errors
from mininova.control.bodies import takes
from mininova.wsgi import Reply, Request, Route

#: What a compute is made to say: it asks for another's instance, or in a version that no conductor speaks.
IN_ITS_NAME = ("trespass", "mismatch")
#: What can be done to a service: the first four to its process, three to its connection to the broker.
ACTIONS = ("kill", "pause", "resume", "restart", "cut", "slow", "mend", *IN_ITS_NAME)

LASTS_S, MAX_LASTS_S = 60, 600
PATIENCE_S = 30.0  # for an answer: a service that is restarted may take its time to end
NONE = "The services here are no processes of a stack: MININOVA_CONTROL_API=1 tools/stack.sh starts one where they are."


class Action(msgspec.Struct, forbid_unknown_fields=True):
    """What is done to a service.

    :param seconds: after which a pause, a cut or slowness ends by itself
    """

    action: Literal[*ACTIONS]  # type: ignore[valid-type]
    seconds: Annotated[float, msgspec.Meta(gt=0, le=MAX_LASTS_S)] = LASTS_S


class Stack(Protocol):
    """What started the services, and does things to them."""

    def services(self) -> list[dict[str, Any]]:
        """List the services: the names of each, its state, its pid, and the actions that are in force."""

    def act(self, name: str, action: Action) -> None:
        """Do something to a service.

        :param name: that of its program, or ``service``, that in the flow; ``broker`` is the broker
        :raises errors.NotFound: when there is none of this name
        :raises errors.Conflict: when it cannot be done, or the stack does not answer
        """

    def act_unheard(self, name: str, action: Action) -> None:
        """Do something to this process, which may not be there to hear the answer."""


class LocalStack:
    """The local stack.

    :param address: the path of its socket
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def services(self) -> list[dict[str, Any]]:
        """List the services (see Stack)."""
        listed: list[dict[str, Any]] = self._ask({})["services"]
        return listed

    def act(self, name: str, action: Action) -> None:
        """Do something to a service (see Stack)."""
        self._ask({"name": name, **msgspec.to_builtins(action)})

    def act_unheard(self, name: str, action: Action) -> None:
        """Do something to this process (see Stack)."""
        self._send({"name": name, **msgspec.to_builtins(action)}).close()

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        with closing(self._send(what)) as connection:
            try:
                answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
            except (OSError, ValueError) as error:
                raise self._silent(error) from None
        if "status" in answer:
            kind = errors.NotFound if answer["status"] == HTTPStatus.NOT_FOUND else errors.Conflict
            raise kind(answer["message"])
        return answer

    def _send(self, what: dict[str, Any]) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        try:
            connection.connect(self._address)
            connection.sendall(json.dumps(what).encode() + b"\n")
        except OSError as error:
            connection.close()
            raise self._silent(error) from None
        return connection

    def _silent(self, error: Exception) -> errors.Conflict:
        return errors.Conflict(f"The stack does not answer at {self._address}: {error}")


class ServiceHandlers:
    """The services of a stack.

    :param stack: what started them; None where they are no processes of a stack
    """

    def __init__(self, stack: Stack | None) -> None:
        self._stack = stack

    def index(self, request: Request) -> dict[str, Any]:
        """List the services: the names of each, its state, its pid, and the actions that are in force."""
        return {"services": self._its().services()}

    @takes(Action)
    def act(self, request: Request, action: Action, name: str) -> Reply:
        """Kill, pause, resume or restart a service; cut, slow or mend its way to the broker; misuse its name."""
        stack = self._its()
        if action.action in IN_ITS_NAME or not any(
            name in (it["name"], it["service"]) and it["pid"] == os.getpid() for it in stack.services()
        ):
            stack.act(name, action)
            return Reply(202)
        # Our own process: the answer goes first.  A server of native threads may lose it all the same.
        return Reply(202, _then(lambda: stack.act_unheard(name, action)), {"Content-Length": "2"}, "application/json")

    def _its(self) -> Stack:
        if self._stack is None:
            raise errors.Conflict(NONE)
        return self._stack

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [Route("GET", "/services", self.index), Route("POST", "/services/<name>/action", self.act)]


def _then(work: Any) -> Iterator[bytes]:
    """Answer with an empty object, and then do something."""
    yield b"{}"
    work()
