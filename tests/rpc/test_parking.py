"""The notes on a parked cast; how it is parked and sent again is in tests/wire/test_parking.py."""

from datetime import UTC, datetime

import pytest

from mininova.rpc import envelope, parking
from mininova.rpc.parking import Parked
from mininova.rpc.transports.base import Delivery, Message

CAST = Message(body=b"", exchange="e", routing_key="lamp.a", message_id="m")


def parked(**headers: str) -> Parked:
    """Find a cast that was parked with these headers."""
    message = Message(
        body=envelope.pack({"method": "switch", "_unique_id": "u"}), exchange="e", routing_key="lamp.dead",
        message_id="", headers={f"x-mininova-{name}": text for name, text in headers.items()},
    )  # fmt: skip
    return Parked("lamp", Delivery(message, False, lambda done: None))


def test_notes_say_where_it_was_sent_and_why_it_failed():
    """The notes have the routing key, and the class and the words of the error."""
    assert parking.notes(CAST, ValueError("no such lamp")) == {
        parking.KEY: "lamp.a",
        parking.ERROR: "ValueError: no such lamp",
    }


def test_an_error_fits_into_a_header():
    """A long error, or one of odd letters, is cut to what a header holds."""
    told = parking.notes(CAST, ValueError("\udcff" * 100_000))[parking.ERROR]
    assert told.startswith("ValueError: ???")
    assert len(told.encode()) < 10_000


def test_the_notes_are_read():
    """Its address, its error and the time when it was parked; without a message_id it gets an id of its own."""
    found = parked(key="lamp.a", error="ValueError: no", parked="1700000000.000")
    assert (found.key, found.error) == ("lamp.a", "ValueError: no")
    assert found.since == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found.id == "u"


@pytest.mark.parametrize("since", ["yesterday", "nan", "inf", "1e300"])
def test_a_time_that_cannot_be_read_is_left_out(since: str):
    """A time in the notes that is not one is left out: any process can write headers."""
    assert parked(parked=since).since is None


@pytest.mark.parametrize(("key", "trusted"), [("lamp", True), ("lamp.a", True), ("lampshade", False), ("door", False)])
def test_a_key_is_trusted_inside_its_topic(key: str, trusted: bool):
    """A message sent again stays in its own topic, even if its notes name another."""
    assert (parked(key=key).key == key) is trusted


def test_a_notification_is_read_as_well():
    """A listener parks messages, too; a parked notification is listed by its event type."""
    body = envelope.pack({"event_type": "lamp.on", "payload": {"name": "desk"}, "_context_request_id": "req-1"})
    message = Message(body=body, exchange="e", routing_key="notifications.info.dead", message_id="m")
    request = Parked("notifications.info", Delivery(message, False, lambda done: None)).request
    assert request is not None
    assert (request.method, request.version, request.args) == ("lamp.on", "", {"name": "desk"})
    assert request.context == {"request_id": "req-1"}


def test_a_message_without_notes_is_found():
    """A message without notes can be listed all the same."""
    found = parked()
    assert (found.key, found.error, found.since) == (None, "", None)
