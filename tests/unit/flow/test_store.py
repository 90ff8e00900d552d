"""What the store keeps of the flow, how requests are found, and how it survives crashes and full disks."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from mininova import errors
from mininova.flow import share
from mininova.flow.reports import SERVICES
from mininova.flow.store import Reader, Writer
from mininova.rpc.watch.flow import MessageEvent

REQUEST = "req-11111111-2222-3333-4444-555555555555"
COMPUTE = "compute.host-1"
UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@pytest.fixture
def writer(tmp_path: Path):
    """Give a writer that keeps three requests of each kind."""
    writer = Writer(tmp_path, keep=3)
    yield writer
    writer.close()


def ids(found):
    """Name the requests by the number they begin with."""
    return [one.request_id[4:12].lstrip("0") or "0" for one in found]


def test_stored_events_can_be_read(tmp_path: Path, writer: Writer, boot):
    """The events of a request come back unchanged, from any number of reports."""
    writer.add({SERVICES: boot[:10]})
    writer.add({SERVICES: boot[10:]})
    assert Reader(tmp_path).events(REQUEST) == boot


def test_a_summary(tmp_path: Path, writer: Writer, boot):
    """The list has each request's cause, its HTTP status, its servers and its number of messages."""
    writer.add({SERVICES: boot})
    (found,) = Reader(tmp_path).requests()
    assert (found.what, found.status, found.servers) == ("POST /v2.1/servers", 202, {UUID: "web-1"})
    assert (found.messages, found.errors) == (19, 0)


def test_the_oldest_makes_room(tmp_path: Path, writer: Writer, requests):
    """Beyond the limit the oldest request is removed, from the list and from the disk."""
    for events in requests(5):
        writer.add({SERVICES: events})
    assert ids(Reader(tmp_path).requests()) == ["2", "3", "4"]
    assert len(list((tmp_path / SERVICES / "requests").iterdir())) == 3


def test_heartbeats_keep_out_of_the_way(tmp_path: Path, writer: Writer, boot, heartbeat):
    """Requests that did not come by HTTP are listed only on demand, and displace no others."""
    writer.add({SERVICES: boot})
    for number in range(10):
        writer.add({SERVICES: [_renamed(event, f"req-beat-{number}") for event in heartbeat]})
    reader = Reader(tmp_path)
    assert [found.request_id for found in reader.requests()] == [REQUEST]
    assert len(reader.requests(everything=True)) == 4


def _renamed(event: MessageEvent, request_id: str) -> MessageEvent:
    return replace(event, request_id=request_id)


def test_the_http_event_may_come_last(tmp_path: Path, writer: Writer, boot):
    """A request whose messages are reported before its HTTP event is listed when that comes."""
    writer.add({SERVICES: boot[1:]})
    assert Reader(tmp_path).requests() == []
    writer.add({SERVICES: boot[:1]})
    assert [found.request_id for found in Reader(tmp_path).requests()] == [REQUEST]


@pytest.mark.parametrize("wanted", ["vm-1", "00000001-0000-4000-8000-000000000000", "req-00000001", "00000001-0000-0"])
def test_find(tmp_path: Path, writer: Writer, requests, wanted: str):
    """A request is found by a server's name or uuid, or by the beginning of its own id."""
    for events in requests(3):
        writer.add({SERVICES: events})
    assert ids(Reader(tmp_path).find(wanted)) == ["1"]


def test_every_request_that_touched_a_server(tmp_path: Path, writer: Writer, boot, new_story):
    """A server finds all its requests, also one that has it only in the URL."""
    later = new_story("req-22222222-0000-0000-0000-000000000000", boot[0].at + 60)
    later.http(f"DELETE /v2.1/servers/{UUID}", 204)
    writer.add({SERVICES: boot})
    writer.add({SERVICES: later.events})
    assert [found.what.split()[0] for found in Reader(tmp_path).find(UUID)] == ["POST", "DELETE"]


@pytest.mark.parametrize(
    ("wanted", "hint"), [("wbe-1", "Did you mean web-1?"), ("req-", "2 requests"), ("zzz", "list shows")]
)
def test_nothing_found(tmp_path: Path, writer: Writer, boot, requests, wanted: str, hint: str):
    """The error for an unknown request suggests one, or says where to look."""
    writer.add({SERVICES: boot})
    writer.add({SERVICES: requests(1)[0]})
    with pytest.raises(errors.NoSuchRequest, match=hint.replace("?", r"\?")):
        Reader(tmp_path).find(wanted)


def test_nothing_was_ever_kept(tmp_path: Path):
    """The error for an empty folder says how to record the flow."""
    with pytest.raises(errors.FlowNotKept, match="enabled = true"):
        Reader(tmp_path / "none")


def test_a_restart_goes_on(tmp_path: Path, writer: Writer, boot, requests):
    """A new writer reads the old one's requests, and keeps the limit over both."""
    first, *rest = requests(3)
    writer.add({SERVICES: first})
    writer.close()
    again = Writer(tmp_path, keep=3)
    for events in rest:
        again.add({SERVICES: events})
    assert ids(Reader(tmp_path).requests()) == ["0", "1", "2"]
    again.add({SERVICES: boot})
    assert "0" not in ids(Reader(tmp_path).requests())
    again.close()


def test_a_torn_last_line(tmp_path: Path, writer: Writer, boot):
    """A file or an index that ends in the middle of a line is read up to there, and continued after a restart."""
    writer.add({SERVICES: boot[:-1]})
    writer.close()
    for path in (tmp_path / SERVICES / "index.jsonl", tmp_path / SERVICES / "requests" / f"{REQUEST}.jsonl"):
        with path.open("ab") as file:
            file.write(b'{"kind": "se')
    assert Reader(tmp_path).events(REQUEST) == boot[:-1]
    again = Writer(tmp_path, keep=3)
    again.add({SERVICES: boot[-1:]})
    assert Reader(tmp_path).events(REQUEST) == boot
    assert Reader(tmp_path).requests()[0].messages == 19
    again.close()


def test_an_index_that_is_behind(tmp_path: Path, writer: Writer, requests):
    """Without its index, or with an old one, a restart reads the files again."""
    for events in requests(2):
        writer.add({SERVICES: events})
    before = Reader(tmp_path).requests()
    writer.close()
    (tmp_path / SERVICES / "index.jsonl").unlink()
    Writer(tmp_path, keep=3).close()
    assert Reader(tmp_path).requests() == before


def test_the_index_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heartbeat):
    """An index with mostly history is written anew."""
    monkeypatch.setattr(share, "_SPARE_BYTES", 1000)
    writer = Writer(tmp_path, keep=1)
    for _ in range(100):
        writer.add({SERVICES: heartbeat[:1]})
    assert (tmp_path / SERVICES / "index.jsonl").stat().st_size < 2000
    assert Reader(tmp_path).requests(everything=True)[0].messages == 100
    writer.close()


def test_one_writer_at_a_time(tmp_path: Path, writer: Writer):
    """A second writer is refused, since two would overwrite each other."""
    with pytest.raises(errors.FlowInUse, match="Another"):
        Writer(tmp_path, keep=3)


def test_an_event_of_no_request(tmp_path: Path, writer: Writer, heartbeat):
    """An event without a request id is not stored."""
    writer.add({SERVICES: [replace(heartbeat[0], request_id=None)]})
    assert list((tmp_path / SERVICES / "requests").iterdir()) == []


def test_a_runaway_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Writer, boot):
    """Of a request with too many events, those that fit are stored; and whatever came before, what announces it."""
    monkeypatch.setattr(share, "MAX_REQUEST_BYTES", 10_000)
    http, *others = boot
    for event in (*others, http):
        writer.add({SERVICES: [event]})
    events = Reader(tmp_path).events(REQUEST)
    assert 2 < len(events) < len(boot)
    assert events[-1] == http
    assert (tmp_path / SERVICES / "requests" / f"{REQUEST}.jsonl").stat().st_size < 10_000 + 1_000
    assert [found.status for found in Reader(tmp_path).requests()] == [202]


def test_a_share_has_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests):
    """Requests that are too large together push out the oldest of them, however many may be kept."""
    monkeypatch.setattr(share, "MAX_SHARE_BYTES", 10_000)
    writer = Writer(tmp_path, keep=1000)
    for events in requests(50):
        writer.add({SERVICES: events})
    kept = ids(Reader(tmp_path).requests())
    assert 1 < len(kept) < 10
    assert kept[-1] == "49"
    assert sum(path.stat().st_size for path in (tmp_path / SERVICES / "requests").iterdir()) <= 10_000
    writer.close()


# ---- several senders


FLOOD = [MessageEvent(kind="sent", at=1.0, message_id="1", method="x", sender=COMPUTE, payload={"a": "x" * 1000})]


def test_a_flood_pushes_out_its_senders_own(tmp_path: Path, writer: Writer, boot, new_story):
    """A thousand made-up requests of one compute leave the real ones, and those of another compute."""
    other = new_story("req-33333333-0000-0000-0000-000000000000")
    other.call("compute.host-2", "conductor.ctl-1", "report_state")
    writer.add({SERVICES: boot[:3], COMPUTE: boot[3:5], "compute.host-2": other.events})
    for number in range(1000):
        writer.add({COMPUTE: [replace(FLOOD[0], request_id=f"req-{number}")]})
    reader = Reader(tmp_path)
    assert [found.request_id for found in reader.requests()] == [REQUEST]
    assert reader.events(REQUEST) == boot[:5]
    assert [found.by for found in reader.requests(everything=True) if not found.announced] == [
        *([COMPUTE] * 3), "compute.host-2",
    ]  # fmt: skip


def test_a_flood_about_a_real_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Writer, boot):
    """Of what a compute reports about a real request only a part is kept, and the request stays as it was."""
    monkeypatch.setattr(share, "MAX_REQUEST_BYTES", 20_000)
    writer.add({SERVICES: boot[:5]})
    for _ in range(100):
        writer.add({COMPUTE: [replace(FLOOD[0], request_id=REQUEST)]})
    (found,) = Reader(tmp_path).requests()
    assert (found.what, found.status, found.began) == ("POST /v2.1/servers", 202, boot[0].at)
    events = Reader(tmp_path).events(REQUEST)
    assert events[:5] == boot[:5]
    assert len(events) < 5 + 20


def test_a_request_is_announced_after_its_events(tmp_path: Path, writer: Writer, boot):
    """What a compute reports before the api does is among the real requests, too, and safe from the compute's next."""
    writer.add({COMPUTE: boot[3:5]})
    writer.add({SERVICES: boot[:3]})
    for number in range(10):
        writer.add({COMPUTE: [replace(FLOOD[0], request_id=f"req-{number}")]})
    assert Reader(tmp_path).events(REQUEST) == boot[:5]
    writer.close()
    again = Writer(tmp_path, keep=3)
    again.add({COMPUTE: boot[5:6]})
    assert Reader(tmp_path).events(REQUEST) == boot[:6]
    again.close()


def test_a_forgotten_request_is_forgotten_by_all(tmp_path: Path, writer: Writer, requests):
    """When a request makes room, what computes reported of it goes with it."""
    for events in requests(5):
        writer.add({SERVICES: events, COMPUTE: events[:1]})
    assert ids(Reader(tmp_path).requests(everything=True)) == ["2", "3", "4"]
    assert len(list((tmp_path / COMPUTE / "requests").iterdir())) == 3


def test_made_up_requests_hide_no_real_one(tmp_path: Path, writer: Writer, boot):
    """A server's name finds its real requests, and the made-up ones only where there is no other."""
    made_up = replace(boot[1], request_id="req-made-up")
    writer.add({COMPUTE: [made_up]})
    assert [found.request_id for found in Reader(tmp_path).find("web-1")] == ["req-made-up"]
    writer.add({SERVICES: boot})
    assert [found.request_id for found in Reader(tmp_path).find("web-1")] == [REQUEST]
    assert [found.by for found in Reader(tmp_path).find("req-made-up")] == [COMPUTE]
