"""What a notification holds, as a value and on the wire."""

from datetime import UTC, datetime

import pytest

from mininova.rpc import Codec, MalformedMessage, Notification
from mininova.rpc.notify import notification

TOLD = Notification(
    event_type="lamp.on",
    payload={"name": "desk"},
    publisher_id="lamp.a",
    priority="info",
    timestamp=datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC),
    message_id="6f1c6b0e-1f4b-4b0c-8a57-0b7f3d9d6c11",
    context={"request_id": "req-1"},
)


def written(**changes):
    """Give TOLD as it travels, with some fields as they should not be."""
    fields = notification.write(TOLD, {"request_id": "req-1"}, TOLD.payload) | changes
    return {name: value for name, value in fields.items() if value is not None}


def test_a_notification_is_read_as_it_was_written():
    """A notification survives the wire, the microseconds of its time included."""
    assert notification.read(written(), Codec()) == TOLD


def test_the_priority_is_in_capitals_on_the_wire():
    """oslo.messaging writes it so."""
    assert written()["priority"] == "INFO"


def test_a_moment_without_microseconds_is_read():
    """oslo.messaging leaves them out when there are none."""
    read = notification.read(written(timestamp="2026-01-02 03:04:05"), Codec())
    assert read.timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [("event_type", None), ("publisher_id", 7), ("message_id", None), ("priority", []), ("timestamp", "yesterday")],
)
def test_what_makes_no_sense_is_refused(name, value):
    """The error names the field that is wrong."""
    said = name if value != "yesterday" else "yesterday"
    with pytest.raises(MalformedMessage, match=said):
        notification.read(written(**{name: value}), Codec())


def test_the_codec_may_refuse_it():
    """A payload of an unknown version makes the whole notification unreadable."""

    def refuse(value):
        raise ValueError("no such object")

    with pytest.raises(MalformedMessage, match="no such object"):
        notification.read(written(), Codec(unwrap=refuse))
