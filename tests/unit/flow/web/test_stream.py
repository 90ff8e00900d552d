"""The stream of events: what a listener gets, how much waits for it, and how many listeners there can be."""

import json
import threading

import pytest

from mininova.flow.reports import SERVICES
from mininova.flow.world import World
from mininova.web import stream
from mininova.web.feed import Feed
from mininova.web.stream import Listeners


@pytest.fixture
def listeners():
    """Give listeners of which there are none yet."""
    return Listeners()


@pytest.fixture
def feed(listeners):
    """Give a feed to these listeners."""
    return Feed(World(), listeners)


def heard(listener):
    """Give all events that wait for a listener: name and data; then it is closed."""
    pieces = iter(listener)
    next(pieces)  # the greeting
    text = next(pieces).decode()
    listener.close()
    assert list(pieces) == []
    events = [event.split("\n") for event in text.split("\n\n") if event]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]


def test_each_message_is_told_as_it_happens(feed, listeners, boot):
    """A listener hears of the sending, the receipt and the answer of each message."""
    listener = listeners.join(everything=False)
    feed.take({SERVICES: boot[:7]})
    told = [data for _, data in heard(listener)]
    assert [(one["what"], one["from"], one["to"], one["method"]) for one in told] == [
        ("http", "client", "api.ctl-1", "POST /v2.1/servers"),
        ("sent", "api.ctl-1", "conductor", "build_instances"),
        ("received", "api.ctl-1", "conductor.ctl-1", "build_instances"),
        ("replied", "api.ctl-1", "conductor.ctl-1", "build_instances"),
        ("sent", "conductor.ctl-1", "scheduler", "select_destinations"),
        ("received", "conductor.ctl-1", "scheduler.ctl-1", "select_destinations"),
        ("replied", "scheduler.ctl-1", "conductor.ctl-1", "select_destinations"),
    ]
    assert {one["request_id"] for one in told} == {boot[0].request_id}
    assert {one["payload"] for one in told} == {None}


def test_changes_of_the_world_are_told(feed, listeners, boot):
    """A listener hears which rows changed."""
    feed.take({SERVICES: boot})
    listener = listeners.join(everything=False)
    feed.tell_changes()
    ((name, data),) = heard(listener)
    assert name == "world"
    assert [row["name"] for row in data["instances"]] == ["web-1"]


def test_heartbeats_are_for_those_who_want_everything(feed, listeners, heartbeat):
    """Heartbeats would drown all else."""
    quiet, busy = listeners.join(everything=False), listeners.join(everything=True)
    feed.take({SERVICES: heartbeat})
    feed.tell_changes()
    assert [name for name, _ in heard(quiet)] == ["world"]
    assert [name for name, _ in heard(busy)] == ["message"] * 3 + ["world"]


def test_a_slow_listener_loses_the_oldest_and_is_told(listeners):
    """What waits for one listener has a bound; another one loses nothing for it."""
    slow = listeners.join(everything=False)
    text = "x" * (stream.MAX_WAITING_BYTES // 4)
    for number in range(6):
        listeners.tell("message", {"number": number, "text": text})
    told = heard(slow)
    assert told[0] == ("missed", {"count": 3})
    assert [data["number"] for _, data in told[1:]] == [3, 4, 5]


def test_one_too_many_is_refused(listeners):
    """Beyond the bound a listener is refused, until another one leaves."""
    joined = [listeners.join(everything=False) for _ in range(stream.MOST_LISTENERS)]
    assert listeners.join(everything=False) is None
    joined[0].close()
    assert listeners.join(everything=False) is not None


def test_text_ends_no_event_early(listeners):
    """A name with line breaks in it, as a compute may choose, stays one line of data."""
    listener = listeners.join(everything=False)
    listeners.tell("message", {"from": "x\n\nevent: world\ndata: {}\r"})
    assert heard(listener) == [("message", {"from": "x\n\nevent: world\ndata: {}\r"})]


def test_the_end_of_the_process_ends_all_streams(listeners):
    """A listener that waits is woken when the process stops."""
    listener, ended = listeners.join(everything=False), threading.Event()
    threading.Thread(target=lambda: [*listener, ended.set()], daemon=True).start()
    listeners.close()
    assert ended.wait(30)
