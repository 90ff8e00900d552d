"""Whatever a sender reports, mininova-flow keeps it or drops it, and prints it in lines that a terminal can show."""

import io
import json
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from mininova.flow import live, output, screen
from mininova.flow.changes import ANSWERED, ASKED
from mininova.flow.message import messages
from mininova.flow.reports import Reports
from mininova.flow.store import Reader, Writer
from mininova.rpc.transports.base import Message
from mininova.rpc.watch.flow import EXCHANGE, KEY, MessageEvent

UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
KINDS = [
    "sent",
    "http",
    "received",
    "redelivered",
    "replied",
    "rejected",
    "denied",
    "retried",
    "parked",
    "resent",
    "lost",
]
PATTERNS = ["call", "cast", "fanout", "notification", "http"]

# What a terminal would act on, what breaks a table, and what is no character at all.
texts = st.text(max_size=20) | st.sampled_from(
    ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "a\nb\r", "\u202e", "\x00", "\ud800", "雲" * 40, "x" * 9_000, UUID, "[bold]"]
)
numbers = st.integers() | st.floats() | st.sampled_from([10**30, -(10**18), 2**63, 10**4000, 1e308, -0.0, True])
_ABOUT = ("instance", "instances", "changes", "display_name", "uuid", "instance_uuids", "vm_state", "task_state")
_MORE = ("fault", "result", "addresses", "host", "status", "versioned_object.data", "message", "operation", "reason")
keys = texts | st.sampled_from(_ABOUT + _MORE)
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def nested(levels: int):
    """Make a value that is nested so deep."""
    value = []
    for _ in range(levels):
        value = [value]
    return value


deep = st.sampled_from([15, 100, 900]).map(nested)
methods = st.sampled_from([*ASKED, *ANSWERED]) | texts | st.just(f"DELETE /v2.1/servers/{UUID}")
moments = st.floats(0, 2e9) | numbers
likely = {
    "kind": st.sampled_from(KINDS), "at": moments, "request_id": st.just("req-1") | texts, "method": methods,
    "message_id": st.sampled_from(["1", "2"]) | texts, "pattern": st.sampled_from(PATTERNS) | texts, "sender": texts,
    "user": texts, "receiver": texts, "exchange": texts, "routing_key": texts, "version": texts,
    "duration": moments, "error": texts, "payload": st.dictionaries(keys, anything | deep, max_size=4),
}  # fmt: skip
needed = {name: likely.pop(name) for name in ("kind", "at")}
sound = st.fixed_dictionaries(needed, optional=likely)
wrong = st.dictionaries(st.sampled_from([*MessageEvent.__struct_fields__]), anything, max_size=6)
reports = st.lists(sound | sound | wrong | anything, max_size=5)
senders = st.sampled_from(["api", "conductor", "compute.host-1", "guest", None])
bodies = reports.map(lambda events: json.dumps(events).encode()) | st.binary(max_size=40)


def require_harmless(text: str) -> None:
    """Fail if a line would do something to a terminal, or cannot be written."""
    assert all(line.isprintable() for line in text.split("\n")), ascii(text)
    text.encode()


def printed(function, *args, **how) -> None:
    """Print to a console in a pipe, and look at the text."""
    out = io.StringIO()
    function(Console(file=out, highlight=False), *args, **how)
    require_harmless(out.getvalue())


@settings(max_examples=150)
@given(st.lists(st.tuples(senders, bodies), max_size=4))
def test_anything_can_be_kept_and_shown(told):
    """Reports of any bytes are kept or dropped, and each command prints what was kept, without an error."""
    with tempfile.TemporaryDirectory() as folder:
        writer, seen, reader = Writer(folder, keep=2), live.Live(everything=True), Reports(enforce=True)
        for sender, body in told:
            events = reader.read(Message(body=body, exchange=EXCHANGE, routing_key=KEY, message_id="", user_id=sender))
            writer.add(events)
            for event, line in seen.lines(event for these in events.values() for event in these):
                require_harmless(screen.row_text(line, live.row(event, line)).plain)
        writer.close()
        show_all(Path(folder))
        Writer(folder, keep=1).close()
        show_all(Path(folder))


def show_all(folder: Path) -> None:
    """Do what list and show do, for all requests there are."""
    kept = Reader(folder)
    found = kept.requests(everything=True)
    printed(screen.listed, found, senders=True)
    for one in found:
        assert kept.find(one.request_id)
        made = messages(kept.events(one.request_id))
        printed(screen.show, one, made, payload=True)
        with redirect_stdout(io.StringIO()) as out:
            output.show_json([screen.summary_data(one), screen.as_data(one, made)])
        require_harmless(out.getvalue())
        json.loads(out.getvalue(), parse_constant=lambda name: 1 / 0)


@settings(max_examples=100)
@given(st.lists(st.tuples(texts, texts, anything), max_size=4))
def test_any_table_can_be_shown(rows):
    """The tables of mininova-manage, and their JSON, are harmless whatever is in a row."""
    columns = [output.Column(name) for name in ("a", "b", "c")]
    made = [dict(zip("abc", row, strict=True)) for row in rows]
    for form in output.FORMATS:
        with redirect_stdout(io.StringIO()) as out:
            output.show_list(form, columns, made, none="\x1b")
            for row in made:
                output.show_one(form, columns, row)
            output.say("".join(map(str, [row[0] for row in rows])))
        require_harmless(out.getvalue())
