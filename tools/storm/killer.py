"""The killer: it does to processes, disks and connections what the plan says, and mends all of it in the end."""

import os
import re
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from stack import services
from stack.readiness import Readiness
from stack.supervisor import Status

from storm.clients import Turns
from storm.cloud import Cloud
from storm.plan import AWAY, DATABASE, KILL, LOSE_DISK, STOP, TERM, Fault

SIGNALS = {KILL: signal.SIGKILL, TERM: signal.SIGTERM, STOP: signal.SIGSTOP}
ENDED = re.compile(r"(?:exited: ([\w-]+) \((.*)\)|gave up: ([\w-]+) )")


class Killer:
    """Break what the plan says.

    :param faults: in the order of their moments
    """

    def __init__(self, cloud: Cloud, faults: Sequence[Fault], turns: Turns) -> None:
        self._cloud, self._faults, self._turns = cloud, faults, turns
        self._mends: list[threading.Timer] = []
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
            status = self._cloud.supervisor.status(fault.target)
            return bool(status.pid) and self._hit(fault, status)
        self._cloud.network.suffer(fault.target, fault.kind)
        self._later(fault.seconds, lambda: self._cloud.network.suffer(fault.target, None))
        return True

    def _hit(self, fault: Fault, status: Status) -> bool:
        if fault.kind == LOSE_DISK:  # moved away before the end, so that the next start finds none
            data = self._cloud.broker_data
            with suppress(FileNotFoundError):  # it has not got so far since it lost its disk before
                data.rename(data.with_name(f"data-lost-{fault.at}"))
            return _signal(status.pid, signal.SIGKILL)
        if not _signal(status.pid, SIGNALS[fault.kind]):
            return False
        if fault.kind == STOP:
            self._later(fault.seconds, lambda: _signal(status.pid, signal.SIGCONT))
        return True

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
        for service in self._cloud.network.links:
            self._cloud.network.suffer(service, None)
        for status in self._cloud.supervisor.all():
            if status.pid:
                _signal(status.pid, signal.SIGCONT)
        given_up = [status.name for status in self._cloud.supervisor.all() if status.state in ("FATAL", "EXITED")]
        with Readiness(self._cloud.home.run, given_up) as ready:
            self._cloud.supervisor.await_ready(ready, self._cloud.supervisor.start(given_up))
        for lost in self._cloud.broker_data.parent.glob("data-lost-*"):
            shutil.rmtree(lost, ignore_errors=True)
        return given_up

    def endings(self) -> Counter[tuple[str, ...]]:
        """Count how processes ended, in supervisord's words: (program, how) → how often."""
        found = ENDED.findall(self._cloud.home.log("supervisord").read_text())
        return Counter((name or gone, how or "given up") for name, how, gone in found)


def _signal(pid: int, number: signal.Signals) -> bool:
    """Signal a program and what it has started: supervisord makes each the leader of a group."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True


def targets(cloud: Cloud) -> list[str]:
    """Name what may be killed."""
    mine = [DATABASE] if cloud.database.is_server else []
    return [*(name for name in cloud.programs if name != services.FLOW), *mine]
