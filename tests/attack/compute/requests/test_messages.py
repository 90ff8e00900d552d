"""Sending bytes that are no message, or a message that is wrong."""

import json

import pytest

from tests.fixtures.taken_over import enveloped, own_object, request


@pytest.fixture(autouse=True)
def still_serving(attacker, unchanged):
    """See that the conductor goes on to serve, the attacker among others."""
    yield
    assert attacker.ask("ping", {"arg": "still there?"}, namespace="baseapi").result["arg"] == "still there?"


@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b"\xff\xfe\x00", b"\x00" * 1000, b"5", b"null", b"[]", b'"text"', b'{"oslo.version": "2.0"}',
     b'{"oslo.version": "2.0", "oslo.message": "{"}', b'{"oslo.version": "2.0", "oslo.message": "[]"}',
     b'{"oslo.version": "2.0", "oslo.message": 5}', b'{"method": "\xff"}', b'{"method": "\\ud800"}',
     b'{"oslo.version": "2.0", "oslo.message": "{\\"method\\": NaN}"}', b"<xml/>", b"\x80\x04K\x01."],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_no_message(attacker, observe, body):
    """Sends bytes that are not JSON, not UTF-8, or not an object."""
    with observe():
        attacker.send(body)


@pytest.mark.parametrize(
    "nested", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900], ids=["arrays", "objects", "closed"]
)
@pytest.mark.parametrize("inside", [True, False], ids=["in-the-envelope", "as-the-envelope"])
def test_deep_nesting(attacker, observe, nested, inside):
    """Sends arrays in arrays, and objects in objects, a hundred thousand deep."""
    body = json.dumps({"oslo.version": "2.0", "oslo.message": nested}) if inside else nested
    with observe():
        attacker.send(body)


@pytest.mark.parametrize("depth", [100, 900, 5000])
@pytest.mark.parametrize("of", ["objects", "lists"])
def test_nesting_in_an_argument(attacker, observe, mine, depth, of):
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
    with observe():
        attacker.send(body, message_id=f"{depth:032x}")


@pytest.mark.parametrize(
    "fields",
    [{"method": None}, {"method": 5}, {"method": []}, {"args": []}, {"args": "text"}, {"args": None}, {"version": 5},
     {"version": "one"}, {"version": "1.0.0.0"}, {"version": "-1.0"}, {"version": "1." + "9" * 5000},
     {"namespace": 5}, {"_reply_q": []}, {"_timeout": "soon"}],
    ids=str,
)  # fmt: skip
def test_wrong_types(attacker, observe, fields):
    """Sends a request whose parts are of wrong types."""
    plain = json.loads(json.loads(request("get_levels", {}))["oslo.message"])
    with observe():
        attacker.send(enveloped({**plain, **fields}), message_id=plain["_msg_id"])


@pytest.mark.sees("`InvalidArguments`, which names the argument")
@pytest.mark.parametrize(
    "args",
    [{}, {"host": None}, {"host": 5}, {"host": ["host-1"]}, {"host": {"$ne": ""}}, {"host": "host-1", "more": 1},
     {"host": "host-1", "self": 1}, {"host": "host-1", "ctxt": {}}, {"host": own_object("Instance")},
     {"host": "host-1", "active_since": "yesterday"}, {"host": "host-1", "active_since": 1e308},
     {"host": "host-1", "active_since": 5}],
    ids=str,
)  # fmt: skip
def test_wrong_arguments(attacker, observe, args):
    """Leaves arguments out, adds some, or sends them with wrong types."""
    with observe():
        attacker.ask("get_instances", args)


@pytest.mark.sees("`UnsupportedVersion`, which says what is spoken")
@pytest.mark.parametrize("version", ["1.99", "2.0", "99.0", "0.9", "1." + "9" * 18])
def test_a_version_of_the_future(attacker, observe, version):
    """Asks in a version that does not exist yet, or that is not served any more."""
    with observe():
        attacker.ask("get_levels", {}, version=version)


@pytest.mark.sees("`UnsupportedVersion`, which says what is spoken")
@pytest.mark.parametrize("version", ["3.0", "1.0", "2.99", 2, None, "two"])
def test_an_envelope_of_the_future(attacker, observe, version):
    """Sends an envelope of another version."""
    body = json.dumps({"oslo.version": version, "oslo.message": "{}"})
    with observe():
        attacker.send(body)


@pytest.mark.parametrize(
    "method",
    ["anything", "_swap", "__class__", "__init__", "__getattribute__", "flow", "db", "conf", "notifier", "flow.build",
     "db.write", "select_destinations", "build_instance", "os.system", "", "get_instances ", "Get_Instances",
     "x" * 9999],
    ids=lambda method: method[:20],
)  # fmt: skip
def test_an_unknown_method(attacker, observe, method):
    """Runs a method that does not exist, one with an underscore, or an attribute of the conductor's manager."""
    with observe():
        attacker.ask(method, {})


@pytest.mark.parametrize("namespace", ["compute", "scheduler", "baseapi", "mininova.db", "__builtins__", ""])
def test_another_namespace(attacker, observe, namespace):
    """Looks for methods in another namespace."""
    with observe():
        attacker.ask("get_instances", {"host": "host-2"}, namespace=namespace)


@pytest.mark.parametrize(
    "instance",
    [
        own_object("Instance"), own_object("Fault", code=1, message=""), own_object("Instance", version="9.0"),
        own_object("Popen"), {"versioned_object.name": ["Instance"], "versioned_object.data": {}},
        {"versioned_object.data": {}}, "text", None, [], {"uuid": 5},
    ],
    ids=["empty", "another", "future", "unknown", "name-list", "nameless", "text", "null", "list", "plain"],
)  # fmt: skip
def test_an_object_of_another_kind(attacker, observe, instance):
    """Sends, for an instance, another object, one without fields, one of the future, or none."""
    with observe():
        attacker.ask("destroy_instance", {"instance": instance})


@pytest.mark.parametrize(
    "data",
    [{"uuid": "' OR 1=1 --"}, {"uuid": "x" * 100_000}, {"uuid": "\0"}, {"uuid": "{0.__class__}%s$host"},
     {"generation": 2**63}, {"generation": -(2**63) - 1}, {"generation": 10**400}, {"generation": 1.5},
     {"host": "\u0000"}, {"host": "\ud800"}],
    ids=lambda data: str(data)[:30],
)  # fmt: skip
def test_terrible_values(attacker, observe, mine, data):
    """Puts SQL, templates, lone surrogates and numbers that fit nowhere into the fields of an instance."""
    wire = {**mine, "versioned_object.data": {**mine["versioned_object.data"], **data}}
    changes = own_object("InstanceChanges", vm_state="stopped")
    args = {"instance": wire, "operation": None, "changes": changes}
    with observe():
        attacker.ask("update_instance", args)
