"""A program is up when it says so."""

import os
import subprocess
import sys

import pytest
from stack.readiness import NotReadyError, Readiness, socket_path

READY = """
import os, socket, sys
said = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
said.connect(os.environ["NOTIFY_SOCKET"])
said.send(b"STATUS=nearly there")
said.send(b"READY=1\\nSTATUS=api@ctl-1")
sys.stdin.read()
"""
SILENT = "import sys; sys.stdin.read()"
FAILING = "raise SystemExit(2)"


@pytest.fixture
def folder(tmp_path_factory):
    """Give a folder whose path is short enough for a socket's."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def start(folder):
    """Give a function that starts a Python program under a name, and ends them all afterwards."""
    started = []

    def run(name, program):
        environment = {**os.environ, "NOTIFY_SOCKET": str(socket_path(folder, name))}
        started.append(subprocess.Popen([sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE))
        return started[-1].pid

    yield run
    for program in started:
        program.communicate()


def test_each_is_reported_once_it_says_so(folder, start):
    """The wait ends when every program has said that it is up."""
    with Readiness(folder, ["api", "scheduler"]) as readiness:
        pids = {name: start(name, READY) for name in ("api", "scheduler")}

        assert sorted(readiness.wait(pids, 30)) == ["api", "scheduler"]


def test_a_program_that_ends_stops_the_wait_at_once(folder, start):
    """The error names a program that ended instead of coming up."""
    with Readiness(folder, ["api", "scheduler"]) as readiness:
        pids = {"api": start("api", SILENT), "scheduler": start("scheduler", FAILING)}

        with pytest.raises(NotReadyError) as problem:
            list(readiness.wait(pids, 30))

    assert (problem.value.name, problem.value.ended) == ("scheduler", True)


def test_the_wait_for_a_silent_program_has_a_deadline(folder, start):
    """At the deadline, the error names a program that is not up yet."""
    with Readiness(folder, ["api"]) as readiness:
        pids = {"api": start("api", SILENT)}

        with pytest.raises(NotReadyError) as problem:
            list(readiness.wait(pids, 0.05))

    assert (problem.value.name, problem.value.ended) == ("api", False)


def test_sockets_are_gone_afterwards(folder):
    """No socket is left after the wait, and a stale one is no obstacle."""
    for _ in range(2):
        with Readiness(folder, ["api"]):
            assert socket_path(folder, "api").exists()
        assert not socket_path(folder, "api").exists()

    socket_path(folder, "api").touch()
    with Readiness(folder, ["api"]):
        pass
