"""The flow line by line, as reports come in."""

import pytest
from msgspec.structs import replace

from mininova.flow import live
from mininova.flow.live import Live, row


def printed(live: Live, events) -> list[tuple[str, str]]:
    """Feed events one by one, and give the kind and the method of each line."""
    return [(line.kind, line.method) for event in events for _, line in live.lines([event])]


def test_each_message_once(boot):
    """A message is printed once, however many events report it, and its reply when it comes."""
    lines = printed(Live(), boot)
    assert len(lines) == 19
    assert lines[:4] == [
        ("http", "POST /v2.1/servers"),
        ("cast", "build_instances"),
        ("call", "select_destinations"),
        ("reply", "select_destinations"),
    ]


def test_a_receipt_that_comes_first(boot):
    """The receiver's report may come before the sender's; the message is still printed once."""
    assert sorted(printed(Live(), list(reversed(boot)))) == sorted(printed(Live(), boot))


def test_heartbeats(heartbeat):
    """They are printed only when everything is asked for."""
    assert printed(Live(), heartbeat) == []
    assert len(printed(Live(everything=True), heartbeat)) == 2


def test_a_row(boot):
    """A line begins with the time of day and its request."""
    ((event, line),) = Live().lines(boot[:1])
    assert row(event, line)[0].endswith("req-11111111")


def test_one_message_has_few_events(boot):
    """A sender that repeats an event a thousand times fills neither the screen nor the memory."""
    again = [replace(boot[1], kind="received") for _ in range(1_000)]
    lines = printed(Live(), [boot[1], *again])
    assert [kind for kind, _ in lines] == ["cast", *["redelivered"] * (live.MAX_EVENTS - 2)]


@pytest.mark.parametrize(("name", "bound"), [("MAX_REMEMBERED", 10), ("MAX_REMEMBERED_BYTES", 10_000)])
def test_old_messages_are_forgotten(boot, monkeypatch: pytest.MonkeyPatch, name: str, bound: int):
    """Of many or large messages the oldest are forgotten: a late event of one is taken for its first."""
    monkeypatch.setattr(live, name, bound)
    seen, first = Live(), boot[1]
    printed(seen, [first, *(replace(first, message_id=str(number)) for number in range(20))])
    assert printed(seen, [replace(first, kind="replied")]) == [("cast", "build_instances")]
