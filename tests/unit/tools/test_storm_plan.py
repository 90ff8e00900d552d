"""What a storm draws from its seed, and what it sees of services that are asked to end."""

import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from storm import killer, plan
from storm.clients import Turns
from storm.killer import Killer

SERVICE, WATCH = "mininova-conductor", "mininova-manage-watch"
PROGRAMS = [SERVICE, WATCH, plan.BROKER, plan.DATABASE]
WAYS = [(SERVICE, plan.BROKER), (SERVICE, plan.DATABASE)]

SAY_READY = "import signal, sys, time; {}; print('ready', flush=True); time.sleep(60)"
IGNORE = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def drawn(seed: int) -> list[plan.Fault]:
    """Draw many faults."""
    return plan.faults(seed, 5000, 2000, PROGRAMS, WAYS)


def test_a_seed_draws_the_same_faults_again():
    """And another seed others."""
    assert drawn(1) == drawn(1) != drawn(2)


def test_both_ways_of_a_service_have_each_trouble():
    """To the broker and to the database; a program without a way has none."""
    troubled = {(fault.target, fault.way, fault.kind) for fault in drawn(1) if fault.kind in plan.TROUBLES}
    assert troubled == {(*way, trouble) for way in WAYS for trouble in plan.TROUBLES}


@pytest.mark.parametrize(("prepared", "ends"), [("pass", True), (IGNORE, False)], ids=["it ends", "it does not"])
def test_a_service_that_is_asked_to_end_is_watched(monkeypatch: pytest.MonkeyPatch, prepared: str, ends: bool):
    """The report has how long that took, or that it took too long."""
    monkeypatch.setattr(killer, "DRAIN_S", 60.0 if ends else 0.1)
    its = Killer(SimpleNamespace(network=SimpleNamespace(links=WAYS)), [], Turns(1))
    command = [sys.executable, "-c", SAY_READY.format(prepared)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        assert its._hit(plan.Fault(1, SERVICE, plan.TERM), SimpleNamespace(name=SERVICE, pid=process.pid))
        for thread in its._drains:
            thread.join()
        process.send_signal(signal.SIGKILL)
    ((name, took),) = its.drained
    assert (name, took is not None) == (SERVICE, ends)
