"""What the store keeps of the flow, how requests are found, and how it survives crashes and full disks."""

from pathlib import Path

import pytest

from mininova import errors
from mininova.flow import store
from mininova.flow.store import Reader, Writer
from mininova.rpc.watch.flow import MessageEvent

REQUEST = "req-11111111-2222-3333-4444-555555555555"
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
    writer.add(boot[:10])
    writer.add(boot[10:])
    assert Reader(tmp_path).events(REQUEST) == boot


def test_a_summary(tmp_path: Path, writer: Writer, boot):
    """The list has each request's cause, its HTTP status, its servers and its number of messages."""
    writer.add(boot)
    (found,) = Reader(tmp_path).requests()
    assert (found.what, found.status, found.servers) == ("POST /v2.1/servers", 202, {UUID: "web-1"})
    assert (found.messages, found.errors) == (19, 0)


def test_the_oldest_makes_room(tmp_path: Path, writer: Writer, requests):
    """Beyond the limit the oldest request is removed, from the list and from the disk."""
    for events in requests(5):
        writer.add(events)
    assert ids(Reader(tmp_path).requests()) == ["2", "3", "4"]
    assert len(list((tmp_path / "requests").iterdir())) == 3


def test_heartbeats_keep_out_of_the_way(tmp_path: Path, writer: Writer, boot, heartbeat):
    """Requests that did not come by HTTP are listed only on demand, and displace no others."""
    writer.add(boot)
    for number in range(10):
        writer.add([_renamed(event, f"req-beat-{number}") for event in heartbeat])
    reader = Reader(tmp_path)
    assert [found.request_id for found in reader.requests()] == [REQUEST]
    assert len(reader.requests(everything=True)) == 4


def _renamed(event: MessageEvent, request_id: str) -> MessageEvent:
    return store.replace(event, request_id=request_id)


def test_the_http_event_may_come_last(tmp_path: Path, writer: Writer, boot):
    """A request whose messages are reported before its HTTP event is listed when that comes."""
    writer.add(boot[1:])
    assert Reader(tmp_path).requests() == []
    writer.add(boot[:1])
    assert [found.request_id for found in Reader(tmp_path).requests()] == [REQUEST]


@pytest.mark.parametrize("wanted", ["vm-1", "00000001-0000-4000-8000-000000000000", "req-00000001", "00000001-0000-0"])
def test_find(tmp_path: Path, writer: Writer, requests, wanted: str):
    """A request is found by a server's name or uuid, or by the beginning of its own id."""
    for events in requests(3):
        writer.add(events)
    assert ids(Reader(tmp_path).find(wanted)) == ["1"]


def test_every_request_that_touched_a_server(tmp_path: Path, writer: Writer, boot, new_story):
    """A server finds all its requests, also one that has it only in the URL."""
    later = new_story("req-22222222-0000-0000-0000-000000000000", boot[0].at + 60)
    later.http(f"DELETE /v2.1/servers/{UUID}", 204)
    writer.add(boot)
    writer.add(later.events)
    assert [found.what.split()[0] for found in Reader(tmp_path).find(UUID)] == ["POST", "DELETE"]


@pytest.mark.parametrize(
    ("wanted", "hint"), [("wbe-1", "Did you mean web-1?"), ("req-", "2 requests"), ("zzz", "list shows")]
)
def test_nothing_found(tmp_path: Path, writer: Writer, boot, requests, wanted: str, hint: str):
    """The error for an unknown request suggests one, or says where to look."""
    writer.add(boot)
    writer.add(requests(1)[0])
    with pytest.raises(errors.NoSuchRequest, match=hint.replace("?", r"\?")):
        Reader(tmp_path).find(wanted)


def test_nothing_was_ever_kept(tmp_path: Path):
    """The error for an empty folder says how to record the flow."""
    with pytest.raises(errors.FlowNotKept, match="enabled = true"):
        Reader(tmp_path / "none")


def test_a_restart_goes_on(tmp_path: Path, writer: Writer, boot, requests):
    """A new writer reads the old one's requests, and keeps the limit over both."""
    first, *rest = requests(3)
    writer.add(first)
    writer.close()
    again = Writer(tmp_path, keep=3)
    for events in rest:
        again.add(events)
    assert ids(Reader(tmp_path).requests()) == ["0", "1", "2"]
    again.add(boot)
    assert "0" not in ids(Reader(tmp_path).requests())
    again.close()


def test_a_torn_last_line(tmp_path: Path, writer: Writer, boot):
    """A file or an index that ends in the middle of a line is read up to there, and continued after a restart."""
    writer.add(boot[:-1])
    writer.close()
    for path in (tmp_path / "index.jsonl", tmp_path / "requests" / f"{REQUEST}.jsonl"):
        with path.open("ab") as file:
            file.write(b'{"kind": "se')
    assert Reader(tmp_path).events(REQUEST) == boot[:-1]
    again = Writer(tmp_path, keep=3)
    again.add(boot[-1:])
    assert Reader(tmp_path).events(REQUEST) == boot
    assert Reader(tmp_path).requests()[0].messages == 19
    again.close()


def test_an_index_that_is_behind(tmp_path: Path, writer: Writer, requests):
    """Without its index, or with an old one, a restart reads the files again."""
    for events in requests(2):
        writer.add(events)
    before = Reader(tmp_path).requests()
    writer.close()
    (tmp_path / "index.jsonl").unlink()
    Writer(tmp_path, keep=3).close()
    assert Reader(tmp_path).requests() == before


def test_the_index_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heartbeat):
    """An index with mostly removed requests is written anew."""
    monkeypatch.setattr(store, "_SPARE", 0)
    writer = Writer(tmp_path, keep=1)
    for _ in range(100):
        writer.add(heartbeat[:1])
    assert len((tmp_path / "index.jsonl").read_bytes().splitlines()) <= 9
    assert Reader(tmp_path).requests(everything=True)[0].events == 100
    writer.close()


def test_one_writer_at_a_time(tmp_path: Path, writer: Writer):
    """A second writer is refused, since two would overwrite each other."""
    with pytest.raises(errors.FlowInUse, match="Another"):
        Writer(tmp_path, keep=3)


@pytest.mark.parametrize("request_id", [None, "", "../../etc/passwd", "a/b", ".hidden", "x" * 200])
def test_a_request_id_is_no_path(tmp_path: Path, writer: Writer, heartbeat, request_id: str | None):
    """A request id that could lead out of the folder, or is not one, is not stored."""
    writer.add([store.replace(heartbeat[0], request_id=request_id)])
    assert list((tmp_path / "requests").iterdir()) == []


def test_a_runaway_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Writer, boot):
    """Of a request with too many events, those up to a limit are stored."""
    monkeypatch.setattr(store, "MOST_EVENTS", 10)
    for event in boot:
        writer.add([event])
    assert len(Reader(tmp_path).events(REQUEST)) == 10
