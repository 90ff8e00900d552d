"""The bytes on the wire are oslo.messaging's, and bytes that make no sense raise the library's own errors."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova.rpc import MalformedMessage, MessageTooLong, RPCError, UnsupportedVersion, envelope
from mininova.rpc.envelope import Reply, Request

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
named_values = st.dictionaries(st.text(), json_values, max_size=3)
keys = st.sampled_from(["oslo.version", "oslo.message", "method", "args", "version", "namespace", "_context_a"])
keys |= st.sampled_from(["_msg_id", "_reply_q", "_unique_id", "result", "failure", "ending", "rejected"])


def test_a_request_has_oslo_messagings_format():
    """Envelope 2.0 around a JSON string (oslo.messaging: _drivers/common.py, rpc/client.py)."""
    request = Request(
        method="get", args={"name": "desk"}, version="1.1", namespace="lamps", context={"user_id": "me"},
        unique_id="u", msg_id="m", reply_q="q",
    )  # fmt: skip
    outer = json.loads(envelope.pack_request(request))

    assert outer.keys() == {"oslo.version", "oslo.message"}
    assert outer["oslo.version"] == "2.0"
    assert json.loads(outer["oslo.message"]) == {
        "method": "get",
        "args": {"name": "desk"},
        "version": "1.1",
        "namespace": "lamps",
        "_context_user_id": "me",
        "_unique_id": "u",
        "_msg_id": "m",
        "_reply_q": "q",
    }


def test_a_cast_names_nothing_to_answer_to():
    """Only a call has an id for its reply."""
    payload = envelope.unpack(envelope.pack_request(Request(method="switch", args={})))

    assert payload.keys() == {"method", "args", "version", "_unique_id"}


def test_a_reply_has_oslo_messagings_format():
    """Its failure is a JSON string of its own (oslo.messaging: serialize_remote_exception)."""
    failure = {"class": "Broken", "module": "lamps", "message": "dark", "tb": [], "args": ["dark"], "kwargs": {}}
    payload = envelope.unpack(envelope.pack_reply(Reply(msg_id="m", failure=failure)))

    assert json.loads(payload.pop("failure")) == failure
    del payload["_unique_id"]
    assert payload == {"result": None, "ending": True, "_msg_id": "m"}


@given(st.text(min_size=1), named_values, named_values)
def test_a_request_is_read_as_it_was_written(method, args, context):
    """All arguments and the context arrive."""
    request = Request(method=method, args=args, version="1.2", context=context, msg_id="m", reply_q="q")

    assert envelope.read_request(envelope.unpack(envelope.pack_request(request))) == request


@given(json_values, st.none() | named_values, st.none() | st.binary())
def test_a_reply_is_read_as_it_was_written(result, failure, rejected):
    """The result, the failure and whether the call has ended arrive."""
    reply = Reply(msg_id="m", result=result, failure=failure, rejected=rejected)

    assert envelope.read_reply(envelope.unpack(envelope.pack_reply(reply))) == reply


def test_a_message_without_an_envelope_is_its_own_payload():
    """oslo.messaging reads it so."""
    assert envelope.unpack(b'{"method": "get"}') == {"method": "get"}


@pytest.mark.parametrize("version", ["3.0", "2.1", "1.0", "new", 2, None, [], "2"])
def test_another_envelope_is_refused(version):
    """Only version 2.0 is read, and the refusal says so."""
    body = msgspec.json.encode({"oslo.version": version, "oslo.message": "{}"})

    with pytest.raises(UnsupportedVersion, match=r"is not understood here: 2\.0 is"):
        envelope.unpack(body)


@pytest.mark.parametrize("missing", [{}, {"version": None}, {"version": ""}])
def test_a_missing_version_means_1_0(missing):
    """An oslo.messaging client need not name a version."""
    assert envelope.read_request({"method": "get", **missing}).version == "1.0"


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({}, "method"),
        ({"method": 5}, "method"),
        ({"method": "get", "args": []}, "args"),
        ({"method": "get", "version": "new"}, "MAJOR.MINOR"),
        ({"method": "get", "version": 1.0}, "not a request"),
        ({"method": "get", "namespace": 5}, "namespace"),
        ({"method": "get", "_msg_id": {}}, "msg_id"),
    ],
)
def test_a_request_that_is_none_is_refused(payload, named):
    """The refusal names what is wrong in the request."""
    with pytest.raises(MalformedMessage, match=named):
        envelope.read_request(payload)


@pytest.mark.parametrize("seconds", [30, 0.5, None])
def test_a_foreign_call_may_want_heartbeats(seconds):
    """oslo.messaging's caller says in how many seconds it wants a heartbeat, or null."""
    assert envelope.read_request({"method": "get", "_timeout": seconds}).sign_within == seconds


def test_a_heartbeat_does_not_end_its_call():
    """A heartbeat is a reply that does not end the call."""
    sign = envelope.unpack(envelope.pack_reply(envelope.Reply(msg_id="m", ending=False)))

    assert (sign["_msg_id"], sign["ending"], sign["result"], sign["failure"]) == ("m", False, None, None)


def test_a_reply_still_to_come_is_none():
    """A heartbeat of oslo.messaging's call monitor answers nothing."""
    assert envelope.read_reply({"_msg_id": "m", "ending": False}) is None


@given(st.binary() | st.dictionaries(keys, json_values).map(msgspec.json.encode))
def test_any_bytes_are_read_or_refused(body):
    """Bytes that are not a message raise nothing but the library's own errors."""
    try:
        payload = envelope.unpack(body)
        envelope.read_reply(payload)
        envelope.read_request(payload)
    except RPCError:
        pass


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"oslo.message":'])
def test_nesting_without_end_is_refused(opening):
    """A hundred thousand brackets are refused, and end no process."""
    with pytest.raises(MalformedMessage):
        envelope.unpack(opening * 100_000)


def test_a_message_that_no_broker_takes_is_not_written():
    """The broker would close the connection of the whole process."""
    with pytest.raises(MessageTooLong, match="too long: 1048576 are the most"):
        envelope.pack({"args": "x" * envelope.MAX_BODY_BYTES})


def test_a_message_that_no_broker_takes_is_not_read():
    """A broker without that limit may have taken one, and to read it would take long."""
    with pytest.raises(MessageTooLong, match="too long"):
        envelope.unpack(b" " * envelope.MAX_BODY_BYTES + b"{}")
