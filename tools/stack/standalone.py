"""A private broker without a stack around it: ``tools/stack.sh broker``, for the tutorials and for other projects.

It listens on the loopback address, has one user with a password made for it, and keeps everything in one folder.
Started again it has the same URL, and what was in its queues.  benchmarks/rpc.py starts one in a folder that goes away.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from stack import broker, install, ports, processes, readiness, settings
from stack.brokers import KINDS, RABBITMQ, Kind
from stack.errors import StackError
from stack.home import Home
from stack.progress import Progress

NAME = "broker"
DEADLINE = 60
PASSWORD = "secret"


def up(home: Home, environ: Mapping[str, str], progress: Progress) -> str:
    """Start the broker of a home, unless it runs, and give its URL.

    :raises StackError: when it does not come up
    """
    home.create()
    with home.locked():
        port, password = settings.broker_port(environ, home), home.secret("broker")
        if processes.of(home.root):
            progress.say("The broker is up already: nothing was changed.")
            return broker.url(port, broker.USER, password)
        kind = KINDS[settings.broker(environ)]
        ports.require(port, "MININOVA_BROKER_PORT", kind.title)
        server = install.broker(kind, environ, progress)
        with progress.step(f"Starting a broker in {home.root}") as done:
            url = start(home.broker, server, port, environ, password=password, mark=home.root, run=home.run, kind=kind)
            done(f"up, for this user alone: {ports.LOOPBACK}:{port}, where the user is {broker.USER}")
        progress.say("tools/stack.sh broker stop ends it; what is in its queues stays, without --clean.")
        return url


def down(home: Home, progress: Progress, *, clean: bool) -> None:
    """Stop the broker of a home, if it runs, and with ``clean`` forget it.

    :raises StackError: when the home is not ours, or something survives
    """
    if not home.is_ours:
        progress.say(f"There is no broker in {home.root}: nothing to stop.")
        return
    with home.locked():
        running = processes.of(home.root)
        if left := processes.end(home.root):
            raise StackError(f"These processes do not end: {', '.join(map(str, left))}")
        progress.say("The broker has stopped." if running else "No broker was running.")
        if clean:
            home.remove()
            progress.say(f"Removed {home.root}.")


def start(
    folder: Path,
    server: Path,
    port: int,
    environ: Mapping[str, str],
    *,
    password: str = PASSWORD,
    mark: Path | None = None,
    run: Path | None = None,
    kind: Kind = KINDS[RABBITMQ],
) -> str:
    """Start a node and give its URL once it listens.

    :param folder: where everything of it lies
    :param mark: by which its processes are known; the default is the folder
    :param run: where its socket is, a short path; the default is the folder
    :raises StackError: when it does not come up
    """
    node = kind.node(folder, server, port, broker.one_user(password))
    node.write(environ)
    mark, run, log = mark or folder, run or folder, folder / f"{NAME}.log"
    environment = {readiness.VARIABLE: str(readiness.socket_path(run, NAME)), processes.MARK: str(mark)}
    with log.open("ab") as output, readiness.Readiness(run, [NAME]) as ready:
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
            stop(mark)
            raise StackError(f"{kind.title} did not start: {log} says why.") from None
    return node.url(broker.USER, password)


def stop(mark: Path) -> None:
    """End the node that was started with this mark, and wait for its end."""
    processes.end(mark)
