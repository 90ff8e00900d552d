"""py-amqp and the broker can read the frames that we write, and we read those that come."""

import string
import struct

import pytest
from amqp.basic_message import Message as TheirMessage
from amqp.serialization import dumps, loads
from hypothesis import given
from hypothesis import strategies as st

from mininova.rpc.errors import MalformedMessage
from mininova.rpc.transports.amqp import frames
from mininova.rpc.transports.amqp.frames import Content
from mininova.rpc.transports.amqp.wire import FrameReader
from mininova.rpc.transports.base import Message

short = st.text(max_size=60)
messages = st.builds(
    Message,
    body=st.binary(max_size=300),
    exchange=short,
    routing_key=short,
    message_id=short,
    reply_to=st.none() | st.text(min_size=1, max_size=60),
    app_id=short,
    user_id=st.none() | st.text(min_size=1, max_size=60),
    expiration=st.none() | st.integers(0, 10**6).map(lambda ms: ms / 1000),
    persistent=st.booleans(),
    deliveries=st.integers(0, 100),
    headers=st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=20), short, max_size=3),
)


def frames_of(data):
    """Take bytes apart into frames."""
    coming = iter([data, b""])
    reader = FrameReader(lambda most: next(coming))
    found = []
    try:
        while True:
            found.append(reader.read())
    except OSError:
        return found


@given(messages, st.booleans())
def test_py_amqp_reads_what_we_publish(message, mandatory):
    """Each property arrives under its name, with any of the others."""
    method, header, *body = frames_of(frames.published(2, message, mandatory, 131_072))
    theirs = TheirMessage()
    theirs.inbound_header(header[2])

    assert method[:2] == (1, 2)
    assert loads("Bssbb", method[2], 4)[0] == [0, message.exchange, message.routing_key, mandatory, False]
    assert b"".join(payload for _, _, payload in body) == message.body
    assert {name: value for name, value in theirs.properties.items() if value != {}} == {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2 if message.persistent else 1,
        "message_id": message.message_id,
        "app_id": message.app_id,
        **({"reply_to": message.reply_to} if message.reply_to else {}),
        **({"user_id": message.user_id} if message.user_id else {}),
        **({} if message.expiration is None else {"expiration": str(int(message.expiration * 1000))}),
        **(
            {
                "application_headers": {
                    **message.headers,
                    **({"x-mininova-deliveries": message.deliveries} if message.deliveries else {}),
                }
            }
            if message.headers or message.deliveries
            else {}
        ),
    }


@given(messages)
def test_we_read_what_we_publish(message):
    """A message is the same on the other side."""
    _, header, *body = frames_of(frames.published(2, message, False, 131_072))
    content = Content(b"")
    content.take_header(header[2])
    for _, _, payload in body:
        content.take_body(payload)

    found = content.message(message.exchange, message.routing_key)

    assert content.missing == 0
    assert found == message or abs((found.expiration or 0) - (message.expiration or 0)) < 0.002


@pytest.mark.parametrize("size", [0, 1, 91, 92, 93, 1000])
def test_a_long_body_goes_in_several_frames(size):
    """No frame is longer than the broker takes."""
    message = Message(body=b"x" * size, exchange="", routing_key="", message_id="")

    _, header, *body = frames_of(frames.published(1, message, False, 100))

    assert struct.unpack_from(">4xQ", header[2])[0] == size
    assert b"".join(payload for _, _, payload in body) == message.body
    assert all(len(payload) + 8 <= 100 for _, _, payload in body)


@pytest.mark.parametrize("field", ["exchange", "routing_key", "message_id", "reply_to", "app_id", "user_id"])
def test_a_name_that_is_too_long_is_refused(field):
    """The wire has room for 255 bytes; a letter may take more than one."""
    good = {"body": b"", "exchange": "", "routing_key": "", "message_id": ""}
    frames.published(1, Message(**{**good, field: "é" * 127}), False, 1000)

    with pytest.raises(MalformedMessage, match="255"):
        frames.published(1, Message(**{**good, field: "é" * 128}), False, 1000)


@pytest.mark.parametrize(("number", "types"), [(frames.ACK, "Lb"), (frames.REJECT, "Lb")])
def test_settlements(number, types):
    """Acknowledgements and rejections are the bytes that py-amqp writes."""
    for flag in True, False:
        assert frames.settlement(3, number, 2**40, flag) == frames.method(3, number, types, 2**40, flag)
        assert frames.settled(number + dumps("Lb", [7, flag])) == (7, flag)


def test_deliveries():
    """Reads the frames of messages that the broker delivers."""
    assert frames.delivered(frames.DELIVER + dumps("sLbss", ["me", 7, True, "E", "key"])) == ("me", 7, True, "E", "key")
    assert frames.got(frames.GET_OK + dumps("Lbssl", [7, False, "E", "key", 3])) == (7, False, "E", "key")
    assert frames.delivered(frames.DELIVER + dumps("sLbss", ["me", 7, True, "E", b"\xff"]))[-1] == "\ufffd"


def tables_in_tables(depth):
    """Write a table in a table in a table."""
    table = b"\0\0\0\0"
    for _ in range(depth):
        table = struct.pack(">I", len(table) + 3) + b"\x01aF" + table
    return table


def header_of(flags, payload):
    """Write a header by hand."""
    return struct.pack(">HHQH", 60, 0, 0, flags) + payload


@pytest.mark.parametrize(
    ("flags", "payload", "field", "value"),
    [
        (1 << 13, b"\0\0\0\x03\x01aZ", "headers", {}),  # a table whose value has a type that does not exist
        (1 << 13, b"\0\0\0\x02\x09a", "headers", {}),  # a table whose name is longer than it
        (1 << 13, tables_in_tables(5000), "headers", {}),
        (1 << 8, b"\x03abc", "expiration", None),
        (1 << 8, b"\x02-5", "expiration", None),
        (1 << 8, "\x02²".encode("latin-1"), "expiration", None),
        (1 << 7, b"\x01\xff", "message_id", ""),
        (1 << 6 | 1 << 3, struct.pack(">Q", 2**64 - 1) + b"\x02me", "app_id", "me"),  # a time far away
        (1 << 11 | 1 << 5 | 1 << 3, b"\x09\x01t\x02me", "app_id", "me"),
    ],
)
def test_hostile_properties(flags, payload, field, value):
    """A property that cannot be read is left out, and the rest is read all the same."""
    content = Content(b"")
    content.take_header(header_of(flags, payload))

    assert getattr(content.message("", ""), field) == value


@pytest.mark.parametrize(
    ("said", "read"), [(1, 1), (1000, 1000), (0, 0), (-5, 0), (1001, 0), (2**63 - 1, 0), (True, 0), ("4", 0), (None, 0)]
)
def test_a_count_that_no_receiver_writes_is_none(said, read):
    """It comes from the sender, and is counted up before the message is sent on."""
    assert frames.deliveries_in({frames.DELIVERIES: said}) == read


@pytest.mark.parametrize(("length", "is_read"), [(16_000, True), (17_000, False), (130_000, False)])
def test_long_headers_are_not_read(length, is_read):
    """The rest of the message is read all the same, and can be sent on with more headers."""
    table = dumps("F", [{"large": "x" * length}])
    content = Content(b"")
    content.take_header(header_of(1 << 13 | 1 << 3, table + b"\x02me"))

    message = content.message("", "")

    assert (message.app_id, "large" in message.headers) == ("me", is_read)


@given(st.binary(max_size=60))
def test_nothing_in_a_table_can_end_the_connection(table):
    """A broker checks that strings and tables are whole, but not the contents of tables."""
    content = Content(b"")
    content.take_header(header_of(1 << 13, struct.pack(">I", len(table)) + table))

    assert isinstance(content.message("", "").headers, dict)
