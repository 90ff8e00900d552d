"""Rules by which requests fail: what tests/cloud/test_control.py cannot see from outside."""

import threading
from typing import Any

import pytest
from werkzeug.test import Client

from mininova import errors
from mininova.wsgi import Application, Route, rules
from mininova.wsgi.request import HANG_UP
from mininova.wsgi.rules import Rule, Rules, RulesFilter


class Waits(threading.Event):
    """Remembers for how long it was waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = list[float | None]()

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return self.is_set()


def served(known: Rules) -> Client:
    """Serve one URL behind the filter."""
    app = Application([Route("GET", "/things", lambda request: {"things": []})], "compute")
    return Client(RulesFilter(app, known, "compute"))


def test_a_delayed_request_goes_on():
    """After its seconds, or when the rule is deleted."""
    known, waits = Rules(), Waits()
    slow = known.add(Rule(delay=2.5, times=1))
    slow.over = waits
    client = served(known)
    assert [client.get("/things").status_code for _ in range(2)] == [200, 200]
    assert waits.seconds == [2.5]
    assert not waits.is_set()
    known.remove(slow.id)
    assert waits.is_set()


def test_a_server_that_can_hang_up_does():
    """And the answer is not written."""
    known, calls = Rules(), list[str]()
    known.add(Rule(lost="closed"))
    hung: Any = {HANG_UP: lambda: calls.append("hung up")}
    with pytest.raises(ConnectionAbortedError):
        _ = served(known).get("/things", environ_overrides=hung).data
    assert calls == ["hung up"]


def test_there_is_an_end_to_rules(monkeypatch: pytest.MonkeyPatch):
    """A caller that forgets to delete is told."""
    monkeypatch.setattr(rules, "MOST_RULES", 2)
    known = Rules()
    for _ in range(2):
        known.add(Rule(status=500))
    with pytest.raises(errors.Conflict, match="There are 2 rules"):
        known.add(Rule(status=500))
    known.clear()
    assert not known
