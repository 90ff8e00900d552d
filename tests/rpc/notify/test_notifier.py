"""Emitting notifications, as an oslo.messaging listener would hear them."""

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
    """Listeners choose what they hear by the routing key, ``<topic>.<priority>``."""
    notifier = rpc.Notifier(bench.peer(), "compute.host-1", topic="versioned")
    notifier.info({}, "lamp.on", {})

    assert bench.next(bench.listen("versioned.info")).routing_key == "versioned.info"


class Away(MemoryBench):
    """A transport whose broker is away."""

    def transport(self):
        """Make a transport that sends nothing."""
        transport = super().transport()

        def refuse(*args, **how):
            raise rpc.MessagingTimeout("the broker is away")

        transport.publish_confirmed = transport.declare = refuse
        return transport


@pytest.mark.parametrize(("where", "payload"), [(Away, {}), (MemoryBench, {"lamp": object()}), (MemoryBench, {1j: 2})])
def test_a_notification_that_fails_does_not_break_its_caller(where, payload, caplog):
    """If the broker is away, or a payload cannot travel, the log has a line and the caller goes on."""
    rpc.Notifier(where().peer(), "compute.host-1").info({}, "lamp.on", payload)

    assert "notification lamp.on was not sent" in caplog.text


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [({"load": [1.0, math.nan]}, r"payload.load[1] is nan"), ({"lamps": {7: "desk"}}, "payload.lamps has the key 7")],
)
def test_a_payload_that_cannot_be_carried_is_logged(bench, payload, complaint, caplog):
    """A listener would read it as another value, so it is not sent; the log names the place in the payload."""
    rpc.Notifier(bench.peer(), "lamp.a").info({}, "lamp.on", payload)

    assert complaint in caplog.text
    assert "notifications.info" not in bench.broker.queues


def test_a_notification_is_an_event(bench):
    """The flow shows it, with its type for a method."""
    events = list[rpc.MessageEvent]()
    rpc.Notifier(bench.peer(watch=rpc.Flow(events.append)), "compute.host-1").info(
        {}, "lamp.on", {"lamp": Lamp("desk")}
    )

    (event,) = events
    assert (event.pattern, event.method, event.routing_key) == ("notification", "lamp.on", "notifications.info")
    assert event.payload == {"lamp": {"name": "desk", "watts": 40}}


@pytest.mark.parametrize("priority", PRIORITIES)
def test_each_priority_has_a_method(bench, priority):
    """Each method sends to all drivers with its own priority and the notifier's publisher id."""
    one, other = Kept(), Kept()
    getattr(rpc.Notifier(bench.peer(), "lamp.a", drivers=[one, other]), priority)({}, "lamp.on", {"name": "desk"})

    assert one.notifications == other.notifications
    (told,) = one.notifications
    assert (told.priority, told.publisher_id, told.event_type) == (priority, "lamp.a", "lamp.on")


def test_an_unwanted_notification_is_not_sent(bench):
    """The application decides for each notification whether it is sent."""
    kept = Kept()
    told = rpc.Notifier(bench.peer(), "lamp.a", drivers=[kept], wants=lambda it: it.event_type != "lamp.flickers")
    told.info({}, "lamp.flickers", {})
    told.info({}, "lamp.on", {})

    assert [each.event_type for each in kept.notifications] == ["lamp.on"]


def test_the_queue_is_made_again_where_it_has_gone(bench):
    """A broker that came back without its queue loses no notification."""
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
    """The names are oslo.messaging's; a name given twice is one driver."""
    made = notifier.drivers(["log", "noop", "test", "log"], bench.peer(), DRIVERS.__getitem__)
    assert [type(driver) for driver in made] == [Log, Noop, Kept]


def test_messages_go_to_every_topic_in_the_background(bench):
    """Each topic gets the message once, by either of the driver's two names."""
    drivers = notifier.drivers(["messagingv2", "messaging"], bench.peer(), DRIVERS.__getitem__, topics=["a", "b"])
    told = rpc.Notifier(bench.peer(), "lamp.a", drivers=drivers)
    told.info({}, "lamp.on", {})

    assert told.flush(20)
    assert [len(bench.broker.queues[name].messages) for name in ("a.info", "b.info")] == [1, 1]
    told.stop(20)


def test_a_rule_cannot_choose_the_routing_driver(bench):
    """A rule must not choose the routing driver itself."""
    with pytest.raises(ValueError, match="a rule cannot choose the driver routing"):
        notifier.drivers(["routing"], bench.peer(), DRIVERS.__getitem__, routing={"all": {"routing": {}}})


def test_a_prepared_notifier_is_another_publisher():
    """It uses the drivers of the first, which keeps its own name."""
    kept = Kept()
    first = rpc.Notifier(None, "compute.rack", drivers=[kept])
    first.prepare("compute.host-1").info({}, "lamp.on", {})
    first.info({}, "lamp.on", {})
    assert [each.publisher_id for each in kept.notifications] == ["compute.host-1", "compute.rack"]
