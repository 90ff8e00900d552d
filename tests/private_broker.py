"""A RabbitMQ node of the tests' own: made as tools/stack.sh makes its, and killed as a power cut would."""

import os
import signal
import subprocess
from pathlib import Path

from stack import broker, ports, readiness

_DEADLINE = 60  # seconds to come up


class PrivateBroker:
    """A node that can be killed and started again with what it had on disk.

    :param folder: where everything of it lies; a short path, for it holds a socket
    :param server: the rabbitmq-server program
    :param tls: what it needs to speak TLS
    """

    def __init__(self, folder: Path, server: Path, tls: broker.Certificates | None = None) -> None:
        self._folder = folder
        self._node = broker.Node(folder / "node", server, ports.pick(), "secret", tls)
        self._node.write(os.environ)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """How clients reach it."""
        return self._node.url

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

    def tell(self, *words: str) -> None:
        """Have its rabbitmqctl do something."""
        subprocess.run([self._node.folder / broker.TOOL, "--quiet", *words], check=True, stdin=subprocess.DEVNULL)

    def kill(self) -> None:
        """End it at once, with all that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
