"""What a process says when it starts, and does when a broker is back, also while its database is away."""

import threading

import pytest

from mininova import conf, errors
from mininova.service import concurrency
from mininova.service.process import Process
from mininova.trust.processes import UNENFORCED

PATIENCE = 30.0  # seconds, for events that take a moment


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


@pytest.mark.parametrize("service", ["api", "scheduler", "conductor", "compute", "flow"])
@pytest.mark.parametrize("enforce", [True, False])
def test_that_all_senders_are_believed_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, service: str, enforce: bool
):
    """In plain words, by each process that starts, before it has a broker."""
    monkeypatch.setenv(concurrency.VARIABLE, concurrency.THREADS)
    process = Process(conf.for_tests(service, **{"identities.enforce": enforce}), service)

    def away() -> None:
        raise errors.ConfigError(problem="no broker is needed here")

    with pytest.raises(errors.ConfigError):
        process.connect(away)
    assert [line for line in caplog.messages if "[identities]" in line] == ([] if enforce else [UNENFORCED])
