"""The clients of a storm: each has servers of its own, asks one thing after the other, and writes down the answers."""

import http.client
import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stack import ports

from storm.cloud import Cloud
from storm.plan import Wish, wishes

ACKNOWLEDGED, REFUSED, UNKNOWN, UNREACHABLE = "acknowledged", "refused", "unknown", "unreachable"
PATIENCE_S = 12.0  # seconds that a client waits for an answer
AWAY_S = 0.5  # seconds after which it asks again when nothing listens
VERSION = {"OpenStack-API-Version": "compute 2.36"}  # the last that needs no networks

ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "stop": {"os-stop": None},
    "start": {"os-start": None},
    "reboot": {"reboot": {"type": "SOFT"}},
    "hard_reboot": {"reboot": {"type": "HARD"}},
    "pause": {"pause": None},
    "unpause": {"unpause": None},
    "suspend": {"suspend": None},
    "resume": {"resume": None},
    "snapshot": {"createImage": {"name": "of a storm"}},
    "shelve": {"shelve": None},
    "unshelve": {"unshelve": None},
    "confirm": {"confirmResize": None},
    "revert": {"revertResize": None},
    "migrate": {"migrate": None},
    "migrate_live": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
    "evacuate": {"evacuate": {}},
}
ADMINS = frozenset({"migrate", "migrate_live", "evacuate"})


@dataclass(frozen=True)
class Request:
    """One request and its answer.

    :param subject: the uuid of a server; for a boot the name that it gives
    :param outcome: acknowledged (2xx), refused (4xx), unknown (5xx or no answer) or unreachable (nothing listened)
    :param said: the status, and why
    :param request_id: as the answer has it
    """

    client: int
    operation: str
    subject: str
    count: int
    outcome: str
    said: str
    request_id: str = ""
    body: Any = None

    @property
    def line(self) -> str:
        """Say it in one line."""
        return f"{self.operation} {self.outcome} ({self.said}) {self.request_id}"


class Turns:
    """Counts the requests of all clients; faults wait for a number."""

    def __init__(self, most: int) -> None:
        self._most, self._begun, self._changed = most, 0, threading.Condition()

    def take(self) -> bool:
        """Begin a request, if there may be one more."""
        with self._changed:
            if self._begun >= self._most:
                return False
            self._begun += 1
            self._changed.notify_all()
            return True

    def wait_for(self, number: int) -> None:
        """Wait until so many have begun."""
        with self._changed:
            self._changed.wait_for(lambda: self._begun >= min(number, self._most))


class Client:
    """One client.

    :param turns: shared by all
    :param over: ends its pauses
    """

    def __init__(self, cloud: Cloud, seed: int, number: int, turns: Turns, over: threading.Event) -> None:
        self._port, self._number = cloud.wanted.api_port, number
        self._logins = {name: cloud.login(name) for name in ("mininova", "mininova-admin")}
        self._wishes, self._turns, self._over = wishes(seed, number), turns, over
        self._names = itertools.count(1)
        self._servers: list[str] = []
        self._tokens = dict.fromkeys(self._logins, "")
        self.image = self.flavor = self.larger = ""
        self.requests: list[Request] = []

    def log_in(self) -> None:
        """Get tokens, and find the image and the flavors; do it before the storm."""
        for name, login in self._logins.items():
            _, headers, _ = self._ask("POST", "/identity/v3/auth/tokens", login)
            self._tokens[name] = headers["x-subject-token"]
        self.image = self._ask("GET", "/image/v2/images")[2]["images"][0]["id"]
        flavors = self._ask("GET", "/compute/v2.1/flavors")[2]["flavors"]
        ids = {flavor["name"]: flavor["id"] for flavor in flavors}
        self.flavor, self.larger = ids["m1.tiny"], ids["m1.small"]

    def run(self) -> None:
        """Ask until all requests of the storm are made."""
        while self._turns.take():
            wish = next(self._wishes)
            self._over.wait(wish.pause)
            done = self._try_until_something_listens(wish)
            self.requests.append(done)

    def _try_until_something_listens(self, wish: Wish) -> Request:
        while True:
            done = self._boot(wish) if wish.operation == "boot" or not self._servers else self._act(wish)
            if done.outcome != UNREACHABLE or self._over.wait(AWAY_S):
                return done

    def _boot(self, wish: Wish) -> Request:
        name = f"storm-{self._number}-{next(self._names)}"
        server = {
            "name": name, "imageRef": self.image, "flavorRef": self.flavor,
            "min_count": wish.count, "return_reservation_id": True,
        }  # fmt: skip
        done = self._request("boot", name, wish.count, "POST", "/servers", {"server": server})
        if done.outcome == ACKNOWLEDGED:
            reservation = done.body["reservation_id"]
            listed = self._request("list", name, 0, "GET", f"/servers?reservation_id={reservation}", None)
            if listed.outcome == ACKNOWLEDGED:
                self._servers += [server["id"] for server in listed.body["servers"]]
        return done

    def _act(self, wish: Wish) -> Request:
        uuid = self._servers[-1 - int(wish.which * len(self._servers))]
        if wish.operation == "delete":
            done = self._request("delete", uuid, 1, "DELETE", f"/servers/{uuid}", None)
            if done.outcome == ACKNOWLEDGED:
                self._servers.remove(uuid)
            return done
        if wish.operation == "evacuate":
            return self._evacuate(uuid)
        return self._post(wish.operation, uuid)

    def _post(self, operation: str, uuid: str) -> Request:
        body = {"resize": {"flavorRef": self.larger}} if operation == "resize" else ACTIONS[operation]
        return self._request(operation, uuid, 1, "POST", f"/servers/{uuid}/action", body)

    def _evacuate(self, uuid: str) -> Request:
        """Have a server be evacuated from a host that an administrator takes for dead, who is wrong, mostly."""
        shown = self._request("show for evacuate", uuid, 0, "GET", f"/servers/{uuid}", None, admin=True)
        host = shown.body["server"]["OS-EXT-SRV-ATTR:host"] if shown.outcome == ACKNOWLEDGED else None
        if host is None:
            return self._post("evacuate", uuid)
        self._force_down(host, True)
        done = self._post("evacuate", uuid)
        while self._force_down(host, False).outcome in (UNREACHABLE, UNKNOWN) and not self._over.wait(AWAY_S):
            pass
        return done

    def _force_down(self, host: str, down: bool) -> Request:
        body = {"host": host, "binary": "nova-compute", "forced_down": down}
        return self._request("force down", host, 0, "PUT", "/os-services/force-down", body, admin=True)

    # ---- HTTP

    def _request(
        self, operation: str, subject: str, count: int, method: str, path: str, body: Any, *, admin: bool = False
    ) -> Request:
        as_whom = "mininova-admin" if admin or operation in ADMINS else "mininova"

        def done(outcome: str, said: str, request_id: str = "", body: Any = None) -> Request:
            return Request(self._number, operation, subject, count, outcome, said, request_id, body)

        try:
            status, headers, answer = self._ask(method, f"/compute/v2.1{path}", body, as_whom)
        except ConnectionRefusedError:
            return done(UNREACHABLE, "connection refused")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return done(UNKNOWN, repr(error))
        request_id = headers.get("x-openstack-request-id", "")
        if status < 300:
            return done(ACKNOWLEDGED, str(status), request_id, answer)
        return done(REFUSED if status < 500 else UNKNOWN, f"{status} {_why(answer)}", request_id)

    def _ask(
        self, method: str, path: str, body: Any = None, as_whom: str = "mininova"
    ) -> tuple[int, Mapping[str, str], Any]:
        """Ask on a connection of its own, so that one which is refused has certainly asked nothing."""
        connection = http.client.HTTPConnection(ports.LOOPBACK, self._port, timeout=PATIENCE_S)
        try:
            connection.connect()
            sent = json.dumps(body).encode() if body is not None else None
            headers = {"Content-Type": "application/json", "X-Auth-Token": self._tokens[as_whom], **VERSION}
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            text = answer.read()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, json.loads(text) if text else None
        finally:
            connection.close()


def _why(answer: Any) -> str:
    """Find the words of a fault."""
    faults: Iterator[Any] = iter(answer.values()) if isinstance(answer, dict) else iter(())
    return str(next((fault["message"] for fault in faults if isinstance(fault, dict) and "message" in fault), answer))
