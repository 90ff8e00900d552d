"""What is counted and timed, and that a sender cannot make series by inventing names."""

import pytest
from prometheus_client import CollectorRegistry
from werkzeug.test import Client

from mininova import rpc
from mininova.rpc.transports.base import Message
from mininova.rpc.watch import metrics
from mininova.rpc.watch.metrics import Metrics
from tests.fixtures.rpc_bench import CTXT, Gate, Keeper, Lamp, LampAPI, LampBroken, MemoryBench, broken


class Lamps:
    """A client and a server of lamps in one process, and what that counts."""

    def __init__(self, **does):
        self.bench, self.metrics = MemoryBench(), Metrics(CollectorRegistry())
        self.keeper = Keeper(**does)
        self.peer = self.bench.peer("lamp.a", watch=self.metrics)
        self.bench.serve(self.keeper, peer=self.peer)
        self.client = self.bench.client(self.peer)

    def value(self, name, method="get", interface=None, **labels):
        """Give one sample."""
        labels = {"interface": interface or self.bench.topic, "method": method, **labels}
        return self.metrics.registry.get_sample_value(f"mininova_rpc_{name}", labels)

    def methods(self):
        """Give all values of the two labels that a sender chooses."""
        samples = (sample for family in self.metrics.registry.collect() for sample in family.samples)
        return {(sample.labels["interface"], sample.labels["method"]) for sample in samples}


def test_a_call_is_counted_and_timed_on_both_sides():
    """The caller counts what it sent and how long it waited, the server what it received and how long it worked."""
    lamps = Lamps()

    lamps.client.get(CTXT, "desk")
    lamps.client.get(CTXT, "hall")

    assert lamps.value("sent_total", pattern="call") == 2
    assert lamps.value("received_total") == 2
    assert lamps.value("call_duration_seconds_count", outcome="ok") == 2
    assert lamps.value("handler_duration_seconds_count", outcome="ok") == 2
    assert lamps.value("call_duration_seconds_bucket", outcome="ok", le="60.0") == 2


@pytest.mark.parametrize(("pattern", "method"), [("cast", "switch"), ("fanout", "dim")])
def test_a_cast_is_counted_and_its_handler_timed(pattern, method):
    """No caller waits, so no wait is timed."""
    lamps = Lamps()

    lamps.client.switch(CTXT, Lamp("desk")) if pattern == "cast" else lamps.client.dim(CTXT)
    lamps.bench.deliver()

    assert lamps.value("sent_total", method, pattern=pattern) == 1
    assert lamps.value("received_total", method) == 1
    assert lamps.value("handler_duration_seconds_count", method, outcome="ok") == 1
    assert lamps.value("call_duration_seconds_count", method, outcome="ok") is None


def test_a_notification_is_counted():
    """Its method is the type of the event."""
    lamps = Lamps()

    rpc.Notifier(lamps.peer, "lamp.a").info(CTXT, "lamp.broken", {})

    assert lamps.value("sent_total", "lamp.broken", "notifications", pattern="notification") == 1


def test_an_error_is_an_outcome():
    """The handler failed, and so did the call."""
    lamps = Lamps(get=broken)

    with pytest.raises(LampBroken):
        lamps.client.get(CTXT, "desk")

    assert lamps.value("call_duration_seconds_count", outcome="error") == 1
    assert lamps.value("handler_duration_seconds_count", outcome="error") == 1
    assert lamps.value("handler_duration_seconds_count", outcome="ok") is None


def test_a_result_that_cannot_travel_is_an_error_of_the_handler():
    """The handler worked, but its result cannot be sent."""
    lamps = Lamps(get=lambda name: object())

    with pytest.raises(rpc.RemoteError):
        lamps.client.get(CTXT, "desk")

    assert lamps.value("handler_duration_seconds_count", outcome="error") == 1


def test_a_timeout_is_not_counted_as_an_error():
    """An operator sees whether a server answered at all."""
    lamps = Lamps()
    client = MemoryBench().client(lamps.bench.peer("other", watch=lamps.metrics)).within(0.01)
    lamps.bench.broker.bind(client.topic, lamps.bench.exchange, client.topic)

    with pytest.raises(rpc.MessagingTimeout):
        client.toggle(CTXT, "desk")

    assert lamps.value("call_duration_seconds_count", "toggle", client.topic, outcome="timeout") == 1


def test_messages_in_flight_are_counted():
    """A call counts until its reply is there, a handler until it has ended, well or badly."""
    seen = []
    lamps = Lamps(get=lambda name: seen.append((lamps.value("calls_in_flight"), lamps.value("handlers_in_flight"))))
    lamps.keeper.does["toggle"] = broken

    with pytest.raises(rpc.RemoteError):
        lamps.client.get(CTXT, "desk")
    with pytest.raises(LampBroken):
        lamps.client.toggle(CTXT, "desk")

    assert seen == [(1, 1)]
    for method in "get", "toggle":
        assert (lamps.value("calls_in_flight", method), lamps.value("handlers_in_flight", method)) == (0, 0)


def test_handlers_in_threads_are_counted_too():
    """Each handler has a thread of its own, and there is one gauge."""
    lamps, gate = Lamps(), Gate()
    bench = lamps.bench
    api = type("SlowAPI", (LampAPI,), {"topic": "slow"})
    bench.serve(Keeper(switch=gate), peer=lamps.peer, api=api, spawn=rpc.server.in_a_thread)
    api(lamps.peer).switch(CTXT, Lamp("desk"))
    bench.deliver()
    assert gate.entered.wait(20)

    assert lamps.value("handlers_in_flight", "switch", "slow") == 1
    gate.may_leave.set()


def test_a_failed_cast_is_retried_and_then_parked():
    """Each try counts as a handler's; after the last one the cast is parked."""
    lamps = Lamps(switch=broken)

    lamps.client.switch(CTXT, Lamp("desk"))
    lamps.bench.deliver()

    assert lamps.value("handler_duration_seconds_count", "switch", outcome="error") == rpc.server.MOST_DELIVERIES
    assert lamps.value("retried_total", "switch") == rpc.server.MOST_DELIVERIES - 1
    assert lamps.value("parked_total", "switch") == 1


def test_a_refusal_is_counted_by_its_reason():
    """An operator sees at a glance that another process speaks another version."""
    lamps = Lamps()
    newer = type("LampAPI", (LampAPI,), {"topic": lamps.bench.topic, "version": "2.0"})
    newer.methods = {}
    body = lamps.bench.payload("get", {"name": "desk"}, version="9.0")

    lamps.bench.request(lamps.peer, body)
    lamps.bench.deliver()

    assert lamps.value("rejected_total", error="UnsupportedVersion") == 1


STRANGE = [
    {"method": "drop_tables", "args": {}},
    {"method": "_private", "args": {}},
    {"method": "get", "args": {}, "namespace": "of-a-stranger"},
    {"method": "x" * 5000, "args": {}, "namespace": "y" * 5000},
]


def test_invented_names_make_no_series():
    """Invented names of methods and topics all count as ``unknown``."""
    lamps = Lamps()
    for strange in STRANGE:
        lamps.bench.request(lamps.peer, lamps.bench.payload(**strange))
    for key in f"{lamps.bench.topic}.a", lamps.bench.topic:
        lamps.bench.request(lamps.peer, b"these are no words", routing_key=key)
    lamps.bench.deliver()

    assert lamps.methods() <= {("unknown", "unknown"), (lamps.bench.topic, "unknown")}
    assert lamps.value("rejected_total", "unknown", error="NoSuchMethod") == 2
    assert lamps.value("rejected_total", "unknown", "unknown", error="MalformedMessage") == 2


def test_the_topic_of_a_host_and_of_a_fanout_is_its_interfaces():
    """``lamp.a`` and ``lamp_fanout`` are both for ``lamp``, also where a topic is named with a dot."""
    made = Metrics(CollectorRegistry())
    made.serving("lamp", [LampAPI])
    made.serving("lamp.roof", [LampAPI])
    places = [("e", "lamp"), ("e", "lamp.a"), ("e", "lamp.roof"), ("e", "lamp.roof.a"), ("lamp_fanout", ""), ("e", "x")]

    for exchange, key in places:
        message = Message(body=b"", exchange=exchange, routing_key=key, message_id="")
        made.happened("received", message, rpc.Request(method="get", args={}))

    counts = {
        sample.labels["interface"]: sample.value
        for family in made.registry.collect()
        for sample in family.samples
        if sample.name == "mininova_rpc_received_total"
    }
    assert counts == {"lamp": 3, "lamp.roof": 2, "unknown": 1}


def test_a_second_sending_is_counted_by_its_method():
    """The broker went away before it confirmed; the second sending is counted."""
    lamps = Lamps()
    transport, publish = lamps.peer.transport, lamps.peer.transport.publish_confirmed

    def once_in_vain(message, timeout):
        transport.publish_confirmed = publish
        raise rpc.ConnectionLost("the broker went away")

    transport.publish_confirmed = once_in_vain
    lamps.client.switch(CTXT, Lamp("desk"))

    assert lamps.value("resent_total", "switch") == 1
    assert lamps.value("sent_total", "switch", pattern="cast") == 1


def test_the_page_has_what_the_registry_has():
    """The page is in Prometheus' format, with figures of the process beside those of the messages."""
    lamps = Lamps()
    lamps.client.get(CTXT, "desk")
    page = Client(metrics.page(lamps.metrics.registry))

    shown = page.get("/metrics")

    assert shown.status_code == 200
    assert f'mininova_rpc_received_total{{interface="{lamps.bench.topic}",method="get"}} 1.0' in shown.text
    assert "process_resident_memory_bytes" in shown.text
    assert page.get("/").status_code == 404
    assert page.post("/metrics").status_code == 405
