"""The control API as an application: one table of routes, behind a token of its own.

What a handler takes is a struct, and the OpenAPI document is derived from that and from the table (openapi.py).
"""

import os
from collections.abc import Callable, Sequence
from functools import wraps
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from mininova import errors, states
from mininova.control import openapi
from mininova.db import instances
from mininova.db.session import Database
from mininova.virt import behaviour
from mininova.wsgi import Application, Reply, Request, Route, current_parts
from mininova.wsgi.deploy import World
from mininova.wsgi.rules import Rule, Rules, Standing

T = TypeVar("T")

DOCUMENT = "/openapi.json"
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F-]{1,64}$")]


def takes(body: type[T]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have a handler take the body as a struct, after the request."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def checked(self: Any, request: Request, **variables: str) -> Any:
            return handler(self, request, read({} if request.document is None else request.document, body), **variables)

        checked.body = body  # type: ignore[attr-defined]
        return checked

    return decorate


def read(document: Any, into: type[T]) -> T:
    """Make a struct of a JSON document.

    :raises errors.InvalidInput: that names the field
    """
    try:
        return msgspec.convert(document, into)
    except msgspec.ValidationError as error:
        complaint, _, field = str(error).partition(" - at ")
        where = f"Invalid input for field/attribute {field.strip('`$.')}" if field.strip("`$.") else "Invalid body"
        raise errors.InvalidInput(f"{where}: {complaint}") from None


class RuleHandlers:
    """The rules by which requests fail."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def index(self, request: Request) -> dict[str, Any]:
        """List the rules, with how many requests each matched, and with how many of them it did something."""
        return {"rules": [shown(standing) for standing in self._rules]}

    @takes(Rule)
    def create(self, request: Request, rule: Rule) -> Reply:
        """Make a rule: it is in force at once, after those that are there."""
        return Reply(201, {"rule": shown(self._rules.add(rule))})

    def show(self, request: Request, id: str) -> dict[str, Any]:
        """Show a rule."""
        return {"rule": shown(self._rules.get(id))}

    def delete(self, request: Request, id: str) -> None:
        """Delete a rule; requests that it delays go on at once."""
        self._rules.remove(self._rules.get(id).id)

    def delete_all(self, request: Request) -> None:
        """Delete all rules."""
        self._rules.clear()

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [
            Route("GET", "/rules", self.index),
            Route("POST", "/rules", self.create),
            Route("DELETE", "/rules", self.delete_all),
            Route("GET", "/rules/<id>", self.show),
            Route("DELETE", "/rules/<id>", self.delete),
        ]


class Scope(msgspec.Struct, forbid_unknown_fields=True):
    """What is reset.

    :param project: the id of the one project that is; without it, all is
    """

    project: Id | None = None


class Saved(msgspec.Struct, forbid_unknown_fields=True):
    """A file of the cloud's machine.

    :param path: from its root
    """

    path: Annotated[str, msgspec.Meta(pattern="^/.*[^/\\x00]$")]


class State(msgspec.Struct, forbid_unknown_fields=True):
    """What a server is to be; its guest, and its operation if there is one, are left as they are."""

    vm_state: Literal[*sorted(states.ANY)] | msgspec.UnsetType = msgspec.UNSET  # type: ignore[valid-type]
    task_state: Literal[*states.TASK_STATES] | msgspec.UnsetType | None = msgspec.UNSET  # type: ignore[valid-type]
    power_state: Literal[*sorted(states.POWER_STATES)] | msgspec.UnsetType = msgspec.UNSET  # type: ignore[valid-type]


class StateHandlers:
    """The cloud as a whole, and the states of servers."""

    def __init__(self, db: Database, rules: Rules, world: World | None) -> None:
        self._db, self._rules, self._world = db, rules, world

    @takes(Scope)
    def reset(self, request: Request, scope: Scope) -> None:
        """Have the cloud as it was when it started, and no rule; or nothing of a project that it had not then."""
        self._all().reset(scope.project)
        if scope.project is None:
            self._rules.clear()

    @takes(Saved)
    def save(self, request: Request, file: Saved) -> None:
        """Write all that the cloud is to a file."""
        self._all().save(Path(file.path))

    @takes(Saved)
    def load(self, request: Request, file: Saved) -> None:
        """Have the cloud as it was when it was saved to a file."""
        self._all().load(Path(file.path))

    def show_behaviour(self, request: Request) -> dict[str, Any]:
        """Show the rules by which the fake hypervisor goes."""
        shown: dict[str, Any] = msgspec.to_builtins(behaviour.read(self._all().behaviour))
        return shown

    @takes(behaviour.File)
    def behave(self, request: Request, file: behaviour.File) -> None:
        """Have the fake hypervisor go by these rules and no others, from its next operation on."""
        path = self._all().behaviour
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(file))  # JSON is YAML, too
        os.replace(fresh, path)

    @takes(State)
    def set_state(self, request: Request, state: State, id: str) -> None:
        """Set what a server's row says of its state."""
        changes = {name: value for name, value in msgspec.structs.asdict(state).items() if value is not msgspec.UNSET}
        with self._db.write() as tx:
            instances.update(tx, id, changes, generation=states.UNCOMPARED, expected_task_state=states.UNCOMPARED)

    def _all(self) -> World:
        if self._world is None:
            raise errors.Conflict("Only mininova-cloud, which is one process, can do this.")
        return self._world

    def routes(self) -> list[Route]:
        """Give the rows of the table."""
        return [
            Route("POST", "/reset", self.reset),
            Route("POST", "/save", self.save),
            Route("POST", "/load", self.load),
            Route("GET", "/behaviour", self.show_behaviour),
            Route("PUT", "/behaviour", self.behave),
            Route("POST", "/servers/<id>/state", self.set_state),
        ]


def shown(standing: Standing) -> dict[str, Any]:
    """Write a rule as it is answered."""
    counts = {"id": standing.id, "matched": standing.matched, "applied": standing.applied}
    return {**counts, **msgspec.to_builtins(standing.rule)}


class ControlApplication(Application):
    """Answers requests of those who have the token; its own description it shows to anyone.

    :param routes: beside the row of the description
    """

    def __init__(self, token: str, routes: Sequence[Route]) -> None:
        super().__init__([*routes, Route("GET", DOCUMENT, self._describe)], "compute")
        self._token, self._document = token.encode(), openapi.document(routes)

    def _describe(self, request: Request) -> dict[str, Any]:
        return self._document

    def open(self, request: Request) -> str:
        """Let those in who have the token.

        :raises errors.Unauthorized: without one, and errors.NotAllowed with another
        """
        path = request.path_info or "/"
        if path != DOCUMENT:
            scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
            sent = request.headers.get("X-Control-Token") or (bearer if scheme.lower() == "bearer" else "")
            if not sent:
                raise errors.Unauthorized("The control API takes its token as X-Control-Token, or as a bearer's.")
            if not compare_digest(sent.encode(), self._token):
                raise errors.NotAllowed("This is not the token of the control API.")
        return path


def app_factory(global_conf: dict[str, str]) -> Application:
    """Make the Paste application ``control_app``; without ``[control] token``, one that has nothing."""
    parts = current_parts()
    if parts.rules is None or not parts.conf.control.token:
        return Application((), "compute")
    of_cloud = StateHandlers(parts.db, parts.rules, parts.world).routes()
    return ControlApplication(parts.conf.control.token, [*RuleHandlers(parts.rules).routes(), *of_cloud])
