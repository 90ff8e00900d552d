"""The same requests as a real Nova was asked have the same answers here; every difference is argued on a page.

record.py has written down what Nova answered.  docs/differences.md has a row for each difference that stays, which
names the requests that show it.
"""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.differential.cases import USERS, Asked
from tests.differential.play import Answer, Noted, Player
from tests.differential.record import recorded
from tests.fixtures.cloud import Cloud

PAGE = Path(__file__).parents[2] / "docs/differences.md"


class Ours:
    """The cloud in one process, with the users of cases.py."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        cloud.login("admin", "admin")
        cloud.login("demo", "demo")
        projects = {each["name"]: each["id"] for each in self._identity("GET", "/projects")["projects"]}
        other = self._identity("POST", "/projects", {"project": {"name": "other", "domain_id": "default"}})
        projects["other"] = other["project"]["id"]
        roles = {each["name"]: each["id"] for each in self._identity("GET", "/roles")["roles"]}
        project, granted = USERS["stranger"]
        made = self._identity(
            "POST", "/users", {"user": {"name": "stranger", "password": "pw", "domain_id": "default"}}
        )
        for role in granted.split("+"):
            self._identity("PUT", f"/projects/{projects[project]}/users/{made['user']['id']}/roles/{roles[role]}")
        cloud.login("stranger", project)
        network = cloud.network("GET", "/networks?router:external=false")[0]["id"]
        self.names = {
            **{name: projects[name] for name in ("demo", "other")}, "image": cloud.image, "network": network,
            "port": cloud.network("POST", "/ports", {"port": {"network_id": network}})["id"],
            **{name: self._volume() for name in ("volume", "other_volume")},
        }  # fmt: skip

    def _volume(self) -> str:
        headers = {"X-Auth-Token": self._cloud.tokens["demo"]}
        answer = self._cloud.app.open(
            "/volume/v3/volumes", method="POST", json={"volume": {"size": 1}}, headers=headers
        )
        return str(answer.json["volume"]["id"])

    def _identity(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"X-Auth-Token": self._cloud.tokens["admin"]}
        answer = self._cloud.app.open(f"/identity/v3{path}", method=method, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json

    def ask(self, asked: Asked) -> Answer:
        answer = self._cloud.request(asked.method, asked.path, asked.body, user=asked.user, version=asked.version)
        if asked.path.startswith("/os-aggregates/"):
            for compute in self._cloud.computes.values():
                compute.report()  # the zone that the host is in from now on
        return Answer(answer.status_code, answer.text)

    def settle(self, server: str) -> None:
        self._cloud.run()

    def hold(self, server: str, vm_state: str, asked: Asked, task_state: str) -> None:
        answer = self.ask(asked)
        assert answer.status < 300, answer
        assert self._cloud.instance(server).task_state == task_state


# ---- what differs


def differences(nova: Noted, ours: Noted) -> Iterator[tuple[str, Any, Any]]:
    """Give what differs in the notes of a request: a path of keys, and what each cloud has there."""
    there, here = dict(leaves(nova)), dict(leaves(ours))
    for path in sorted(there.keys() | here.keys()):
        if there.get(path) != here.get(path):
            yield path, there.get(path), here.get(path)


def leaves(noted: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give all that is in notes, each under a path of keys: ``server.vm_state``."""
    if isinstance(noted, dict) and noted:
        for key, value in noted.items():
            yield from leaves(value, f"{path}.{key}" if path else key)
    elif noted != {}:
        yield path, noted


def argued() -> list[tuple[list[str], list[str]]]:
    """Read the page: the patterns of requests and those of paths of each row."""
    rows = PAGE.read_text().partition("## Found by asking both")[2].partition("\n## ")[0].splitlines()
    table = [row.split(" | ") for row in rows if row.startswith("| `")]
    return [(re.findall("`(.+?)`", row[0]), re.findall("`(.+?)`", row[1])) for row in table]


def fits(row: tuple[list[str], list[str]], request: str, path: str) -> bool:
    """Tell whether a row of the page is about a difference."""
    return any(fnmatchcase(request, it) for it in row[0]) and any(fnmatchcase(path, it) for it in row[1])


FUZZ = "fuzz"


def is_of_fuzz(row: tuple[list[str], list[str]]) -> bool:
    """Tell whether a row of the page is about the part that is the longest by far."""
    return any(it.startswith(FUZZ) for it in row[0])


@pytest.mark.parametrize("fuzz", [False, True], ids=["stories", FUZZ])
def test_every_request_is_answered_as_nova_answers_it(make_cloud, fuzz):
    """Each difference has a row on the page, and each row is about one."""
    cloud = make_cloud(
        hosts=("host1", "host2"), more={"service_down_time": 3600},
        of_api={"operations.reclaim_instance_interval": 3600},
    )  # fmt: skip
    ours, rows, used, unargued = Ours(cloud), argued(), set[int](), list[str]()
    for part, nova in recorded().items():
        if (part == FUZZ) != fuzz:
            continue
        played = dict(Player(ours).play(part))
        assert list(played) == list(nova), f"record {part} again"
        for name, noted in played.items():
            for path, there, here in differences(nova[name], noted):
                about = [number for number, row in enumerate(rows) if fits(row, f"{part}: {name}", path)]
                used.update(about)
                if not about:
                    unargued.append(f"{part}: {name}: {path}: Nova has {there!r}, we have {here!r}")
    assert unargued == []
    assert [row for number, row in enumerate(rows) if number not in used and is_of_fuzz(row) == fuzz] == []
