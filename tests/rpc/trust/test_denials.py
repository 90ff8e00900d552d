"""What the caller of a refused method learns, and what the operator's record of it says."""

import queue

from mininova import rpc
from mininova.rpc.trust import denials


def test_a_note_is_for_the_record_and_not_for_the_caller():
    """The record has the notes of the error, which the caller must not learn: they are not in its words."""
    told = queue.Queue()
    error = rpc.Forbidden("host-1 may not", object="desk")
    error.add_note("there is no desk")

    denials.denied(rpc.Request(method="get", args={}), error, told.put)

    denial = told.get_nowait()
    assert (denial.method, denial.object, denial.reason) == ("get", "desk", "host-1 may not; there is no desk")
    assert "no desk" not in str(rpc.Codec().failure_of(error))


def test_a_refusal_stands_without_its_record(caplog):
    """The call stays refused if its record cannot be written."""

    def full(denial):
        raise OSError("the disk is full")

    denials.denied(rpc.Request(method="get", args={}), rpc.Forbidden("no"), full)

    assert "a denial could not be counted" in caplog.text
