"""Events for people: they hold no secrets, and a failing report breaks no message."""

import queue
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova import rpc
from mininova.rpc.watch import flow
from mininova.rpc.watch.flow import without_secrets
from tests.fixtures.rpc_bench import Keeper, Lamp, MemoryBench

SECRETS = [
    "password",
    "adminPass",
    "admin_pass",
    "auth_token",
    "X-Auth-Token",
    "client_secret",
    "user_data",
    "credential",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_value_with_a_secrets_name_is_left_out(name):
    """A secret is left out at any depth."""
    assert without_secrets({"a": [{name: "s3cret", "b": 1}]}) == {"a": [{name: "***", "b": 1}]}


def test_a_secret_that_is_not_set_may_be_seen():
    """A reader may see that a secret is not set."""
    assert without_secrets({"password": None}) == {"password": None}


def test_names_fill_no_memory():
    """A sender chooses them: so many are remembered, and no long ones."""
    names = flow._Secrets()
    assert not any(names[f"field {number}"] for number in range(5000))
    assert names["x" * 65 + "password"]
    assert (len(names), max(map(len, names))) == (4096, len("field 4095"))


class Login(msgspec.Struct):
    """An argument with a secret in it."""

    user: str
    password: str


def test_the_secrets_of_an_object_are_left_out():
    """An object is made plain data first, and its secrets are left out as well."""
    assert without_secrets([Login("me", "s3cret")]) == [{"user": "me", "password": "***"}]
    assert without_secrets(datetime(2025, 1, 1, tzinfo=UTC)) == "2025-01-01T00:00:00Z"


def test_a_long_message_is_not_copied():
    """The event of a message that is longer than an event may be says so, in the place of its arguments."""
    events = list[rpc.MessageEvent]()
    bench = MemoryBench()
    bench.serve(Keeper(), watch=rpc.Flow(events.append))

    bench.client().get({}, "x" * flow.MAX_EVENT_BYTES)

    assert [list(event.payload) for event in events] == [["left_out"], ["result"]]


def test_who_is_behind_a_message():
    """An event names the broker user that sent its message; of what a handler sends, the user that it works for."""
    events = list[rpc.MessageEvent]()
    bench = MemoryBench()
    watch = rpc.Flow(events.append)
    told = rpc.Notifier(bench.peer(user="conductor", watch=watch), "keeper")
    bench.serve(Keeper(toggle=lambda name: told.info({}, "asked", {}) is None), user="conductor", watch=watch)

    bench.client(bench.peer(user="compute.host-1")).toggle({}, "desk")
    told.info({}, "by.itself", {})

    assert [(event.kind, event.method, event.user) for event in events] == [
        ("received", "toggle", "compute.host-1"),
        ("sent", "asked", "compute.host-1"),
        ("replied", "toggle", "compute.host-1"),
        ("sent", "by.itself", "conductor"),
    ]


def test_a_second_sending_belongs_to_its_request():
    """The broker went away before it confirmed a message: that it is sent again is told of the same request."""
    events, bench = list[rpc.MessageEvent](), MemoryBench()
    peer = bench.peer(watch=rpc.Flow(events.append))
    publish = peer.transport.publish_confirmed

    def once_in_vain(message, timeout):
        peer.transport.publish_confirmed = publish
        raise rpc.ConnectionLost("the broker went away")

    peer.transport.publish_confirmed = once_in_vain
    bench.serve(Keeper())
    bench.client(peer).switch({"request_id": "req-1"}, Lamp("desk"))

    told = [(event.kind, event.request_id, event.method, bool(event.payload)) for event in events]
    assert told == [("sent", "req-1", "switch", True), ("resent", "req-1", "switch", False)]


def test_endless_nesting_is_cut():
    """A hostile sender's message must not break its receiver while it makes an event."""
    deep = []
    for _ in range(5000):
        deep = [deep]

    assert "…" in str(without_secrets(deep))


secrets = st.dictionaries(st.sampled_from(SECRETS), st.just("s3cret"))
plain = st.recursive(secrets, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(plain)
def test_no_event_holds_a_secret(payload):
    """No event holds a secret of an argument or of a result, at any depth."""
    events = list[rpc.MessageEvent]()
    bench = MemoryBench()

    class Vault(rpc.Interface):
        topic, version = bench.topic, "1.0"

        @rpc.call(since="1.0")
        def keep(self, ctxt: dict[str, object], thing: object) -> object:
            """Give back what it is given."""

    class Keep:
        def keep(self, ctxt, thing):
            return thing

    bench.serve(Keep(), api=Vault, watch=rpc.Flow(events.append))
    Vault(bench.peer(watch=rpc.Flow(events.append))).keep({}, payload)
    rpc.Notifier(bench.peers[-1], "vault").info({}, "vault.kept", {"thing": payload})

    assert len(events) == 4
    assert b"s3cret" not in msgspec.json.encode(events)


def test_a_request_id_that_is_no_text_is_none():
    """A request id of a wrong type would make the whole report unreadable."""
    events = list[rpc.MessageEvent]()
    bench = MemoryBench()
    bench.serve(Keeper(), watch=rpc.Flow(events.append))

    bench.client().get({"request_id": ["a"]}, "desk")

    assert [event.request_id for event in events] == [None, None]
    assert msgspec.convert(msgspec.to_builtins(events), list[rpc.MessageEvent]) == events


@pytest.mark.parametrize("payload", [{"at": [datetime(2025, 1, 1, tzinfo=UTC)], "b": {"c": ({},)}}, {"a": [{}] * 500}])
def test_a_payload_without_secrets_is_told_as_it_is(payload):
    """That holds of one that is too long or too odd to be looked through, too."""
    events = list[rpc.MessageEvent]()
    bench = MemoryBench()
    rpc.Notifier(bench.peer(watch=rpc.Flow(events.append)), "lamp").info({}, "lamp.seen", payload)

    assert msgspec.json.encode(events[0].payload) == msgspec.json.encode(payload)


# ---- the reporter


@pytest.fixture
def published():
    """Give where reports go."""
    return queue.Queue()


def reported(published, count):
    """Wait for so many events."""
    told = []
    while len(told) < count:
        told += msgspec.json.decode(published.get(timeout=20), type=list[rpc.MessageEvent])
    return told


def test_events_are_published_together(published):
    """Events that came before the reporter was ready go out in one message, and stopping publishes the rest."""
    reporter = rpc.Reporter(published.put)
    for number in range(3):
        reporter(rpc.MessageEvent(kind="sent", at=float(number)))
    reporter.start()
    reporter.stop()

    assert [event.at for event in reported(published, 3)] == [0, 1, 2]


def test_events_of_a_moment_are_published_together(published, monkeypatch):
    """What happens soon after an event goes out with it; a process that stops does not wait for more."""
    monkeypatch.setattr(flow, "GATHER_S", 3600.0)
    reporter = rpc.Reporter(published.put)
    reporter.start()
    for number in range(3):
        reporter(rpc.MessageEvent(kind="sent", at=float(number)))
    reporter.stop()

    (report,) = [published.get() for _ in range(published.qsize())]
    assert [event["at"] for event in msgspec.json.decode(report)] == [0, 1, 2]


def test_a_report_is_never_too_long_for_a_broker(published):
    """A report with many events goes out in several messages."""
    reporter = rpc.Reporter(published.put)
    for number in range(40):
        reporter(rpc.MessageEvent(kind="sent", at=float(number), payload={"a": "x" * 100_000}))
    reporter.start()
    reporter.stop()

    reports = [published.get() for _ in range(published.qsize())]
    assert max(map(len, reports)) <= flow.GATHER_BYTES
    assert [event["at"] for report in reports for event in msgspec.json.decode(report)] == list(range(40))


def test_events_beyond_the_most_are_dropped(published, monkeypatch):
    """When the broker is away for long, memory is worth more than events."""
    monkeypatch.setattr(flow, "MAX_WAITING_BYTES", 100_000)
    reporter = rpc.Reporter(published.put)
    for number in range(10_500):
        reporter(rpc.MessageEvent(kind="sent", at=float(number)))
    reporter.start()
    reporter.stop()

    events = reported(published, 1)
    assert 1_000 < len(events) < 100_000 / 20
    assert published.empty()


@pytest.mark.parametrize("kept", [0, 1])
def test_a_long_payload_is_left_out(published, kept):
    """An event says how long its payload was, and goes without it; one that is too long even so is dropped."""
    reporter = rpc.Reporter(published.put)
    too_long = "x" * flow.MAX_EVENT_BYTES
    reporter(rpc.MessageEvent(kind="sent", at=1.0, **({"payload": {"a": too_long}} if kept else {"method": too_long})))
    reporter(rpc.MessageEvent(kind="sent", at=2.0))
    reporter.start()
    reporter.stop()

    events = reported(published, 1)
    assert [event.at for event in events] == [1.0, 2.0][1 - kept :]
    assert not kept or "bytes" in events[0].payload["left_out"]


def test_an_event_that_cannot_be_written_is_dropped_alone(published):
    """Half a character in a name, which a sender may choose, costs no other event."""
    reporter = rpc.Reporter(published.put)
    for at, method in enumerate(("get", "\udc80", "put")):
        reporter(rpc.MessageEvent(kind="sent", at=float(at), method=method))
    reporter.start()
    reporter.stop()

    assert [event.method for event in reported(published, 2)] == ["get", "put"]


def test_a_report_that_fails_is_not_the_last(published):
    """The next report is published."""
    failed = queue.Queue()

    def publish(body):
        if failed.empty():
            failed.put(body)
            raise OSError("the disk is on fire")
        published.put(body)

    reporter = rpc.Reporter(publish)
    reporter.start()
    reporter(rpc.MessageEvent(kind="sent", at=1.0))
    failed.put(failed.get(timeout=20))
    reporter(rpc.MessageEvent(kind="sent", at=2.0))
    reporter.stop()

    assert [event.at for event in reported(published, 1)] == [2.0]


def test_a_payload_that_json_cannot_write_is_shown_as_text(published):
    """An event with an odd result does not end the reporting."""
    reporter = rpc.Reporter(published.put)
    reporter(rpc.MessageEvent(kind="replied", at=1.0, payload={"result": Lamp}))
    reporter.start()
    reporter.stop()

    assert "Lamp" in reported(published, 1)[0].payload["result"]
