"""Write down what a real Nova answers to the requests of cases.py and stories.py: run by hand.

    .venv/bin/python -m tests.differential.record PYTHON [PART...]

PYTHON is that of an environment with Nova; nova_box.py says how to make one.  nova_answers.json is written
anew, or these parts of it.
"""

import gzip
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.differential.cases import USERS, Asked
from tests.differential.play import PARTS, Answer, Noted, Player

ANSWERS = Path(__file__).with_name("nova_answers.json")
#: The answers of the part that has thousands of requests.
FUZZ_ANSWERS = Path(__file__).with_name("nova_fuzz_answers.json.gz")
BOX = Path(__file__).with_name("nova_box.py")
#: What the stand-ins of Nova's tests have: the project whose network it is, an image, a network and a port.  They have
#: any volume that they are asked for.
NAMES = {
    "demo": "6f70656e737461636b20342065766572",
    "other": "other",
    "image": "155d900f-4e14-4e4c-a73d-069cbf4541e6",
    "network": "3cb9bc59-5699-4588-a4b1-b87f96708bc6",
    "port": "ce531f90-199f-48c0-816c-13e38010b442",
    "volume": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
    "other_volume": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
}


class Nova:
    """The Nova of nova_box.py, over HTTP."""

    def __init__(self, port: int) -> None:
        self._url, self._session = f"http://127.0.0.1:{port}", requests.Session()
        self.names = dict(NAMES)

    def ask(self, asked: Asked) -> Answer:
        """Send a request of a user."""
        project, roles = USERS[asked.user]
        user = asked.user if asked.user == "admin" else f"{asked.user}-user"  # Nova's fixture knows one by that name
        answer = self._session.request(
            asked.method, f"{self._url}/v2.1{asked.path}", json=asked.body,
            headers={
                "X-Auth-Token": f"{user}:{NAMES.get(project, project)}:{roles}",
                "OpenStack-API-Version": f"compute {asked.version}",
            },
            timeout=60,
        )  # fmt: skip
        return Answer(answer.status_code, answer.text)

    def settle(self, server: str) -> None:
        """Have Nova look until nothing is being done to a server."""
        if not self._box("settle", server=server):
            print(f"server {server} has not come to rest", file=sys.stderr)

    def hold(self, server: str, vm_state: str, asked: Asked, task_state: str) -> None:
        """Write the states: what was asked for is not sent, for it would go on."""
        assert self._box("hold", server=server, vm_state=vm_state, task_state=task_state)

    def _box(self, what: str, **asked: str) -> bool:
        return self._session.post(f"{self._url}/box/{what}", json=asked, timeout=60).ok


def main(python: str, *parts: str) -> None:
    """Start a Nova, play all parts or some, and write what it answered after each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = subprocess.Popen([python, "-W", "ignore", str(BOX), str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert box.stdout
        assert any("serving" in line for line in box.stdout), "Nova has not started"
        nova, began = Nova(port), time.monotonic()
        answers = recorded() if parts else {}
        for part in parts or PARTS:
            answers[part] = dict(Player(nova).play(part))
            print(f"{time.monotonic() - began:5.0f} s: {part}, {len(answers[part])} requests", flush=True)
            _write(answers)
    finally:
        box.terminate()


def recorded() -> dict[str, dict[str, Noted]]:
    """Give what Nova answered, by part and request."""
    fuzz = json.loads(gzip.decompress(FUZZ_ANSWERS.read_bytes())) if FUZZ_ANSWERS.exists() else {}
    return {**json.loads(ANSWERS.read_text()), **fuzz}


def _write(answers: dict[str, dict[str, Noted]]) -> None:
    fuzz = {part: noted for part, noted in answers.items() if part == "fuzz"}
    ANSWERS.write_text(_written({part: noted for part, noted in answers.items() if part not in fuzz}))
    # No date in the header: the same answers are the same file.
    FUZZ_ANSWERS.write_bytes(gzip.compress(_written(fuzz).encode(), 9, mtime=0))


def _written(answers: dict[str, dict[str, Noted]]) -> str:
    """Write a line for each request, so that a difference between two recordings can be read."""
    parts = []
    for part, noted in answers.items():
        lines = (f"  {json.dumps(name)}: {json.dumps(each, sort_keys=True)}" for name, each in noted.items())
        parts.append(f"{json.dumps(part)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
