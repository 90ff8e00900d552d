"""What is told of a denial, and to whom."""

import queue

from mininova import rpc
from mininova.rpc.trust import denials


def test_a_note_is_for_who_counts():
    """What the caller must not learn is in the notes of the error: they are in the reason, and not in its words."""
    told = queue.Queue()
    error = rpc.Forbidden("host-1 may not", object="desk")
    error.add_note("there is no desk")

    denials.denied(rpc.Request(method="get", args={}), error, told.put)

    denial = told.get_nowait()
    assert (denial.method, denial.object, denial.reason) == ("get", "desk", "host-1 may not; there is no desk")
    assert "no desk" not in str(rpc.Codec().failure_of(error))


def test_who_counts_may_fail(caplog):
    """The refusal stands, whatever becomes of the count."""

    def full(denial):
        raise OSError("the disk is full")

    denials.denied(rpc.Request(method="get", args={}), rpc.Forbidden("no"), full)

    assert "a denial could not be counted" in caplog.text
