"""Do what was typed after tools/stack.sh and tools/unstack.sh: a function for each command of words.py."""

import os
import re
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table

from mininova.trust import host_lists, identities
from stack import clouds, down, install, real, services, settings, standalone, up
from stack.brokers import KINDS
from stack.errors import StackError
from stack.home import Home
from stack.progress import Progress
from stack.readiness import Readiness
from stack.supervisor import Status, Supervisor
from stack.words import GO_ON, answer

HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Request:
    """One command as it was typed.

    :param words: what follows its name
    """

    words: tuple[str, ...]
    home: Home
    environ: Mapping[str, str]
    progress: Progress


def main(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what was asked; the exit code is 0, 1 when it cannot be done, or 2 when it was not understood."""
    if (answered := answer(words)) != GO_ON:
        return answered
    name, *rest = words or ("up",)
    prog = "tools/unstack.sh" if name == "down" else "tools/stack.sh"
    request = Request(tuple(rest), settings.home_of(environ), environ, Progress(Console()))
    try:
        return RUN[name](request) or 0
    except StackError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{prog}: interrupted.", file=sys.stderr)
        return 130


# ---- the whole stack


def _up(request: Request) -> None:
    up.up(request.home, request.environ, request.progress)


def _down(request: Request) -> None:
    home, clean = request.home, request.words == ("--clean",)
    if not home.is_ours:
        if home.root.exists() and clean:
            home.remove()
        request.progress.say(f"There is no stack in {home.root}: nothing to stop.")
        return
    with home.locked():
        stopped = down.stop(home)
        request.progress.say(f"Stopped {stopped} processes." if stopped else "Nothing was running.")
        if clean:
            home.remove()
            request.progress.say(f"Removed {home.root}.")


def _status(request: Request) -> int:
    kept = settings.load(request.home)
    supervisor = Supervisor(request.home)
    if not supervisor.answers():
        down.refuse_leftovers(request.home)
        request.progress.say(f"The stack in {request.home.root} is not running.")
        return 3
    programs = supervisor.all()
    request.progress.say(f"mininova at {kept.api_url}, in {request.home.root}")
    request.progress.console.print(_table(request.home, programs))
    return 0 if all(status.is_up for status in programs) else 1


def _browse(request: Request) -> None:
    page = clouds.page(request.home, settings.load(request.home))
    _running(request)
    if page is None:
        raise StackError("This stack shows its flow in no browser, since MININOVA_FLOW or MININOVA_FLOW_PORT is 0.")
    if not webbrowser.open(page):
        raise StackError(f"There is no browser on this machine: open {page} in one that reaches it.")


def _table(home: Home, programs: Sequence[Status]) -> Table:
    table = Table("service", "state", "pid", "since", "log", box=None, pad_edge=False)
    for status in programs:
        since = datetime.fromtimestamp(status.since).strftime("%H:%M:%S") if status.pid else ""
        table.add_row(status.name, status.state.lower(), str(status.pid or ""), since, home.log(status.name).name)
    return table


# ---- one service


def _logs(request: Request) -> int:
    name = _service(request, request.words[0])
    follow = [word for word in request.words[1:] if word == "-f"]
    log = request.home.log(name)
    if not log.exists():
        raise StackError(f"{name} has written no log yet.")
    os.execvp("tail", ["tail", "-n", "100", *follow, str(log)])


def _restart(request: Request) -> None:
    name = _service(request, request.words[0])
    supervisor = _running(request)
    with request.home.locked(), request.progress.step(f"Restarting {name}") as done:
        with Readiness(request.home.run, [name]) as readiness:
            supervisor.await_ready(readiness, {name: supervisor.restart(name)})
        done(f"{name} is up again")


def _add_compute(request: Request) -> None:
    (host,), home = request.words, request.home
    if not HOST_NAME.fullmatch(host):
        raise StackError(f"{host!r} is no host name: small letters, digits, dots and hyphens make one.")
    try:
        identities.compute(host)
    except ValueError as error:
        raise StackError(f"{error}.") from None
    if any(host in (name, *host_lists.read(hosts)) for name, hosts in settings.load(home).computes.items()):
        raise StackError(f"There is a compute {host} already.")
    supervisor = _running(request)
    with home.locked(), request.progress.step(f"Adding the compute {host}") as done:
        settings.add_compute(home, host)
        kept, name = settings.load(home), services.compute(home, host).name
        services.write_compute(home, kept, host)
        up.let_in(home, kept, host, request.environ)
        supervisor.write(services.programs(home, kept))
        supervisor.add(name)
        with Readiness(home.run, [name]) as readiness:
            supervisor.await_ready(readiness, supervisor.start([name]))
        done(f"{name} is up")


def _rabbitmqctl(request: Request) -> int:
    script = request.home.broker / KINDS[settings.load(request.home).broker].node.tool
    if not script.exists():
        raise StackError("This stack has no broker of its own.")
    os.execv(script, [str(script), *request.words])


def _service(request: Request, named: str) -> str:
    """Find the program that a command line names: ``mininova-api`` or ``api``, ``host-1``, ``broker``."""
    kept = settings.load(request.home)
    known = services.names(kept)
    for name in (named, f"mininova-{named}", services.COMPUTE + named, {"broker": kept.broker}.get(named)):
        if name in known:
            return str(name)
    raise StackError(f"There is no service {named}, but there are {', '.join(known)}.")


def _running(request: Request) -> Supervisor:
    supervisor = Supervisor(request.home)
    if not supervisor.answers():
        raise StackError(f"The stack in {request.home.root} is not running: tools/stack.sh starts it.")
    return supervisor


# ---- the rest


def _broker(request: Request) -> None:
    """Run a broker without a stack, or stop it; only its URL goes to the standard output."""
    home, progress = settings.home_of_broker(request.environ), Progress(Console(stderr=True))
    if not request.words:
        print(standalone.up(home, request.environ, progress))
        return
    standalone.down(home, progress, clean="--clean" in request.words)


def _install(request: Request) -> None:
    install.broker(KINDS[settings.broker(request.environ)], request.environ, request.progress)
    if settings.real_services(request.environ):
        real.install(request.progress)


#: Who does what can be typed, words.COMMANDS; ``help`` is answered there.
RUN: Mapping[str, Callable[[Request], int | None]] = {
    "up": _up,
    "status": _status,
    "browse": _browse,
    "logs": _logs,
    "restart": _restart,
    "add-compute": _add_compute,
    "rabbitmqctl": _rabbitmqctl,
    "broker": _broker,
    "install": _install,
    "down": _down,
}
