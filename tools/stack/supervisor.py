"""The programs of a stack under one supervisord: its configuration, and a remote control.

supervisord daemonizes only once its control socket listens, so that ``launch`` returns when it can be talked to.  No
program starts by itself: the stack starts them in its own order, and asks supervisord for their pids.  One that ends
later is started again.

Source: https://supervisord.org/configuration.html and https://supervisord.org/api.html
"""

import http.client
import shlex
import socket
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack import processes, readiness
from stack.errors import StackError
from stack.home import Home

#: Seconds that a program has between SIGTERM and SIGKILL.
PATIENCE = 15
#: Seconds that a program has to say that it is up: many, for a slow machine that does other things too.
DEADLINE = 60
#: How much of a log explains why it did not.
LAST_LINES = 12


@dataclass(frozen=True)
class Program:
    """Something to be run, and to be run again when it ends.

    :param name: under which supervisord, the log and the readiness socket know it
    :param command: its words
    """

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """How a program is doing.

    :param state: in supervisord's words: RUNNING, STOPPED, BACKOFF (it ended at once and is tried again), FATAL …
    :param pid: 0 when it is not running
    :param since: when it was started, epoch seconds
    """

    name: str
    state: str
    pid: int
    since: int

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self.state in ("STARTING", "RUNNING")


class Supervisor:
    """The supervisord of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._socket = home.run / "supervisor.sock"

    def _call(self, method: str, *arguments: object) -> Any:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=_UnixTransport(self._socket)) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    # ---- configuration

    def write(self, programs: Iterable[Program]) -> None:
        """Write the configuration of these programs."""
        home = self._home
        head = _TEMPLATE.format(run=_ini(home.run), logs=home.logs.name)
        sections = [self._section(program) for program in programs]
        home.write_private(home.etc / "supervisord.conf", "\n".join([head, *sections]))

    def _section(self, program: Program) -> str:
        notify = readiness.socket_path(self._home.run, program.name)
        return _PROGRAM.format(
            name=program.name,
            command=_ini(shlex.join(program.command)),
            notify=_ini(notify),
            log=self._home.log(program.name).relative_to(self._home.root),
            patience=PATIENCE,
        )

    # ---- life

    def launch(self, environ: Mapping[str, str], **variables: str) -> None:
        """Start supervisord in the background; its programs inherit the mark of this home.

        :param variables: of the environment, which they inherit, too
        :raises StackError: when it does not start
        """
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self._home.etc / "supervisord.conf")]
        environment = {**processes.plain_environment(environ), processes.MARK: str(self._home.root), **variables}
        done = subprocess.run(
            command, env=environment, cwd=self._home.root, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode:
            raise StackError(f"supervisord did not start: {(done.stderr or done.stdout).strip().splitlines()[-1]}")

    def answers(self) -> bool:
        """Say whether supervisord runs."""
        try:
            self._call("getState")
        except OSError:
            return False
        return True

    def start(self, names: Iterable[str]) -> dict[str, int]:
        """Start some programs and give their pids; 0 for one that has ended already.

        :raises StackError: when one cannot be run at all
        """
        return {name: self._start(name) for name in names}

    def _start(self, name: str) -> int:
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            raise StackError(f"{name} cannot be started: {fault.faultString}") from None
        return self.status(name).pid

    def await_ready(self, ready: readiness.Readiness, pids: Mapping[str, int]) -> None:
        """Wait until these programs say that they are up.

        :raises StackError: with the end of the log of the first that does not
        """
        try:
            for _ in ready.wait(pids, DEADLINE):
                pass
        except readiness.NotReadyError as problem:
            raise StackError(self._explain(problem)) from None

    def _explain(self, problem: readiness.NotReadyError) -> str:
        """Say why a program is not up: in its own words, if its last line is meant for people, else in its log's."""
        self.status(problem.name)  # by the time that supervisord answers it has written down the program's last words
        log = self._home.log(problem.name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        if problem.ended and lines and problem.name.startswith(lines[-1].partition(":")[0]):
            return f"{lines[-1]}  (said by {problem.name}; its log is {log})"
        what = "ended" if problem.ended else f"did not say that it is up in {DEADLINE} seconds"
        return "\n    ".join([f"{problem.name} {what}.  The end of {log}:", *lines[-LAST_LINES:]])

    def stop(self, names: Iterable[str]) -> None:
        """Stop some programs, all at once, and wait until they have ended."""
        running = [status for status in map(self.status, names) if status.state in ("STARTING", "RUNNING", "BACKOFF")]
        for status in running:
            with suppress(xmlrpc.client.Fault):  # it has just ended by itself
                self._call("stopProcess", status.name, False)
        processes.wait_ended([status.pid for status in running if status.pid], PATIENCE + 5)
        self._call("getState")  # by the call after this one supervisord, too, has seen that they ended

    def restart(self, name: str) -> int:
        """Stop a program if it runs, start it again, and give its pid.

        We wait for its end, for supervisord uses a whole processor while a call of ours waits for it.
        """
        self.stop([name])
        return self._start(name)

    def shut_down(self) -> None:
        """End supervisord, and the programs that it still runs."""
        pid: int = self._call("getPID")
        self._call("shutdown")
        processes.wait_ended([pid], PATIENCE + 5)

    def status(self, name: str) -> Status:
        """Say how a program is doing."""
        return _status(self._call("getProcessInfo", name))

    def all(self) -> list[Status]:
        """Say how every program is doing."""
        return [_status(info) for info in self._call("getAllProcessInfo")]

    def add(self, name: str) -> None:
        """Take in a program that was written to the configuration later."""
        self._call("reloadConfig")
        self._call("addProcessGroup", name)


def _status(info: dict[str, Any]) -> Status:
    return Status(name=info["name"], state=info["statename"], pid=info["pid"], since=info["start"])


# ---- how supervisord is configured


def _ini(value: object) -> str:
    """Write a value as supervisord reads it: it expands ``%(name)s``."""
    return str(value).replace("%", "%%")


_TEMPLATE = """\
; Written by tools/stack.sh at each start.  supervisord runs in the folder above; its logs are named from there.

[unix_http_server]
file = {run}/supervisor.sock
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
pidfile = {run}/supervisord.pid
logfile = {logs}/supervisord.log
loglevel = info
umask = 077
"""

_PROGRAM = """\
[program:{name}]
command = {command}
environment = NOTIFY_SOCKET="{notify}"
stdout_logfile = {log}
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 1
redirect_stderr = true
autostart = false
autorestart = true
startsecs = 1
startretries = 5
stopwaitsecs = {patience}
killasgroup = true
"""


# ---- how supervisord is talked to


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("supervisor")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    """XML-RPC over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """Give the one connection, made at the first call."""
        if not self._connection[1]:
            self._connection = host, _UnixConnection(self._path)
        connection = self._connection[1]
        assert connection is not None
        return connection
