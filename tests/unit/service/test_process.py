"""A process does what is to be done when a broker is back, also while its database is away."""

import threading

import pytest

from mininova import conf, errors
from mininova.service import concurrency
from mininova.service.process import Process

PATIENCE = 10.0  # seconds, for events that take a moment


def test_the_broker_is_back_before_the_database(monkeypatch: pytest.MonkeyPatch):
    """The work is tried until it is done (tools/chaos.py --database postgresql found that it was lost: seed 200)."""
    monkeypatch.setenv(concurrency.VARIABLE, concurrency.THREADS)
    process, done = Process(conf.for_tests("conductor", host="ctl"), "conductor"), threading.Event()
    answers = iter([errors.DatabaseAway("the database is away"), None])

    def work() -> None:
        if error := next(answers):
            raise error
        done.set()

    process.on_restored(work, "the work")
    process.peer.on_restored()
    assert done.wait(PATIENCE)
