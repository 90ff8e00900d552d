"""The processes of a stack, found by a mark in their environment and ended by pid.

Everything that the supervisor starts inherits MARK with the path of the stack's home.  So the processes of a
stack can be told from all others on the machine, grandchildren included, even after the supervisor was killed.  Ends
are awaited on pidfds: nothing is polled, and a pid that Linux gave to another program meanwhile is never signalled.
"""

import os
import selectors
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

MARK = "MININOVA_STACK_HOME"

#: What of a caller's environment every program may see.
PLAIN = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR")


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the few variables that a program inherits, so that a stack is the same from every terminal."""
    return {name: environ[name] for name in PLAIN if name in environ}


def of(home: Path) -> dict[int, str]:
    """Find the processes that the stack of a home started: pid → command line."""
    mark = f"{MARK}={home}".encode()
    return {pid: _command(pid) for pid in _pids() if mark in _environment(pid)}


def _pids() -> Iterator[int]:
    return (int(entry) for entry in os.listdir("/proc") if entry.isdecimal())


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or belongs to another user
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def open_pidfd(pid: int) -> int | None:
    """Open what becomes readable when a process ends; None when it has ended already.

    :param pid: 0 is what supervisord says of a program that has ended
    """
    try:
        return os.pidfd_open(pid) if pid else None
    except ProcessLookupError:
        return None


def wait_ended(pids: Iterable[int], timeout: float) -> bool:
    """Wait until none of these processes runs.

    :param timeout: seconds
    :return: whether all have ended
    """
    with selectors.DefaultSelector() as selector, ExitStack() as fds:
        for pid in pids:
            if (fd := open_pidfd(pid)) is not None:
                fds.callback(os.close, fd)
                selector.register(fd, selectors.EVENT_READ)
        deadline = time.monotonic() + timeout
        while selector.get_map():
            ended = selector.select(max(0.0, deadline - time.monotonic()))
            if not ended:
                return False
            for key, _ in ended:
                selector.unregister(key.fd)
        return True


def signal_group(pid: int, number: signal.Signals) -> bool:
    """Signal a program and what it has started: supervisord makes each the leader of a group; tell whether it ran.

    :param pid: 0 is what supervisord says of a program that has ended
    """
    if not pid:
        return False
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True


def end(home: Path, *, patience: float = 10.0) -> dict[int, str]:
    """End every process of a stack, the stubborn ones with SIGKILL, and give those that still run (none, that is).

    :param patience: seconds between SIGTERM and SIGKILL
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        running = of(home)
        for pid in running:
            _signal(home, pid, number)
        wait_ended(running, patience)
    return of(home)


def _signal(home: Path, pid: int, number: signal.Signals) -> None:
    """Signal a process if it is still the one we found: the pidfd holds on to it while its mark is read again."""
    if (fd := open_pidfd(pid)) is None:
        return
    try:
        if f"{MARK}={home}".encode() in _environment(pid):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, number)
    finally:
        os.close(fd)
