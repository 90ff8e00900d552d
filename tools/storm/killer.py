"""The killer: it does to processes, disks and connections what the plan says, and mends all of it in the end."""

import os
import re
import select
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from stack import services
from stack.processes import signal_group
from stack.readiness import Readiness
from stack.supervisor import Status

from storm.clients import Turns
from storm.cloud import GRACE, Cloud
from storm.plan import AWAY, DATABASE, KILL, LOSE_DISK, STOP, TERM, Fault

DRAIN_S = (
    GRACE + 30.0
)  # within which a service ends that is asked to: its grace, last words, and a machine that is slow
SIGNALS = {KILL: signal.SIGKILL, TERM: signal.SIGTERM, STOP: signal.SIGSTOP}
ENDED = re.compile(r"(?:exited: ([\w-]+) \((.*)\)|gave up: ([\w-]+) )")


class Killer:
    """Break what the plan says.

    :param faults: in the order of their moments
    :ivar drained: which services were asked to end, and the seconds that it took; None when it took too long
    """

    def __init__(self, cloud: Cloud, faults: Sequence[Fault], turns: Turns) -> None:
        self._cloud, self._faults, self._turns = cloud, faults, turns
        self._mends: list[threading.Timer] = []
        self._drains: list[threading.Thread] = []
        self._frozen_until: dict[str, float] = {}
        self.drained: list[tuple[str, float | None]] = []
        self.done: list[Fault] = []
        self.missed: list[Fault] = []

    def run(self) -> None:
        """Break one thing after the other."""
        for fault in self._faults:
            self._turns.wait_for(fault.at)
            (self.done if self._strike(fault) else self.missed).append(fault)

    def _strike(self, fault: Fault) -> bool:
        """Do it; tell whether there was something to do it to."""
        if fault.kind == AWAY:
            self._cloud.database.stop()
            self._later(fault.seconds, self._cloud.database.start)
            return True
        if fault.kind in SIGNALS or fault.kind == LOSE_DISK:
            status = self._cloud.supervisor.status(self._cloud.program(fault.target))
            return bool(status.pid) and self._hit(fault, status)
        way = fault.target, fault.way
        self._cloud.network.suffer(way, fault.kind)
        self._later(fault.seconds, lambda: self._cloud.network.suffer(way, None))
        return True

    def _hit(self, fault: Fault, status: Status) -> bool:
        if fault.kind == LOSE_DISK:  # moved away before the end, so that the next start finds none
            data = self._cloud.broker_data
            with suppress(FileNotFoundError):  # it has not got so far since it lost its disk before
                data.rename(data.with_name(f"data-lost-{fault.at}"))
            return signal_group(status.pid, signal.SIGKILL)
        watched = self._watched(status) if fault.kind == TERM else None
        if not signal_group(status.pid, SIGNALS[fault.kind]):
            return False
        if watched is not None:
            watched.start()
        if fault.kind == STOP:
            self._frozen_until[status.name] = time.monotonic() + fault.seconds
            self._later(fault.seconds, lambda: signal_group(status.pid, signal.SIGCONT))
        return True

    def _watched(self, status: Status) -> threading.Thread | None:
        """Make what waits for the end of a service that is asked to end; a program that takes no messages is none."""
        if all(service != status.name for service, _ in self._cloud.network.links):
            return None
        with suppress(ProcessLookupError):
            thread = threading.Thread(target=self._see_it_end, args=(status.name, os.pidfd_open(status.pid)))
            self._drains.append(thread)
            return thread
        return None

    def _see_it_end(self, name: str, process: int) -> None:
        began, end = time.monotonic(), select.poll()
        end.register(process, select.POLLIN)
        ended = bool(end.poll(DRAIN_S * 1000))
        os.close(process)
        if self._frozen_until.get(name, 0.0) < began:  # else it was stopped, before or meanwhile
            self.drained.append((name, time.monotonic() - began if ended else None))

    def _later(self, seconds: float, mend: Callable[[], object]) -> None:
        timer = threading.Timer(seconds, mend)
        timer.daemon = True
        self._mends.append(timer)
        timer.start()

    # ---- afterwards

    def mend(self) -> list[str]:
        """Mend everything, and name the programs that supervisord has given up, which are started again."""
        for timer in self._mends:
            timer.cancel()
            timer.join()
        self._cloud.database.start()
        for way in self._cloud.network.links:
            self._cloud.network.suffer(way, None)
        for status in self._cloud.supervisor.all():
            signal_group(status.pid, signal.SIGCONT)
        for thread in self._drains:
            thread.join()
        # supervisord starts again by itself what has just ended (EXITED), and we may come a moment after it
        given_up = [status.name for status in self._cloud.supervisor.all() if status.state == "FATAL"]
        with Readiness(self._cloud.home.run, given_up) as ready:
            self._cloud.supervisor.await_ready(ready, self._cloud.supervisor.start(given_up))
        for lost in self._cloud.broker_data.parent.glob("data-lost-*"):
            shutil.rmtree(lost, ignore_errors=True)
        return given_up

    def endings(self) -> Counter[tuple[str, ...]]:
        """Count how processes ended, in supervisord's words: (program, how) → how often."""
        found = ENDED.findall(self._cloud.home.log("supervisord").read_text())
        return Counter((name or gone, how or "given up") for name, how, gone in found)


def targets(cloud: Cloud) -> list[str]:
    """Name what may be killed."""
    mine = [DATABASE] if cloud.database.port is not None else []
    return [*(name for name in cloud.programs if name != services.FLOW), *mine]
