"""A RabbitMQ node of the tests' own: made as tools/stack.sh makes its, and killed as a power cut would."""

import json
import os
import signal
import subprocess
from pathlib import Path

from stack import broker, ports, readiness

from mininova import broker_definitions

PASSWORD = "secret"

#: Who else may do everything on a node: names for those between whom a test tells.
OTHERS = ("api", "conductor", "compute.host-1", "compute.host-2", "manage")

_DEADLINE = 60  # seconds to come up


def everybody() -> broker.Definitions:
    """Define users who may all do everything."""
    return broker_definitions.together(
        broker.one_user(PASSWORD),
        {
            "users": [broker_definitions.user(name, PASSWORD) for name in OTHERS],
            "permissions": [
                {"user": name, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"} for name in OTHERS
            ],
        },
    )


class PrivateBroker:
    """A node that can be killed and started again with what it had on disk.

    :param folder: where everything of it lies; a short path, for it holds a socket
    :param server: the rabbitmq-server program
    :param tls: what it needs to speak TLS
    :param definitions: its users and what they may do; without any, those may who are in ``everybody``
    """

    def __init__(
        self,
        folder: Path,
        server: Path,
        tls: broker.Certificates | None = None,
        definitions: broker.Definitions | None = None,
    ) -> None:
        self._folder = folder
        self._node = broker.Node(folder / "node", server, ports.pick(), definitions or everybody(), tls)
        self._node.write(os.environ)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How the one user reaches it that may do everything."""
        return self.url_of(broker.USER, PASSWORD)

    def url_of(self, user: str, password: str) -> str:
        """How another user reaches it."""
        return self._node.url(user, password)

    @property
    def tool(self) -> Path:
        """Name its rabbitmqctl."""
        return self._node.folder / broker.TOOL

    def start(self) -> None:
        """Start it, and return when it lets clients in."""
        with readiness.Readiness(self._folder, ["node"]) as up, open(self._folder / "log", "ab") as log:
            environ = {**os.environ, readiness.VARIABLE: str(readiness.socket_path(self._folder, "node"))}
            self._process = subprocess.Popen(
                [self._node.folder / broker.START],
                env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            for _ in up.wait({"node": self._process.pid}, _DEADLINE):
                pass

    def tell(self, *words: str, given: str = "") -> None:
        """Have its rabbitmqctl do something.

        :param given: what it reads
        """
        subprocess.run([self.tool, "--quiet", *words], check=True, input=given, text=True)

    def define(self, definitions: broker.Definitions) -> None:
        """Make users and places while it runs."""
        self.tell("import_definitions", "--format", "json", given=json.dumps(definitions))

    def kill(self) -> None:
        """End it at once, with all that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
