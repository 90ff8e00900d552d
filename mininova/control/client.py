"""A client of the control API, for tests in Python: it needs nothing beside Python's own library."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

TIMEOUT_S = 60


class ControlError(Exception):
    """The control API has refused a request; the sentence is its own.

    :ivar status: of its answer
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Control:
    """The control API of a cloud.

    :param url: such as ``http://127.0.0.1:8774/control``
    :param token: opens it
    """

    url: str
    token: str

    @classmethod
    def of_file(cls, path: str | Path) -> "Control":
        """Read where it is from the ``control.json`` of mininova-cloud.

        :raises OSError: when it is not there
        :raises ValueError: when it says something else
        """
        try:
            said = json.loads(Path(path).read_text())
            return cls("" + said["url"], "" + said["token"])  # both are text
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"{path} has no JSON with a url and a token") from None

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request, and give what is answered.

        :param path: below the URL, such as ``/rules``
        :raises ControlError: when it is refused
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Control-Token": self.token, "Content-Type": "application/json"}
        try:
            with urlopen(Request(self.url + path, data, headers, method=method), timeout=TIMEOUT_S) as answer:
                said = answer.read()
        except HTTPError as error:
            with error:
                said = error.read()
            raise ControlError(_sentence(said) or str(error), error.code) from None
        return json.loads(said) if said else None

    def rules(self) -> list[dict[str, Any]]:
        """List the rules, with how many requests each matched, and to how many it was applied."""
        rules: list[dict[str, Any]] = self.request("GET", "/rules")["rules"]
        return rules

    @contextmanager
    def rule(self, **what: Any) -> Iterator["Rule"]:
        """Have a rule in a block: requests fail in it, are late, or lose their answer.

        :param what: the fields of the rule, such as ``method="POST", url="*/servers", status=503, times=2``
        """
        rule = Rule(self, self.request("POST", "/rules", what)["rule"]["id"])
        try:
            yield rule
        finally:
            try:
                self.request("DELETE", f"/rules/{rule.id}")
            except ControlError as error:
                if error.status != HTTPStatus.NOT_FOUND:  # a reset has deleted it
                    raise

    def behaviour(self, *rules: Mapping[str, Any]) -> None:
        """Have the fake hypervisor go by these rules and no others, as in fake-behaviour.yaml, from now on."""
        self.request("PUT", "/behaviour", {"rules": rules})

    def lose(self, *rules: Mapping[str, Any]) -> None:
        """Have messages be lost by these rules and no others, as in losses.yaml, from now on."""
        self.request("PUT", "/losses", {"rules": rules})

    def reset(self, project: str | None = None) -> None:
        """Have the cloud as it was when it started.

        :param project: the id of the only one that is reset: what it has got since then goes
        """
        self.request("POST", "/reset", {"project": project})

    def save(self, path: str | Path) -> None:
        """Write all that the cloud is to a file of its machine."""
        self.request("POST", "/save", {"path": str(Path(path).absolute())})

    def load(self, path: str | Path) -> None:
        """Have the cloud as it was when it was saved."""
        self.request("POST", "/load", {"path": str(Path(path).absolute())})

    def set_state(self, server: str, **state: Any) -> None:
        """Set what clients see of a server, by its id: its vm_state, its task_state, its power_state.

        Nothing is done to its guest.
        """
        self.request("POST", f"/servers/{in_path(server)}/state", state)

    def services(self) -> list[dict[str, Any]]:
        """List the services of a local stack, with their states and the actions that are in force."""
        services: list[dict[str, Any]] = self.request("GET", "/services")["services"]
        return services

    def act(self, service: str, action: str, seconds: float | None = None) -> None:
        """Do one of the ACTIONS of services.py to a service of a local stack.

        :param service: the name of its program, or its own in the flow
        :param seconds: after which a pause, a cut or slowness ends by itself; a minute if it is not said
        """
        how = {} if seconds is None else {"seconds": seconds}
        self.request("POST", f"/services/{in_path(service)}/action", {"action": action, **how})


@dataclass(frozen=True)
class Rule:
    """A rule in force, which is asked anew for what it counts."""

    control: Control
    id: str

    @property
    def matched(self) -> int:
        """How many requests it was for."""
        return int(self._shown["matched"])

    @property
    def applied(self) -> int:
        """With how many of them it did something."""
        return int(self._shown["applied"])

    @property
    def _shown(self) -> dict[str, Any]:
        rule: dict[str, Any] = self.control.request("GET", f"/rules/{self.id}")["rule"]
        return rule


def in_path(name: str) -> str:
    """Write a name as a part of a path, whatever is in it.

    :raises ValueError: when there is nothing in it
    """
    if not name:
        raise ValueError("an id or a name is empty")
    return quote(name, safe="")


def _sentence(said: bytes) -> str | None:
    """Find the message of a fault, if it is one."""
    try:
        return str(next(iter(json.loads(said).values()))["message"])
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
        return None
