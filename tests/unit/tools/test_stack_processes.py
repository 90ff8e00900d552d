"""A stack's processes are found by a mark in their environment, and ended by pid."""

import subprocess
import sys

import pytest
from stack import processes

#: Says that it runs, then waits.
PATIENT = "print('here', flush=True); import time; time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PATIENT}"


@pytest.fixture
def run(tmp_path):
    """Give a function that starts a program under the mark of a home, and ends them all afterwards."""
    started = []

    def start(program, home=tmp_path):
        command = [sys.executable, "-c", program]
        environment = {processes.MARK: str(home)}
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True))
        assert started[-1].stdout.readline() == b"here\n"
        return started[-1]

    yield start
    for program in started:
        program.kill()
        program.communicate()


def test_ours_are_found_and_others_are_not(run, tmp_path):
    """Only processes with the mark of this home are ours."""
    ours = run(PATIENT)
    run(PATIENT, home=tmp_path / "another")

    assert set(processes.of(tmp_path)) == {ours.pid}


def test_grandchildren_are_ours_too(run, tmp_path):
    """A child of one of our processes is found, also after its parent has ended."""
    parent = run(f"import os; os.fork(); {PATIENT}")
    assert parent.stdout.readline() == b"here\n"

    parent.kill()
    parent.wait()
    (child,) = processes.of(tmp_path)

    assert child != parent.pid
    assert processes.end(tmp_path) == {}


def test_ending_ends_ours_only(run, tmp_path):
    """All of our processes end, also those that ignore SIGTERM, and no others."""
    ours = [run(PATIENT), run(STUBBORN)]
    other = run(PATIENT, home=tmp_path / "another")

    assert processes.end(tmp_path, patience=0.2) == {}

    assert all(program.wait(30) is not None for program in ours)
    assert other.poll() is None


def test_a_wait_for_processes_has_an_end(run):
    """Waiting says whether all have ended in time."""
    program = run(PATIENT)

    assert not processes.wait_ended([program.pid], 0.01)
    program.kill()
    assert processes.wait_ended([program.pid], 30)


def test_a_program_inherits_little():
    """A stack gets none of the user's credentials or RabbitMQ settings."""
    caller = {"PATH": "/bin", "OS_PASSWORD": "secret", "RABBITMQ_NODENAME": "rabbit", "PYTHONPATH": "x"}

    assert processes.plain_environment(caller) == {"PATH": "/bin"}
