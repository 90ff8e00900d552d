"""The flow line by line, as reports come in."""

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
