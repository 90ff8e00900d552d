"""Green and native threads behave alike. Each test runs a process of its own, since eventlet patches its process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mininova.service import concurrency

SPAWNED = """
import mininova.cmd, threading
from mininova.service import concurrency
done = threading.Event()
concurrency.make().spawn(lambda word: word == "go" and done.set(), "go")
assert done.wait(30)
"""

SOME_AT_ONCE = """
import mininova.cmd, threading
from mininova.service import concurrency
inside, most, full, lock = 0, 0, threading.Event(), threading.Lock()

def work(number):
    global inside, most
    with lock:
        inside += 1
        most = max(most, inside)
    if inside == 3:
        full.set()
    assert full.wait(30)
    with lock:
        inside -= 1
    return number

works = [lambda number=number: work(number) for number in range(10)]
assert concurrency.make().together(works, 3) == list(range(10))
assert most == 3, most
"""

FAILED = """
import mininova.cmd
from mininova.service import concurrency

def fail():
    raise KeyError("first")

try:
    concurrency.make().together([lambda: 1, fail, lambda: 3], 2)
except KeyError as error:
    assert error.args == ("first",)
else:
    raise AssertionError("the failure was lost")
"""

BLOCKED = """
import mininova.cmd, os
from mininova.service import concurrency
threads, (reads, writes) = concurrency.make(), os.pipe()
threads.spawn(os.write, writes, b"x")
with open(reads, "rb", buffering=0) as pipe:  # eventlet does not make this wait cooperative
    assert threads.aside(lambda: pipe.read(1)) == b"x"
try:
    threads.aside(lambda: {}["first"])
except KeyError as error:
    assert error.args == ("first",)
else:
    raise AssertionError("the failure was lost")
"""

TAKEN = """
import mininova.cmd
from mininova.service import concurrency
from mininova.service.http_bounds import BOUNDS
threads = concurrency.make()
first = threads.serve_http("127.0.0.1", 0, None, BOUNDS)
try:
    threads.serve_http("127.0.0.1", first.port, None, BOUNDS)
except OSError as error:
    assert error.strerror == "Address already in use"
else:
    raise AssertionError("two servers share a port")
"""

WITHOUT_EVENTLET = """
import sys
import mininova.cmd.api, mininova.cmd.compute, mininova.cmd.conductor, mininova.cmd.flow, mininova.cmd.scheduler
from mininova.service import concurrency
concurrency.make()
assert "mininova.service.concurrency.native" in sys.modules
assert not {"eventlet", "greenlet", "mininova.service.concurrency.green"} & set(sys.modules)
"""


def run(kind: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, concurrency.VARIABLE: kind}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def must_succeed(kind: str, program: str) -> None:
    done = run(kind, sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", concurrency.KINDS)
def test_something_runs_in_the_background(kind: str) -> None:
    """It gets its arguments."""
    must_succeed(kind, SPAWNED)


@pytest.mark.parametrize("kind", concurrency.KINDS)
def test_several_things_run_at_once_and_no_more(kind: str) -> None:
    """The results come in the order of the calls."""
    must_succeed(kind, SOME_AT_ONCE)


@pytest.mark.parametrize("kind", concurrency.KINDS)
def test_the_first_failure_of_several_is_raised(kind: str) -> None:
    """A service that cannot open one of its hosts raises that error."""
    must_succeed(kind, FAILED)


@pytest.mark.parametrize("kind", concurrency.KINDS)
def test_what_blocks_is_run_aside(kind: str) -> None:
    """The others go on meanwhile; its result or failure comes back."""
    must_succeed(kind, BLOCKED)


@pytest.mark.parametrize("kind", concurrency.KINDS)
def test_two_servers_do_not_share_a_port(kind: str) -> None:
    """The second one fails, where the kernel would let them share."""
    must_succeed(kind, TAKEN)


def test_native_threads_need_no_eventlet() -> None:
    """With MININOVA_CONCURRENCY=threads no service imports it."""
    must_succeed(concurrency.THREADS, WITHOUT_EVENTLET)


@pytest.mark.parametrize("command", ["mininova-api", "mininova-compute", "mininova-manage"])
def test_another_kind_is_refused_in_one_line(command: str) -> None:
    """Every command does so, before anything else."""
    done = run("fibers", str(Path(sys.executable).with_name(command)), "--help")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{command}: MININOVA_CONCURRENCY must be eventlet or threads, not 'fibers'\n"
