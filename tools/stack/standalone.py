"""A private broker without a stack around it, for tests that want a real one."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack import broker, processes, readiness
from stack.errors import StackError

NAME = "rabbitmq"
DEADLINE = 60


PASSWORD = "secret"


def start(folder: Path, server: Path, port: int, environ: Mapping[str, str]) -> str:
    """Start a node and give its URL once it listens.

    :param folder: where everything of it lies; short enough for a socket's path
    :raises StackError: when it does not come up
    """
    node = broker.Node(folder, server, port, broker.one_user(PASSWORD))
    node.write(environ)
    environment = {readiness.VARIABLE: str(readiness.socket_path(folder, NAME)), processes.MARK: str(folder)}
    log = folder / "rabbitmq.log"
    with log.open("ab") as output, readiness.Readiness(folder, [NAME]) as ready:
        program = subprocess.Popen(
            [folder / broker.START],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            list(ready.wait({NAME: program.pid}, DEADLINE))
        except readiness.NotReadyError:
            stop(folder)
            raise StackError(f"RabbitMQ did not start: {log} says why.") from None
    return node.url(broker.USER, PASSWORD)


def stop(folder: Path) -> None:
    """End the node of a folder, and wait for its end."""
    processes.end(folder)
