"""What people do to the services of a stack by the control API: kill, pause, restart, cut off, misuse their names.

It is a program of its own under supervisord, there with MININOVA_CONTROL_API=1 only: so it outlives what it kills, the
api, too, and ends in time what must not last.  Between each service and the broker it has a proxy (network.py).  The
api asks over a Unix socket, a line of JSON for a line (mininova/control/services.py).  Only programs that supervisord
runs are signalled, and this one never.
"""

import json
import logging
import os
import signal
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from mininova.service.supervised import say_ready
from stack import services, settings
from stack.brokers import KINDS
from stack.errors import StackError
from stack.home import Home
from stack.impostor import Impostor
from stack.network import CUT, SLOW, Link, Network
from stack.processes import signal_group
from stack.supervisor import Supervisor

LOG = logging.getLogger(services.FAULTS)

LONGEST_REQUEST = 10_000


class RefusedError(Exception):
    """Something cannot be done.

    :param status: what it is in HTTP
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Faults:
    """What is done to the services of one stack.

    :param network: the way of each service to the broker
    :param impostor: speaks in the names of computes
    """

    def __init__(self, supervisor: Supervisor, network: Network[str], impostor: Impostor) -> None:
        self._supervisor, self._network, self._impostor = supervisor, network, impostor
        self._lasting: dict[tuple[str, str], tuple[str, threading.Timer]] = {}
        self._lock = threading.Lock()

    def resume_all(self) -> None:
        """Resume what this program paused before it was itself killed: nothing would end that pause."""
        for status in self._supervisor.all():
            signal_group(status.pid, signal.SIGCONT)

    def services(self) -> list[dict[str, Any]]:
        """List the services, with the actions that are in force."""
        lasting = {key: action for key, (action, _) in self._lasting.items()}
        return [
            {
                "name": status.name,
                "service": services.in_the_flow(status.name),
                "state": status.state.lower(),
                "pid": status.pid,
                "since": status.since,
                "actions": [action for (name, _), action in lasting.items() if name == status.name],
            }
            for status in self._supervisor.all()
            if status.name != services.FAULTS
        ]

    def act(self, name: str, action: str, seconds: float) -> None:
        """Do something to a service.

        :param name: of its program, or its own in the flow
        :param action: a key of ACTIONS
        :param seconds: after which it ends, if it lasts
        :raises RefusedError: when there is no such service, or it cannot be done to it now
        """
        with self._lock:
            name = self._program(name)
            row, key = ACTIONS[action], (name, ACTIONS[action].to)
            try:
                row.do(self, name)
            except StackError as error:
                raise RefusedError(HTTPStatus.CONFLICT, str(error)) from None
            LOG.info("%s: %s", action, name)
            if key in self._lasting:
                self._lasting.pop(key)[1].cancel()
            if row.ended_by:
                timer = threading.Timer(seconds, self._end, (key, row.ended_by))
                timer.daemon = True
                self._lasting[key] = action, timer
                timer.start()

    def _program(self, name: str) -> str:
        for it in self.services():
            if name and name in (it["name"], it["service"]):
                return str(it["name"])
        raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no service {name}.")

    def _end(self, key: tuple[str, str], action: str) -> None:
        with self._lock:
            if self._lasting.get(key, ("", None))[1] is not threading.current_thread():
                return  # something else was done since
            del self._lasting[key]
            with suppress(RefusedError):  # it runs no more
                ACTIONS[action].do(self, key[0])
            LOG.info("%s: %s, for its time is over", action, key[0])

    # ---- what can be done

    def kill(self, name: str) -> None:
        """Kill a service at once; supervisord starts it again."""
        self._signal(name, signal.SIGKILL)

    def pause(self, name: str) -> None:
        """Have a service stand still."""
        self._signal(name, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Have a service go on."""
        self._signal(name, signal.SIGCONT)

    def restart(self, name: str) -> None:
        """Ask a service to end, and start it again; one that is paused could not hear that."""
        signal_group(self._supervisor.status(name).pid, signal.SIGCONT)
        self._supervisor.restart(name)

    def cut(self, name: str) -> None:
        """End the connections of a service to the broker, and let it make none; of the broker itself, those of all."""
        self._suffer(name, CUT)

    def slow(self, name: str) -> None:
        """Have all that goes between a service and the broker be late."""
        self._suffer(name, SLOW)

    def mend(self, name: str) -> None:
        """Have the way of a service to the broker be as it was."""
        self._suffer(name, None)

    def trespass(self, name: str) -> None:
        """Ask, in the name of a compute, for what is another's."""
        self._impostor.trespass(name)

    def mismatch(self, name: str) -> None:
        """Ask, in the name of a compute, in a version that no conductor speaks."""
        self._impostor.mismatch(name)

    def _signal(self, name: str, number: signal.Signals) -> None:
        if not signal_group(self._supervisor.status(name).pid, number):
            raise RefusedError(HTTPStatus.CONFLICT, f"{name} does not run.")

    def _suffer(self, name: str, trouble: str | None) -> None:
        links = self._network.links
        ways = [*links] if name in KINDS else [name] if name in links else []
        if not ways:
            raise RefusedError(HTTPStatus.CONFLICT, f"{name} has no way to the broker that could be cut.")
        for way in ways:
            self._network.suffer(way, trouble)


PROCESS, WAY, NAME = "process", "way", "name"


@dataclass(frozen=True)
class Action:
    """Something that can be done to a service.

    :param to: what of it: one thing is done at a time to each
    :param ended_by: what ends it when its time is over; empty for what does not last
    """

    do: Callable[[Faults, str], None]
    to: str
    ended_by: str = ""


ACTIONS: Mapping[str, Action] = {
    "kill": Action(Faults.kill, PROCESS),
    "pause": Action(Faults.pause, PROCESS, ended_by="resume"),
    "resume": Action(Faults.resume, PROCESS),
    "restart": Action(Faults.restart, PROCESS),
    "cut": Action(Faults.cut, WAY, ended_by="mend"),
    "slow": Action(Faults.slow, WAY, ended_by="mend"),
    "mend": Action(Faults.mend, WAY),
    "trespass": Action(Faults.trespass, NAME),
    "mismatch": Action(Faults.mismatch, NAME),
}


# ---- who asks


class Server(socketserver.ThreadingUnixStreamServer):
    """Listens for the api."""

    daemon_threads = True

    def __init__(self, path: Path, faults: Faults) -> None:
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Handler)
        self.faults = faults


class _Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline(LONGEST_REQUEST))
        with suppress(BrokenPipeError):  # the api that asked to be killed does not wait for the answer
            self.wfile.write(json.dumps(self._answer(asked)).encode() + b"\n")

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            if asked:
                self.server.faults.act(**asked)
                return {}
            return {"services": self.server.faults.services()}
        except RefusedError as error:
            return {"status": error.status, "message": str(error)}


def main(root: str) -> None:
    """Run it for the stack of a home, until a signal ends it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    home = Home(Path(root))
    kept = settings.load(home)
    network = Network({name: Link(port, kept.broker_port) for name, port in kept.links.items()})
    network.start()
    faults = Faults(Supervisor(home), network, Impostor(home))
    faults.resume_all()
    with Server(services.faults_socket(home), faults) as server:
        if path := os.environ.get("NOTIFY_SOCKET"):
            say_ready(path, services.FAULTS)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
