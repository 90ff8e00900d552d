"""A stack's processes are known by their mark, and ended by pid."""

import subprocess
import sys

import pytest
from stack import processes

#: Says that it runs, then waits for whatever comes.
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
    """Only what carries the mark of this very home is ours."""
    ours = run(PATIENT)
    run(PATIENT, home=tmp_path / "another")

    assert set(processes.of(tmp_path)) == {ours.pid}


def test_grandchildren_are_ours_too(run, tmp_path):
    """What one of ours started is found, whether or not its parent still lives."""
    parent = run(f"import os; os.fork(); {PATIENT}")
    assert parent.stdout.readline() == b"here\n"

    parent.kill()
    parent.wait()
    (child,) = processes.of(tmp_path)

    assert child != parent.pid
    assert processes.end(tmp_path) == {}


def test_ending_ends_ours_only(run, tmp_path):
    """The end comes to all of ours, the stubborn included, and to nobody else's."""
    ours = [run(PATIENT), run(STUBBORN)]
    other = run(PATIENT, home=tmp_path / "another")

    assert processes.end(tmp_path, patience=0.2) == {}

    assert all(program.wait(10) is not None for program in ours)
    assert other.poll() is None


def test_a_wait_for_processes_has_an_end(run):
    """Waiting tells whether all have ended in time."""
    program = run(PATIENT)

    assert not processes.wait_ended([program.pid], 0.01)
    program.kill()
    assert processes.wait_ended([program.pid], 10)


def test_a_program_inherits_little():
    """Nobody's credentials or RabbitMQ settings travel into a stack."""
    caller = {"PATH": "/bin", "OS_PASSWORD": "secret", "RABBITMQ_NODENAME": "rabbit", "PYTHONPATH": "x"}

    assert processes.plain_environment(caller) == {"PATH": "/bin"}
