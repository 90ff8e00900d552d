"""The flow line by line, as reports come in."""

from mininova.flow.live import Live, row


def printed(live: Live, events) -> list[tuple[str, str]]:
    """Feed events one by one, and give the kind and the method of each line."""
    return [(line.kind, line.method) for event in events for _, line in live.lines([event])]


def test_each_message_once(boot):
    """Whatever the number of events that tell of it, a message is printed once, and a reply when it comes."""
    lines = printed(Live(), boot)
    assert len(lines) == 19
    assert lines[:4] == [
        ("http", "POST /v2.1/servers"),
        ("cast", "build_instances"),
        ("call", "select_destinations"),
        ("reply", "select_destinations"),
    ]


def test_a_receipt_that_comes_first(boot):
    """Reports of two processes may overtake each other; nothing is printed twice for it."""
    assert sorted(printed(Live(), list(reversed(boot)))) == sorted(printed(Live(), boot))


def test_heartbeats(heartbeat):
    """Heartbeats are left out, unless everything is asked for."""
    assert printed(Live(), heartbeat) == []
    assert len(printed(Live(everything=True), heartbeat)) == 2


def test_a_row(boot):
    """A line begins with the time of day and the request it belongs to."""
    ((event, line),) = Live().lines(boot[:1])
    assert row(event, line)[0].endswith("req-11111111")
