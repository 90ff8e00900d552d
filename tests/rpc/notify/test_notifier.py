"""Notifications, as an oslo.messaging listener would hear them."""

import json
import math
import re

import pytest

from mininova import rpc
from mininova.rpc.notify import notifier
from mininova.rpc.notify.drivers import Kept, Log, Noop, Routing
from mininova.rpc.notify.messaging import Messaging
from mininova.rpc.notify.notification import PRIORITIES
from tests.fixtures.rpc_bench import Lamp, MemoryBench


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

        transport.publish_confirmed = transport.declare = refuse
        return transport


@pytest.mark.parametrize(("where", "payload"), [(Away, {}), (MemoryBench, {"lamp": object()}), (MemoryBench, {1j: 2})])
def test_a_notification_never_breaks_what_it_tells_of(where, payload, caplog):
    """A broker that is away, or a payload that cannot travel, is a line in the log."""
    rpc.Notifier(where().peer(), "compute.host-1").info({}, "lamp.on", payload)

    assert "notification lamp.on was not sent" in caplog.text


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [({"load": [1.0, math.nan]}, r"payload.load[1] is nan"), ({"lamps": {7: "desk"}}, "payload.lamps has the key 7")],
)
def test_a_payload_that_cannot_be_carried_is_logged(bench, payload, complaint, caplog):
    """What a listener would read as something else is not sent: the line in the log names the place."""
    rpc.Notifier(bench.peer(), "lamp.a").info({}, "lamp.on", payload)

    assert complaint in caplog.text
    assert "notifications.info" not in bench.broker.queues


def test_a_notification_is_an_event(bench):
    """The flow has it, with its type for a method."""
    events = list[rpc.MessageEvent]()
    rpc.Notifier(bench.peer(watch=rpc.Flow(events.append)), "compute.host-1").info(
        {}, "lamp.on", {"lamp": Lamp("desk")}
    )

    (event,) = events
    assert (event.pattern, event.method, event.routing_key) == ("notification", "lamp.on", "notifications.info")
    assert event.payload == {"lamp": {"name": "desk", "watts": 40}}


@pytest.mark.parametrize("priority", PRIORITIES)
def test_each_priority_has_a_method(bench, priority):
    """It is told to all drivers, with who told it."""
    one, other = Kept(), Kept()
    getattr(rpc.Notifier(bench.peer(), "lamp.a", drivers=[one, other]), priority)({}, "lamp.on", {"name": "desk"})

    assert one.notifications == other.notifications
    (told,) = one.notifications
    assert (told.priority, told.publisher_id, told.event_type) == (priority, "lamp.a", "lamp.on")


def test_what_is_not_wanted_goes_nowhere(bench):
    """The application may say so of each."""
    kept = Kept()
    told = rpc.Notifier(bench.peer(), "lamp.a", drivers=[kept], wants=lambda it: it.event_type != "lamp.flickers")
    told.info({}, "lamp.flickers", {})
    told.info({}, "lamp.on", {})

    assert [each.event_type for each in kept.notifications] == ["lamp.on"]


def test_the_queue_is_made_again_where_it_has_gone(bench):
    """A broker that came back without it loses no notification."""
    told = rpc.Notifier(bench.peer(), "lamp.a")
    told.info({}, "lamp.on", {})
    bench.broker.queues.clear()
    bench.broker._bindings.clear()

    told.info({}, "lamp.off", {})

    assert b"lamp.off" in bench.next(bench.listen("notifications.info")).body


DRIVERS = {
    "log": Log, "messaging": Messaging, "messagingv2": Messaging, "noop": Noop, "routing": Routing, "test": Kept
}  # fmt: skip


def test_drivers_have_names(bench):
    """Those of oslo.messaging; a name twice is one driver."""
    made = notifier.drivers(["log", "noop", "test", "log"], bench.peer(), DRIVERS.__getitem__)
    assert [type(driver) for driver in made] == [Log, Noop, Kept]


def test_messages_go_to_every_topic_in_the_background(bench):
    """To each of them once, whichever of the two names the driver was given by."""
    drivers = notifier.drivers(["messagingv2", "messaging"], bench.peer(), DRIVERS.__getitem__, topics=["a", "b"])
    told = rpc.Notifier(bench.peer(), "lamp.a", drivers=drivers)
    told.info({}, "lamp.on", {})

    assert told.flush(20)
    assert [len(bench.broker.queues[name].messages) for name in ("a.info", "b.info")] == [1, 1]
    told.stop(20)


def test_routing_is_not_routed_to(bench):
    """A rule that chooses the driver routing again is refused."""
    with pytest.raises(ValueError, match="a rule cannot choose the driver routing"):
        notifier.drivers(["routing"], bench.peer(), DRIVERS.__getitem__, routing={"all": {"routing": {}}})


def test_a_prepared_notifier_is_another_publisher():
    """It has the drivers of the first, whose own name stays."""
    kept = Kept()
    first = rpc.Notifier(None, "compute.rack", drivers=[kept])
    first.prepare("compute.host-1").info({}, "lamp.on", {})
    first.info({}, "lamp.on", {})
    assert [each.publisher_id for each in kept.notifications] == ["compute.host-1", "compute.rack"]
