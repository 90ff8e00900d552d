"""Sending what is no message, or a terrible one."""

import json

import pytest

from tests.fixtures import taken_over
from tests.fixtures.taken_over import enveloped, own_object, request

SEEN = "an error that says what is wrong with the message"


@pytest.fixture(autouse=True)
def still_serving(attacker, unchanged):
    """See that the conductor goes on to serve, the attacker among others."""
    yield
    assert attacker.ask("ping", {"arg": "still there?"}, namespace="baseapi").result["arg"] == "still there?"


@pytest.mark.attack(refused_by="broker", sees="406 PRECONDITION_FAILED")
def test_100_megabytes(attacker, refused):
    """Sends a body of 100 MB."""
    with refused.by("rabbitmq", "message size"), pytest.raises(taken_over.REFUSALS, match="PRECONDITION_FAILED"):
        attacker.publish("conductor", b"x" * 100_000_000)


@pytest.mark.attack(refused_by="conductor", sees=SEEN)
@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b"\xff\xfe\x00", b"\x00" * 1000, b"5", b"null", b"[]", b'"text"', b'{"oslo.version": "2.0"}',
     b'{"oslo.version": "2.0", "oslo.message": "{"}', b'{"oslo.version": "2.0", "oslo.message": "[]"}',
     b'{"oslo.version": "2.0", "oslo.message": 5}', b'{"method": "\xff"}', b'{"method": "\\ud800"}',
     b'{"oslo.version": "2.0", "oslo.message": "{\\"method\\": NaN}"}', b"<xml/>", b"\x80\x04K\x01."],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_no_message(attacker, refused, body):
    """Sends bytes that are not JSON, not UTF-8, or not an object."""
    refused.as_unreadable(attacker.send(body), "MalformedMessage")


@pytest.mark.attack(refused_by="conductor", sees=SEEN)
@pytest.mark.parametrize(
    "nested", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900], ids=["arrays", "objects", "closed"]
)
@pytest.mark.parametrize("inside", [True, False], ids=["in-the-envelope", "as-the-envelope"])
def test_deep_nesting(attacker, refused, nested, inside):
    """Sends arrays in arrays, and objects in objects, a hundred thousand deep."""
    body = json.dumps({"oslo.version": "2.0", "oslo.message": nested}) if inside else nested
    refused.as_unreadable(attacker.send(body), "MalformedMessage")


@pytest.mark.attack(refused_by="conductor", sees=SEEN)
@pytest.mark.parametrize("depth", [100, 900, 5000])
@pytest.mark.parametrize("of", ["objects", "lists"])
def test_nesting_in_an_argument(attacker, refused, mine, depth, of):
    """Sends a request in whose argument are objects in objects, as deep as JSON is read."""
    opened, closed = {
        "objects": (
            '{"versioned_object.name":"Instance","versioned_object.version":"1.0","versioned_object.data":',
            "}",
        ),
        "lists": ("[", "]"),
    }[of]
    args = '{"uuid": ' + opened * depth + "{}" + closed * depth + "}"
    said = json.dumps({"method": "get_instance", "version": "1.0", "_msg_id": f"{depth:032x}", "args": 0})
    body = json.dumps({"oslo.version": "2.0", "oslo.message": said.replace('"args": 0', f'"args": {args}')})
    answer = attacker.send(body, message_id=f"{depth:032x}")
    assert answer.error in ("MalformedMessage", "InvalidArguments", "IncompatibleObject"), answer
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees=SEEN)
@pytest.mark.parametrize(
    "fields",
    [{"method": None}, {"method": 5}, {"method": []}, {"args": []}, {"args": "text"}, {"args": None}, {"version": 5},
     {"version": "one"}, {"version": "1.0.0.0"}, {"version": "-1.0"}, {"version": "1." + "9" * 5000},
     {"namespace": 5}, {"_reply_q": []}, {"_timeout": "soon"}],
    ids=str,
)  # fmt: skip
def test_wrong_types(attacker, refused, fields):
    """Sends a request whose parts are of wrong types."""
    plain = json.loads(json.loads(request("get_levels", {}))["oslo.message"])
    answer = attacker.send(enveloped({**plain, **fields}), message_id=plain["_msg_id"])
    assert answer.error in ("MalformedMessage", "UnsupportedVersion"), answer
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`InvalidArguments`, which names the argument")
@pytest.mark.parametrize(
    "args",
    [{}, {"host": None}, {"host": 5}, {"host": ["host-1"]}, {"host": {"$ne": ""}}, {"host": "host-1", "more": 1},
     {"host": "host-1", "self": 1}, {"host": "host-1", "ctxt": {}}, {"host": own_object("Instance")},
     {"host": "host-1", "active_since": "yesterday"}, {"host": "host-1", "active_since": 1e308}],
    ids=str,
)  # fmt: skip
def test_wrong_arguments(attacker, refused, args):
    """Leaves arguments out, adds some, or sends them with wrong types."""
    answer = attacker.ask("get_instances", args)
    assert answer.error in ("InvalidArguments", "IncompatibleObject"), answer
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`UnsupportedVersion`, which says what is spoken")
@pytest.mark.parametrize("version", ["1.99", "2.0", "99.0", "0.9", "1." + "9" * 18])
def test_a_version_of_the_future(attacker, refused, version):
    """Asks in a version that there is not yet, or not any more."""
    refused.as_unreadable(attacker.ask("get_levels", {}, version=version), "UnsupportedVersion")


@pytest.mark.attack(refused_by="conductor", sees="`UnsupportedVersion`, which says what is spoken")
@pytest.mark.parametrize("version", ["3.0", "1.0", "2.99", 2, None, "two"])
def test_an_envelope_of_the_future(attacker, refused, version):
    """Sends an envelope of another version."""
    body = json.dumps({"oslo.version": version, "oslo.message": "{}"})
    refused.as_unreadable(attacker.send(body), "UnsupportedVersion")


@pytest.mark.attack(refused_by="conductor", sees="`NoSuchMethod`")
@pytest.mark.parametrize(
    "method",
    ["anything", "_swap", "__class__", "__init__", "__getattribute__", "flow", "db", "conf", "notifier", "flow.build",
     "db.write", "select_destinations", "build_instance", "os.system", "", "get_instances ", "Get_Instances",
     "x" * 9999],
    ids=lambda method: method[:20],
)  # fmt: skip
def test_an_unknown_method(attacker, refused, method):
    """Runs a method that there is not, one with an underscore, or an attribute of the one who serves."""
    refused.as_unreadable(attacker.ask(method, {}), "NoSuchMethod")


@pytest.mark.attack(refused_by="conductor", sees="`UnsupportedVersion`, or `NoSuchMethod`")
@pytest.mark.parametrize("namespace", ["compute", "scheduler", "baseapi", "mininova.db", "__builtins__", ""])
def test_another_namespace(attacker, refused, namespace):
    """Looks for methods in another namespace."""
    answer = attacker.ask("get_instances", {"host": "host-2"}, namespace=namespace)
    assert answer.error in ("UnsupportedVersion", "NoSuchMethod"), answer
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees=SEEN)
@pytest.mark.parametrize(
    "instance",
    [
        own_object("Instance"), own_object("Fault", code=1, message=""), own_object("Instance", version="9.0"),
        own_object("Popen"), {"versioned_object.name": ["Instance"], "versioned_object.data": {}},
        {"versioned_object.data": {}}, "text", None, [], {"uuid": 5},
    ],
    ids=["empty", "another", "future", "unknown", "name-list", "nameless", "text", "null", "list", "plain"],
)  # fmt: skip
def test_an_object_of_another_kind(attacker, refused, instance):
    """Sends, for an instance, another object, one without fields, one of the future, or none."""
    answer = attacker.ask("destroy_instance", {"instance": instance})
    assert answer.error in ("InvalidArguments", "IncompatibleObject"), answer
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`, or an error that says what is wrong")
@pytest.mark.parametrize(
    "data",
    [{"uuid": "' OR 1=1 --"}, {"uuid": "x" * 100_000}, {"uuid": "\0"}, {"uuid": "{0.__class__}%s$host"},
     {"generation": 2**63}, {"generation": -(2**63) - 1}, {"generation": 10**400}, {"generation": 1.5},
     {"host": "\u0000"}, {"host": "\ud800"}],
    ids=lambda data: str(data)[:30],
)  # fmt: skip
def test_terrible_values(attacker, refused, mine, data):
    """Puts SQL, templates, lone surrogates and numbers that fit nowhere into the fields of an instance."""
    wire = {**mine, "versioned_object.data": {**mine["versioned_object.data"], **data}}
    changes = own_object("InstanceChanges", vm_state="stopped")
    args = {"instance": wire, "operation": None, "changes": changes}
    answer = attacker.ask("update_instance", args)
    wanted = ("Forbidden", "InvalidArguments", "MalformedMessage", "InstanceUpdateConflict", "InstanceNotFound")
    assert answer.error in wanted, answer
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`MessageTooLong`, without its message being read")
def test_megabytes(attacker, refused):
    """Sends a body of ten megabytes, which the broker takes, for the conductor to read."""
    refused.as_unreadable(attacker.send(b"[" + b'"x",' * 2_500_000 + b"0]"), "MessageTooLong")


@pytest.mark.attack(refused_by="nobody", sees="its answer: what cannot be read beside a message is passed over")
@pytest.mark.parametrize(
    "properties",
    [
        {"headers": {"x-mininova-deliveries": "many"}}, {"headers": {"x-mininova-deliveries": -5}},
        {"headers": {"x-mininova-deliveries": 2**40}}, {"headers": {"traceparent": "x" * 60_000}},
        {"headers": {f"h{number}": "x" * 100 for number in range(500)}}, {"headers": {"tracestate": "a=\u0000"}},
        {"headers": {"deep": {"deep": {"deep": [[[["deep"]]]]}}}}, {"app_id": "x" * 255}, {"app_id": "a\nERROR b"},
        {"content_type": "application/x-python-pickle"}, {"content_encoding": "gzip"}, {"priority": 255},
        {"type": "x" * 255}, {"delivery_mode": 2},
    ],
    ids=lambda properties: str(properties)[:36],
)  # fmt: skip
def test_terrible_properties(attacker, refused, properties):
    """Puts what nobody expects into the properties and headers of a message."""
    answer = attacker.ask("ping", {"arg": 1}, namespace="baseapi", properties=properties)
    assert answer.result == {"service": "conductor", "arg": 1}
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="nobody", sees="its answer, and a sign of life now and then")
@pytest.mark.parametrize("seconds", [1e-300, 0.0, -1.0, 1e300])
def test_signs_of_life(attacker, refused, seconds):
    """Wants a sign of life every so many seconds: none, or a number without end."""
    answer = attacker.ask("ping", {"arg": 1}, namespace="baseapi", _timeout=seconds)
    assert answer.failure is None
    refused.seen.add("nobody")
