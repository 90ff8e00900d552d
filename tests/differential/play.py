"""Plays the requests of cases.py and stories.py, and writes down what it answered and where its servers are afterwards.

The cloud is a real Nova for record.py and ours for tests/cloud/test_differences.py.  What differs by chance, such as
ids and times, is replaced by a word in angle brackets.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tests.differential import cases, fuzz
from tests.differential.cases import Asked
from tests.differential.stories import STORIES

#: What was noted of a request: its status, why it was refused, and what became of the server.
Noted = dict[str, Any]
#: Names of requests, and what was noted of each.
Played = Iterator[tuple[str, Noted]]
#: All that is played, in parts that need nothing of each other.
PARTS = (*cases.STATES, *cases.HELD, "wrong requests", "wrong boots", "fuzz", *STORIES)
#: A server that is in no cloud.
NOBODY = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"


@dataclass(frozen=True)
class Answer:
    """What a cloud answered."""

    status: int
    text: str

    @property
    def body(self) -> Any:
        """Its body, or None when it is no JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class Cloud(Protocol):
    """A cloud in which requests are played."""

    names: dict[str, str]  # what stands for a ``$name`` of a request

    def ask(self, asked: Asked) -> Answer:
        """Send a request of a user."""

    def settle(self, server: str) -> None:
        """Wait until nothing is being done to a server."""

    def hold(self, server: str, vm_state: str, asked: Asked, task_state: str) -> None:
        """Ask for something, and have it not go on from this task_state."""


class Player:
    """Plays requests, each named, and gives what is noted of them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._names = {"nobody": NOBODY, **cloud.names}

    def play(self, part: str) -> Played:
        """Play the requests of a part."""
        self._make_flavors()
        if part in cases.STATES:
            yield from self._in_turn([*cases.OPERATIONS.items()], lambda: self._bring(part))
        elif part in cases.HELD:
            yield from self._in_turn([*cases.OPERATIONS.items()], lambda: self._hold(part), rest=False)
        elif part in STORIES:
            yield from self._story(STORIES[part])
        elif part == "wrong boots":
            yield from ((name, self._note(asked, self._boot(asked))) for name, asked in cases.wrong_boots())
        else:
            wrong = fuzz.requests() if part == "fuzz" else cases.wrong()
            yield from self._in_turn([*wrong], lambda: self._bring("active"))

    def _make_flavors(self) -> None:
        for name, (vcpus, ram, disk) in cases.FLAVORS.items():
            flavor = {"name": name, "id": name, "vcpus": vcpus, "ram": ram, "disk": disk}
            self._ask(Asked("POST", "/flavors", {"flavor": flavor}, user="admin"))

    def _in_turn(self, asked: list[tuple[str, Asked]], bring: Callable[[], None], *, rest: bool = True) -> Played:
        """Ask in one state: of one server, until something was done to it, and then of another."""
        ready = False
        for name, each in asked:
            if not ready:
                bring()
            answer = self._ask(each)
            noted = self._note(each, answer)
            if answer.status < 400 and each.method != "GET" and rest:
                self._settle()
                noted |= self._rest()
            ready = answer.status >= 400 or each.harmless
            if not ready:
                self._delete()
            yield name, noted
        if ready:
            self._delete()

    # ---- a server's life

    def _bring(self, state: str) -> None:
        """Have a server in a state."""
        booted, steps = cases.STATES[state]
        self._names["server"] = self._must(booted).body["server"]["id"]
        self._settle()
        for step in steps:
            self._must(cases.OPERATIONS[step])
            self._settle()

    def _hold(self, name: str) -> None:
        """Have a server to which something is being done."""
        state, operation, task_state = cases.HELD[name]
        self._bring(state)
        vm_state = self._show()["OS-EXT-STS:vm_state"]
        self._cloud.hold(self._names["server"], vm_state, self._named(cases.OPERATIONS[operation]), task_state)

    def _settle(self) -> None:
        self._cloud.settle(self._names["server"])
        shown = self._show()
        if shown is not None:
            self._names["host"] = shown["OS-EXT-SRV-ATTR:host"] or "nowhere"

    def _show(self) -> Any:
        answer = self._ask(Asked("GET", "/servers/$server", user="admin"))
        return answer.body["server"] if answer.status == 200 else None

    def _rest(self) -> Noted:
        """Note where a server is, and the last action that was recorded of it, with its events."""
        shown = self._show()
        if shown is None:
            return {"server": "gone"}
        states = {key: shown[f"OS-EXT-STS:{key}"] for key in ("vm_state", "task_state", "power_state")}
        noted = {"server": {"status": shown["status"], **states, "locked": shown["locked"]}}
        if "fault" in shown:
            noted["fault"] = self._plain(shown["fault"]["message"])
        path = "/servers/$server/os-instance-actions"
        last = self._ask(Asked("GET", path, user="admin")).body["instanceActions"][0]["request_id"]
        action = self._ask(Asked("GET", f"{path}/{last}", user="admin")).body["instanceAction"]
        events = {event["event"]: event["result"] for event in action["events"]}
        return noted | {"action": {"action": action["action"], "message": action["message"], "events": events}}

    def _delete(self) -> None:
        """Delete the last server for good."""
        if "server" in self._names:
            self._ask(replace(cases.OPERATIONS["force delete"], user="admin"))
            self._cloud.settle(self._names.pop("server"))

    # ---- requests

    def _story(self, requests: tuple[Asked, ...]) -> Played:
        """Send requests, and keep what later ones of them name."""
        for number, asked in enumerate(requests, 1):
            answer = self._boot(asked)
            for name, keys in asked.keep.items():
                found = answer.body
                for key in keys:
                    assert key in found, (asked, answer)
                    found = found[key]
                self._names[name] = str(found)
            yield f"{number} {_title(asked)}", self._note(asked, answer, body=True)
        self._delete()

    def _boot(self, asked: Asked) -> Answer:
        """Send a request; when it boots a server that no other request names, delete that."""
        answer = self._ask(asked)
        if asked.path == "/servers" and answer.status == 202:
            self._names["server"] = answer.body["server"]["id"]
            self._settle()
            if not asked.keep:
                self._delete()
        elif answer.status == 202 and "server" in self._names:
            self._settle()
        return answer

    def _must(self, asked: Asked) -> Answer:
        answer = self._ask(asked)
        assert answer.status < 400, (asked, answer)
        return answer

    def _ask(self, asked: Asked) -> Answer:
        return self._cloud.ask(self._named(asked))

    def _named(self, asked: Asked) -> Asked:
        """Put this cloud's ids in the places of their names."""
        body = None if asked.body is None else json.loads(self._replace(json.dumps(asked.body)))
        return replace(asked, path=self._replace(asked.path), body=body)

    def _replace(self, text: str) -> str:
        return re.sub(r"\$(\w+)", lambda found: self._names[found[1]], text)

    # ---- notes

    def _note(self, asked: Asked, answer: Answer, *, body: bool = False) -> Noted:
        """Note a status, and why a request was refused, or what it was answered."""
        noted: Noted = {"status": answer.status}
        if answer.status >= 400:
            said = answer.body
            noted["error"] = (
                {key: self._plain(value["message"]) for key, value in said.items() if isinstance(value, dict)}
                if isinstance(said, dict) and "errors" not in said
                else self._plain(json.dumps(said))
            )
        elif body and answer.body is not None:
            noted["body"] = json.loads(self._plain(json.dumps(answer.body)))
        return noted

    def _plain(self, text: str) -> str:
        """Replace what differs by chance."""
        text = re.sub(r"\b\w+-user\b", "<uuid>", text)
        for name in _IDS:
            if name in self._names:
                text = re.sub(rf"\b{re.escape(self._names[name])}\b", f"<{name}>", text)
        for pattern, word in _CHANCE:
            text = re.sub(pattern, word, text)
        return text


_IDS = ("server", "image", "host", "group", "demo", "other", "network", "port", "volume", "other_volume")
_CHANCE = (
    (r"req-[0-9a-f-]{36}", "<request>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b", "<uuid>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "<time>"),
    (r'("adminPass": )"\w+"', r'\1"<password>"'),
    (r'("hostId": )"\w+"', r'\1"<hash>"'),
    (r"http://[^/\"]+(/compute)?/", "<url>/"),
)


def _title(asked: Asked) -> str:
    """Name a request of a story, such as ``POST /flavors by admin``."""
    by = "" if asked.user == "demo" else f" by {asked.user}"
    return f"{asked.method} {asked.path:.60}{by}"
