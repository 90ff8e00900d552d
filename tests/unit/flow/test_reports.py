"""What of a report is believed, and how much of it is read."""

import msgspec
import pytest
from msgspec.structs import replace

from mininova.flow import reports
from mininova.flow.reports import MAX_BURST_BYTES, MAX_CLOCK_ERROR_S, OTHERS, SERVICES, WORK_BYTES, Reports
from mininova.rpc.transports.base import Message
from mininova.rpc.watch.flow import EXCHANGE, KEY, MAX_EVENT_BYTES, MAX_REPORT_BYTES, MessageEvent

COMPUTE, NOW = "compute.host-1", 1_790_000_000.0
SENT = MessageEvent(kind="sent", at=NOW, request_id="req-1", message_id="1", sender="conductor.ctl-1", user="conductor")
RECEIVED = replace(SENT, kind="received", receiver="scheduler.ctl-1")


def report(user: str | None, *events: MessageEvent | bytes) -> Message:
    """Make a report as the broker delivers it."""
    written = [event if isinstance(event, bytes) else msgspec.json.encode(event) for event in events]
    return Message(
        body=b"[" + b",".join(written) + b"]", exchange=EXCHANGE, routing_key=KEY, message_id="", user_id=user
    )


def read(user: str | None, *events: MessageEvent | bytes, enforce: bool = True):
    """Read one report."""
    return Reports(enforce=enforce, now=lambda: NOW).read(report(user, *events))


def test_a_service_is_believed():
    """What a service reports is kept as it is; who is behind an event is the user whose message it is about."""
    theirs = replace(RECEIVED, user=COMPUTE, sender=COMPUTE)
    http = replace(SENT, kind="http", sender="client", user="")
    assert read("conductor", SENT, theirs) == {SERVICES: [SENT], COMPUTE: [theirs]}
    assert read("api", http) == {SERVICES: [http]}


def test_a_compute_reports_about_itself():
    """Whatever a compute reports of others, it is shown as the compute's own message."""
    again, lost = replace(SENT, kind="resent"), replace(SENT, kind="lost")
    assert read(COMPUTE, SENT, again, lost, RECEIVED) == {
        COMPUTE: [
            *(replace(event, sender=COMPUTE) for event in (SENT, again, lost)),
            replace(RECEIVED, receiver=COMPUTE),
        ]
    }


def test_a_compute_is_called_as_the_broker_calls_it():
    """A message of a compute that calls itself a service is shown as the compute's; what is sent for it is not."""
    asked, for_it = replace(RECEIVED, user=COMPUTE), replace(SENT, user=COMPUTE)
    assert read("conductor", asked, for_it) == {COMPUTE: [replace(asked, sender=COMPUTE), for_it]}


@pytest.mark.parametrize("user", [None, "", "guest", "services", "compute.", "compute.../../x", "compute.a/b", "api2"])
def test_others_have_one_share(user: str | None):
    """A sender that is no compute, or for whom the broker does not vouch, gets no share of its own."""
    assert list(read(user, SENT)) == [OTHERS]
    assert list(read("conductor", replace(RECEIVED, user=user or ""))) == [OTHERS]


@pytest.mark.parametrize("user", [COMPUTE, "guest", None])
def test_only_a_service_announces_a_request(user: str | None):
    """An HTTP request that no service reports is dropped, with what follows it in the report."""
    assert read(user, SENT, replace(SENT, kind="http"), SENT).keys() == {user if user == COMPUTE else OTHERS}
    assert read(user, replace(SENT, kind="http"), SENT) == {}


def test_without_identities_all_are_believed():
    """Where all share one broker user, there is one share."""
    assert list(read("nova", SENT, replace(SENT, kind="http", user=""), enforce=False)) == [SERVICES]


@pytest.mark.parametrize("at", [0.0, NOW - 10 * MAX_CLOCK_ERROR_S, NOW + 10 * MAX_CLOCK_ERROR_S])
def test_a_computes_clock(at: float):
    """The time that a compute tells is never far from ours."""
    (event,) = read(COMPUTE, replace(SENT, at=at))[COMPUTE]
    assert abs(event.at - NOW) == MAX_CLOCK_ERROR_S


@pytest.mark.parametrize("at", [-1, "soon", None, 1e12, True])
def test_a_time_that_is_none(at):
    """An event without a time that a clock can show is dropped."""
    assert read("api", msgspec.json.encode({"kind": "sent", "at": at})) == {}


@pytest.mark.parametrize("request_id", ["", "../../etc/passwd", "a/b", ".hidden", "x" * 200, "a\nb", "é"])
def test_a_request_id_is_no_path(request_id: str):
    """A request id that could lead out of the folder, or is not one, is none."""
    assert read("api", replace(SENT, request_id=request_id)) == {SERVICES: [replace(SENT, request_id=None)]}


def test_texts_are_cut():
    """A long text in an event is cut, an error's later than a name."""
    ((event,),) = read("api", replace(SENT, method="m" * 9_000, error="e" * 9_000)).values()
    assert (len(event.method), len(event.error)) == (255, 8_192)
    assert event.method.endswith("m…")


@pytest.mark.parametrize("duration", [-1.0, 1e308])
def test_a_duration_that_is_none(duration: float):
    """A time that nothing takes is not known."""
    assert read("api", replace(SENT, duration=duration)) == {SERVICES: [SENT]}


def test_a_deep_payload_is_cut():
    """A payload that is nested deeper than any of ours is cut; one that is too deep to be read ends the report."""
    ((event,),) = read("api", _deep(300)).values()
    assert "…" in str(event.payload)
    assert read("api", _deep(100_000)) == {}


def _deep(levels: int) -> bytes:
    return msgspec.json.encode(SENT)[:-1] + b',"payload":{"a":' + b"[" * levels + b"]" * levels + b"}}"


def test_bytes_are_bounded():
    """A long event ends a report, and a long report is not read."""
    long = replace(SENT, payload={"a": "x" * MAX_EVENT_BYTES})
    assert read("api", SENT, long, SENT) == {SERVICES: [SENT]}
    many = [replace(SENT, payload={"a": "x" * 100_000})] * (MAX_REPORT_BYTES // 100_000 + 1)
    assert read("api", *many) == {}


def test_what_follows_garbage_is_not_read():
    """Reading what is no event takes time, so the first one ends a report; a service sends none."""
    assert read(COMPUTE, SENT, b"{}", SENT) == {COMPUTE: [replace(SENT, sender=COMPUTE)]}


def test_a_sender_has_a_budget(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """A compute that floods is not read for a while; services, and other computes, are."""
    monkeypatch.setattr(reports, "MAX_SENDER_BYTES_PER_S", 1_000)
    clock = [0.0]
    reader = Reports(enforce=True, clock=lambda: clock[0])
    flood = report(COMPUTE, replace(SENT, payload={"a": "x" * 250_000}))
    taken = sum(1 for _ in range(1_000) if reader.read(flood))
    assert taken == MAX_BURST_BYTES // (len(flood.body) + WORK_BYTES)
    assert "more than 1000 bytes a second" in caplog.text
    assert reader.read(report("compute.host-2", SENT))
    assert reader.read(report("conductor", SENT))
    clock[0] = 300.0
    assert reader.read(flood)
    assert not reader.read(flood)


def test_small_events_count(caplog: pytest.LogCaptureFixture):
    """Of a flood of small events no more are read than of a flood of large ones."""
    reader = Reports(enforce=True, clock=lambda: 0.0)
    many = report(COMPUTE, *[MessageEvent(kind="sent", at=NOW)] * 1_000)
    read = sum(len(reader.read(many).get(COMPUTE, ())) for _ in range(100))
    assert MAX_BURST_BYTES / (WORK_BYTES + 100) < read < MAX_BURST_BYTES / WORK_BYTES
