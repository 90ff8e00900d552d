"""Everything that must hold before a change lands, by name: one table, for tools/run-tests.sh, for tox and so for CI.

Run it with the project's own Python: ``.venv/bin/python tools/checks.py [NAME…]``; without a name it runs all, goes on
after a failure, says at the end what it ran and how long each took, and closes with a line that counts the tests.

Most checks wait for a broker, a start or a pause for more than half of their time, so two run at a time, and each shows
what it printed when it ends.  What measures how long something takes comes last, and alone.

Beside others, a test may be late that would not be late alone.  So a few that failed are run once more at the end, when
nothing else runs.  One that passes then does not fail the run; the table calls it unsteady, and it is to be mended.
"""

import functools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]

PYTEST = ("pytest", "-q")
TWO_AT_A_TIME = ("-n", "2")  # for tests that wait for no clock, and share no stack
TWO_FILES = ("-n", "2", "--dist", "loadfile")  # for tests that share a stack, cloud or broker with those of their file

#: The tests in which others may wait for a second at most during an attack: they have the machine for themselves.
FLOODING = (
    "tests/unit/standins/keystone/test_login_flood.py",
    "tests/attack/test_crowds.py",
    "tests/attack/test_wire.py",
)
WITHOUT_FLOODS = tuple(f"--ignore={path}" for path in FLOODING)

#: What is run on native threads, too; all of it is by `pytest --concurrency threads tests/stack`.
ON_THREADS = tuple(f"tests/stack/test_{name}.py" for name in ("first_boot", "metrics", "what_goes_wrong"))

#: Of tests/wire, all but what would make this too long: `pytest tests/wire` has kombu's Redis and its folder, and the
#: rights on Qpid.
QUICK_WIRE = "not redis and not filesystem and not (qpid and rights)"

#: Left out, for each takes minutes: to install Keystone with Glance, Ansible, gophercloud or another openstacksdk, or
#: to type 340 lines.  `pytest FILE` has it.
TOO_LONG = (
    "stack/test_real_services.py",
    "clients/test_ansible.py",
    "clients/test_gophercloud.py",
    "clients/test_old_sdk.py",
    "clients/test_openstack_lines.py",
)
ON_STACKS = ("tests/stack", "tests/clients", *(f"--ignore=tests/{path}" for path in TOO_LONG))

#: The clients that are tried on a cloud in one process, too; `pytest --one-process tests/clients` tries all.
OF_LIBRARIES = tuple(f"tests/clients/test_{name}.py" for name in ("sdk", "novaclient", "libcloud"))

#: What of tools/ is typed.
TOOLS = ("tools/stack", "tools/storm", "tools/chaos.py", "tools/checks.py", "tools/releases.py")

#: The words of a program of the virtual environment.
Command = tuple[str, ...]

#: name → the commands of it.  The longest come first, after what ends at once, so that two run to the end.
CHECKS: dict[str, tuple[Command, ...]] = {
    "lint": (("ruff", "check"), ("ruff", "format", "--check")),
    "imports": (("lint-imports",),),
    "stack": (  # those with stacks of their own, and in one process those that share one, whose start costs 20 s of CPU
        (*PYTEST, *TWO_FILES, "--durations=5", "-m", "not shared", *ON_STACKS),
        (*PYTEST, "--durations=5", "-m", "shared", *ON_STACKS),
    ),
    # One after the other, for the stack takes longer: they share a cache.
    "types": (("mypy",), ("mypy", *TOOLS), ("mypy", "-p", "metering")),
    "unit": ((*PYTEST, *TWO_AT_A_TIME, "tests/unit", *WITHOUT_FLOODS),),
    "cloud": ((*PYTEST, *TWO_AT_A_TIME, "tests/cloud"),),
    "wire": (  # a process for each broker, which it starts once
        (*PYTEST, "tests/wire", "-k", f"{QUICK_WIRE} and not qpid"),
        (*PYTEST, "tests/wire", "-k", f"{QUICK_WIRE} and qpid"),
    ),
    "chaos": ((*PYTEST, *TWO_AT_A_TIME, "--durations=2", "tests/chaos"),),
    # On RabbitMQ; `pytest tests/attack/compute --broker qpid` takes six minutes more.
    "attack": (  # in one process, those that share a stack
        (*PYTEST, "--durations=5", "-m", "shared", "tests/attack", *WITHOUT_FLOODS),
        (*PYTEST, "--durations=5", "-m", "not shared", "tests/attack", *WITHOUT_FLOODS),
    ),
    "rpc": ((*PYTEST, "tests/rpc"),),  # each of two processes would start all brokers
    # They share one stack; openrc is for clients, which are the same then.
    "threads": ((*PYTEST, "--durations=5", "--concurrency", "threads", *ON_THREADS, "-k", "not openrc"),),
    "browser": ((*PYTEST, "--durations=2", "tests/browser"),),  # in one Chromium
    "bench": (  # that they run; their figures mean nothing here
        ("python", "benchmarks/rpc.py", "--quick"),
        ("python", "benchmarks/scheduler.py", "--quick"),
        ("python", "benchmarks/start.py", "--quick"),
        ("python", "benchmarks/flow.py", "--quick"),
    ),
    "one-process": ((*PYTEST, "--one-process", *OF_LIBRARIES),),  # the command line's take four times as long
    "docs": (("python", "tools/verify"), (*PYTEST, "tests/docs")),
    "floods": ((*PYTEST, "--durations=5", *FLOODING),),
}


#: What no check inherits.  With this one set, each of a run's forty processes of pytest compiles all tests anew.
UNWANTED = ("PYTHONDONTWRITEBYTECODE",)

#: What shares the machine with no other check.
ALONE = CHECKS["floods"]

#: How many of the others run at a time.
AT_ONCE = 2

#: How many failed tests of a check are run once more; more of them are no accident.
FEW = 3


@dataclass(frozen=True)
class Result:
    """How a command went: its tests are counted, and any other check counts as one.

    :param unsteady: how many of those that passed had failed before
    """

    name: str
    command: str
    seconds: float
    passed: int
    failed: int
    skipped: int
    unsteady: int = 0

    @property
    def row(self) -> str:
        """Its line of the table."""
        verdict = "FAILED" if self.failed else f"ok, {self.unsteady} unsteady" if self.unsteady else "ok"
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        return f"{self.name:12} {verdict:15} {self.seconds:6.1f} s  {counts:36}  {self.command}"


#: The exit code of ``--look`` for names of checks.
GO_ON = 64


def look(words: Sequence[str]) -> int:
    """Print the help, or refuse a name that is none; give the exit code, which is GO_ON for names of checks.

    tools/run-tests.sh asks this before there is a virtual environment.
    """
    if {"help", "-h", "--help"} & set(words):
        print("tools/run-tests.sh [CHECK…]: all that must hold, or these checks\n")
        for name, commands in CHECKS.items():
            print(f"  {name:10}{'; '.join(' '.join(command) for command in commands)}")
        return 0
    if unknown := [name for name in words if name not in CHECKS]:
        print(f"There is no check {unknown[0]}, but there are {', '.join(CHECKS)}.", file=sys.stderr)
        return 2
    return GO_ON


def main(names: Sequence[str]) -> int:
    """Run the checks of these names, or all, and give 1 if any failed."""
    if (answered := look(names)) != GO_ON:
        return answered
    began = time.monotonic()
    results = run_all([(name, command) for name in names or CHECKS for command in CHECKS[name]])
    print("\nWhat was run:\n", *(result.row for result in results), "", sep="\n")
    print(f"{time.monotonic() - began:.0f} s in all")
    passed, failed, skipped = (sum(getattr(result, kind) for result in results) for kind in _KINDS)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def run_all(wanted: Sequence[tuple[str, Command]]) -> list[Result]:
    """Run commands, those of ALONE after the others, and give their results in the order of the commands."""
    others = [each for each in wanted if each[1] not in ALONE]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        memory = {each: Path(folder, str(number)) for number, each in enumerate(wanted)}
        first = functools.partial(run, beside=len(others) > 1)
        done = dict(zip(others, pool.map(lambda each: first(*each, memory=memory[each]), others), strict=True))
        done |= {each: run(*each, memory=memory[each]) for each in wanted if each not in done}
        return [once_more(done[each], each[1], memory[each]) for each in wanted]


def once_more(result: Result, command: Command, memory: Path) -> Result:
    """Run the tests of a command that failed once more, alone, if they are few."""
    if not (_is_pytest(command) and 0 < result.failed <= FEW):
        return result
    again = run(result.name, (*command, "-n", "0", "--last-failed", "--last-failed-no-failures", "none"), memory=memory)
    if again.failed or again.passed != result.failed:
        return result
    seconds, passed = result.seconds + again.seconds, result.passed + again.passed
    return replace(result, seconds=seconds, passed=passed, failed=0, unsteady=again.passed)


_printing = threading.Lock()


def run(name: str, command: Command, *, memory: Path, beside: bool = False) -> Result:
    """Run one command, with its output where ours goes.

    :param memory: a folder in which pytest keeps which tests failed
    :param beside: whether others run meanwhile; then its output comes in one piece, when it ends
    """
    shown = " ".join(command)
    title = f"\n==== {name}: {shown}"
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Path(folder, "output").open("w+") as output:
        if not beside:
            print(title, flush=True)
        report = Path(folder, "report.xml")
        more = [f"--junitxml={report}", "-o", f"cache_dir={memory}"] if _is_pytest(command) else []
        words = [str(Path(sys.executable).with_name(command[0])), *command[1:], *more]
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        environment["MYPYPATH"] = "tools:examples"
        to, errors = (output, subprocess.STDOUT) if beside else (None, None)
        ran = subprocess.run(words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=to, stderr=errors)
        code = ran.returncode
        if beside:
            output.seek(0)
            with _printing:
                print(title, output.read(), sep="\n", flush=True)
        counts = _count(report, code) if report.exists() else (int(code == 0), int(code != 0), 0)
    return Result(name, shown, time.monotonic() - began, *counts)


def _is_pytest(command: Command) -> bool:
    return command[: len(PYTEST)] == PYTEST


_KINDS = ("passed", "failed", "skipped")


def _count(report: Path, code: int) -> tuple[int, int, int]:
    """Count the tests of a pytest run; one that broke off without a failed test counts as one failed."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, bad, skipped = (
        sum(int(suite.get(kind, 0)) for suite in suites for kind in kinds)
        for kinds in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return total - bad - skipped, max(bad, int(code != 0)), skipped


if __name__ == "__main__":
    sys.exit(look(sys.argv[2:]) if sys.argv[1:2] == ["--look"] else main(sys.argv[1:]))
