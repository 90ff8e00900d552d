"""A user of a stack's REST APIs who says everything himself: what an SDK would hide is in his hands."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

COMPUTE, IDENTITY, IMAGE = "/compute/v2.1", "/identity/v3", "/image/v2"
PATIENCE = 60.0  # seconds for a server to come to rest
PAUSE = 0.05  # seconds between two looks at one


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Client:
    """One user, with a token that was asked for with a password.

    :param project: what the token is for, the project of the user's own name if it is not said; "" is none
    """

    def __init__(self, url: str, user: str, password: str, project: str | None = None) -> None:
        self._url, self.token = url, ""
        default = {"id": "default"}
        proof = {"user": {"name": user, "password": password, "domain": default}}
        asked: dict[str, Any] = {"identity": {"methods": ["password"], "password": proof}}
        if project != "":
            asked["scope"] = {"project": {"name": project or user, "domain": default}}
        self.login = self("POST", f"{IDENTITY}/auth/tokens", {"auth": asked})
        self.token = self.login.headers.get("X-Subject-Token", "")

    def __call__(self, method: str, path: str, body: Any = None, version: str = "2.96") -> Answer:
        """Ask for something, and give the answer, whatever it is."""
        headers = {"Content-Type": "application/json", "OpenStack-API-Version": f"compute {version}"}
        if self.token:
            headers["X-Auth-Token"] = self.token
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self._url + path, data, headers, method=method), timeout=PATIENCE) as answer:
                return _read(answer)
        except HTTPError as refusal:
            with refusal:
                return _read(refusal)

    def boot(self, name: str, version: str = "2.96", **wanted: Any) -> Answer:
        """Ask for a server of the smallest kind."""
        (flavor,) = (f for f in self("GET", f"{COMPUTE}/flavors").body["flavors"] if f["name"] == "m1.tiny")
        (image,) = self("GET", f"{IMAGE}/images").body["images"]
        body = {"name": name, "flavorRef": flavor["id"], "imageRef": image["id"], "networks": "auto", **wanted}
        return self("POST", f"{COMPUTE}/servers", {"server": body}, version)

    def at_rest(self, server: str) -> str:
        """Wait until nothing is done to a server any more, as a client has to: by asking; give its status."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self("GET", f"{COMPUTE}/servers/{server}")
            if answer.status == 404:
                return "DELETED"
            found = answer.body["server"]
            if found["OS-EXT-STS:task_state"] is None and found["status"] != "BUILD":
                return str(found["status"])
            time.sleep(PAUSE)
        raise AssertionError(f"something is still being done to server {server}")


def _read(answer: Any) -> Answer:
    text = answer.read()
    return Answer(answer.status, answer.headers, json.loads(text) if text else None)
