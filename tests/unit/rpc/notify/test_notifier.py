"""Notifications, as an oslo.messaging listener would hear them."""

import json
import re

import pytest
from rpc_bench import Lamp, MemoryBench

from mininova import rpc


@pytest.fixture
def bench():
    """Give a broker in memory."""
    return MemoryBench()


def test_a_notification_has_oslo_messagings_format(bench):
    """Envelope and fields as oslo.messaging's notifier writes them (oslo.messaging: notify/notifier.py, _notify)."""
    heard = bench.listen("notifications.error")
    rpc.Notifier(bench.peer(), "compute.host-1").error({"user_id": "me"}, "lamp.broken", {"name": "desk"})
    message = bench.next(heard)

    outer = json.loads(message.body)
    assert outer.keys() == {"oslo.version", "oslo.message"}
    assert outer["oslo.version"] == "2.0"
    payload = json.loads(outer["oslo.message"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", payload.pop("message_id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", payload.pop("timestamp"))
    assert re.fullmatch(r"[0-9a-f]{32}", payload.pop("_unique_id"))
    assert payload == {
        "publisher_id": "compute.host-1",
        "event_type": "lamp.broken",
        "priority": "ERROR",
        "payload": {"name": "desk"},
        "_context_user_id": "me",
    }


def test_the_priority_is_part_of_the_key(bench):
    """Listeners choose what they hear by ``<topic>.<priority>``."""
    notifier = rpc.Notifier(bench.peer(), "compute.host-1", topic="versioned")
    notifier.info({}, "lamp.on", {})

    assert bench.next(bench.listen("versioned.info")).routing_key == "versioned.info"


class Away(MemoryBench):
    """A broker that is not there."""

    def transport(self):
        """Make a connection that takes nothing."""
        transport = super().transport()

        def refuse(*args, **how):
            raise rpc.MessagingTimeout("the broker is away")

        transport.publish = transport.declare = refuse
        return transport


@pytest.mark.parametrize(("where", "payload"), [(Away, {}), (MemoryBench, {"lamp": object()}), (MemoryBench, {1j: 2})])
def test_a_notification_never_breaks_what_it_tells_of(where, payload, caplog):
    """A broker that is away, or a payload that cannot travel, is a line in the log."""
    rpc.Notifier(where().peer(), "compute.host-1").info({}, "lamp.on", payload)

    assert "notification lamp.on was not sent" in caplog.text


def test_a_notification_is_an_event(bench):
    """The flow has it, with its type for a method."""
    events = list[rpc.MessageEvent]()
    rpc.Notifier(bench.peer(report=events.append), "compute.host-1").info({}, "lamp.on", {"lamp": Lamp("desk")})

    (event,) = events
    assert (event.pattern, event.method, event.routing_key) == ("notification", "lamp.on", "notifications.info")
    assert event.payload == {"lamp": {"name": "desk", "watts": 40}}
