"""Which lines of a flood the log writes."""

import logging

import pytest

from mininova.rpc.watch import sparing


class Log(logging.Handler):
    """Keeps the lines that the filter lets through, by a clock that the test moves.

    :ivar now: seconds
    """

    def __init__(self):
        super().__init__()
        self.now, self.lines = 0.0, []
        self.addFilter(sparing.Sparing(10.0, most=3, clock=lambda: self.now))

    def emit(self, record):
        self.lines.append(record.getMessage())

    def say(self, words, sender, *kind):
        """Have a line logged."""
        record = logging.makeLogRecord({"msg": "%s%%", "args": (words,), **sparing.about(sender, *kind)})
        self.handle(record)

    def taken(self):
        """Give the lines since the last time."""
        lines, self.lines = self.lines, []
        return lines


@pytest.fixture
def log():
    return Log()


def test_one_line_in_a_while(log):
    """The first line is written at once, and the next after ten seconds, with the count of those left out."""
    for n in range(5):
        log.say(f"no {n}", "host-1", "denied", "get")
    assert log.taken() == ["no 0%"]
    log.now = 9.9
    log.say("no 5", "host-1", "denied", "get")
    assert log.taken() == []
    log.now = 10.0
    log.say("no 6", "host-1", "denied", "get")
    log.say("no 7", "host-1", "denied", "get")
    assert log.taken() == ["no 6% (and 5 more like it since the last such line)"]
    log.now = 1000.0
    log.say("no 8", "host-1", "denied", "get")
    assert log.taken() == ["no 8% (and 1 more like it since the last such line)"]


def test_each_sender_and_kind_has_a_line(log):
    """A flood by one sender hides no line about another."""
    for sender in ("host-1", "host-2", None):
        for kind in (("denied", "get"), ("denied", "put"), ("refused",)):
            for _ in range(2):
                log.say(f"{sender} {kind}", sender, *kind)
    lines = log.taken()
    assert len(lines) == len(set(lines)) == 9


def test_a_line_that_no_sender_can_cause_is_always_written(log):
    """A line is limited only if a sender can cause it."""
    for _ in range(3):
        log.handle(logging.makeLogRecord({"msg": "the broker is away"}))
    assert log.taken() == ["the broker is away"] * 3


def test_invented_kinds_get_no_more_lines(log):
    """If a sender invents many names, they share one kind, and so one line."""
    for n in range(100):
        log.say(f"no {n}", "host-1", "denied", f"method-{n}")
    assert log.taken() == ["no 0%", "no 1%", "no 2%", "no 3%"]
    log.now = 10.0
    log.say("again", "host-1", "denied", "method-50")
    assert log.taken() == ["again%"]


def test_lines_left_out_are_counted(log):
    """When there are many kinds, the lines left out are counted together."""
    for _ in range(3):
        log.say("no", "host-1", "denied", "old")
    log.now = 10.0
    for n in range(4):
        log.say(f"no {n}", "host-1", "denied", f"method-{n}")
    assert log.taken() == ["no%", "no 0%", "no 1%", "no 2%", "no 3% (and 2 more like it since the last such line)"]
