"""What mininova-flow prints on a terminal, and what into a pipe."""

import io

import msgspec
import pytest
from rich.console import Console

from mininova.flow import screen, summary
from mininova.flow.message import messages

REQUEST = "req-11111111-2222-3333-4444-555555555555"


def shown(events, *, terminal: bool = False, **options) -> str:
    """Print a request on a narrow console, and give the text."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, color_system="standard" if terminal else None, width=40)
    screen.show(console, summary.of(events[0].request_id, events), messages(events), **options)
    return out.getvalue()


def test_a_request(boot):
    """A request is a heading, the columns' names, and a line for each message, however narrow the terminal."""
    heading, blank, names, *lines = shown(boot).splitlines()
    assert heading.startswith(f"{REQUEST}  POST /v2.1/servers  202  web-1  19 messages in 8.4 ms")
    assert blank == ""
    assert names.split()[:4] == ["ms", "from", "to", "kind"]
    assert len(lines) == 19


def test_a_pipe_gets_no_colour(boot):
    """Without a terminal there are no escape sequences, nor blanks at the ends of lines."""
    text = shown(boot)
    assert "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_message_cannot_write_on_the_terminal(failed_build):
    """Control characters of a sender are escaped, in each cell and in the arguments."""
    bad = [msgspec.structs.replace(event, method="f\x1b[2J", payload={"a": "\x9b2J"}) for event in failed_build]
    text = shown(bad, payload=True)
    assert r"f\x1b[2J" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_an_error_is_red(failed_build):
    """On a terminal an error is red."""
    assert "\x1b[31mFailed to spawn" in shown(failed_build, terminal=True)


def test_payload(boot):
    """With --payload the arguments stand under each message, as plain data."""
    text = shown(boot, payload=True)
    assert '"display_name": "web-1"' in text
    assert "versioned_object" not in text


def test_as_data(boot):
    """For -f json a request is plain data, with the times from its beginning."""
    data = screen.as_data(summary.of(REQUEST, boot), messages(boot))
    assert data["request_id"] == REQUEST
    assert [(line["ms"], line["kind"]) for line in data["messages"]][:2] == [(0.0, "http"), (0.2, "cast")]


def test_a_list(boot, failed_build):
    """Requests are listed one a line, with their servers and how long they took."""
    out = io.StringIO()
    screen.listed(Console(file=out, width=40), [summary.of(REQUEST, boot)])
    _, line = out.getvalue().splitlines()
    assert line.split()[2:] == [REQUEST, "POST", "/v2.1/servers", "202", "web-1", "19", "8.4", "ms"]


@pytest.mark.parametrize(
    ("count", "said"), [(1, "vm-0"), (4, "vm-0, vm-1, vm-2, vm-3"), (9, "vm-0, vm-1, vm-2 and 6 more")]
)
def test_many_servers(requests, count: int, said: str):
    """A request with many servers names the first, and counts the others."""
    events = [event for told in requests(count) for event in told]
    out = io.StringIO()
    screen.listed(Console(file=out), [summary.of(REQUEST, events)])
    assert said in out.getvalue()
