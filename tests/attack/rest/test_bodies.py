"""Bodies that no client sends: too long, too deep, too large, of the wrong form; each is refused, and soon.

All services read JSON with one decoder, ``Request.document``, so a bad body and a route need to meet only once: every
route gets one bad body and every bad body a route (``pairs``).  Which routes there are, the services' own tables say.
"""

import json

import pytest

from mininova.standins.keystone.routes import ABSENT
from tests.fixtures.rest_attacker import COMPUTE, IDENTITY, IMAGE, Answer, Attacker
from tests.fixtures.rest_routes import TARGETS, Target, pairs

LONGEST = 114688  # [api] max_request_body_size

#: Routes that take no JSON: what is sent to them is not read, or is the data of an image.
NO_JSON = {
    *(
        f"PUT /identity/v3/{scope}/{holders}/<holder_id>/roles/<role_id>"
        for scope in ("projects/<scope_id>", "domains/<scope_id>", "system")
        for holders in ("users", "groups")
    ),
    "PUT /identity/v3/groups/<id>/users/<user_id>",
    *(f"POST /identity/v3{path}" for path in ABSENT),
    "POST /identity/v3/users/<id>/application_credentials",  # of another user, so it is refused before
    *(f"POST /image/v2/images/<image_id>/actions/{action}" for action in ("deactivate", "reactivate")),
    "PUT /image/v2/images/<image_id>/tags/<tag>",
    *(f"PUT /image/v2/images/<image_id>/{data}" for data in ("file", "stage")),
    *(
        f"PUT /network/v2.0/{things}/<id>/tags/<name>"
        for things in ("networks", "subnets", "ports", "routers", "floatingips", "security-groups")
    ),
}
SENT_TO = list({(it.method, it.template): it for it in TARGETS if it.method in ("POST", "PUT", "PATCH")}.values())
READERS = [it for it in SENT_TO if f"{it.method} {it.template}" not in NO_JSON]
BODIES = (
    b"{", b'"', b"\x00", b"\xff\xfe", b"-", b"NaN", b"[NaN]", b'{"server": Infinity}', b'{"a": 1e999}', b"'a'",
    b"{'a': 1}", b'{"a": 1,}', b'{"a" 1}', b'{"name": "\xff"}', b'{"name": "\\ud800"}', b'{"name": "\\u0000"}',
    b'{"\\u0000": 1}', b"\xef\xbb\xbf{}", b"9" * 100_000, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
    b"!!python/object/apply:os.system ['true']", b"cos\nsystem\n(S'true'\ntR.",
    *((before * depth + b"1" + after * depth)[:LONGEST] for before, after in ((b"[", b"]"), (b'{"a":', b"}"))
      for depth in (65, 990, 20_000)),
)  # fmt: skip
KINDS = (
    "application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=",
    "application/octet-stream", "\x00", "a" * 5000, "application/x-yaml", "text/html", "image/svg+xml",
)  # fmt: skip
FORMS = ("null", "1", '""', "[]", "[{}]", "{}", "true", '{"": {}}', '{"__proto__": {}}')


def short(value: object) -> str:
    return str(value) if isinstance(value, Target) else repr(value)[:24]


def ask(attacker: Attacker, target: Target, body: bytes | None, **environ: object) -> Answer:
    if target.method == "PATCH" and target.template.startswith(IMAGE):
        environ = {"CONTENT_TYPE": "application/openstack-images-v2.1-json-patch", **environ}
    path = target.of(attacker)
    return attacker(target.method, path, body, user="admin", environ=environ, version=target.version)


@pytest.mark.parametrize(("target", "body"), pairs(READERS, BODIES), ids=short)
def test_what_is_no_json_is_refused(rest_attacker: Attacker, target: Target, body: bytes) -> None:
    """Only JSON is read as JSON, only UTF-8 as text, and nothing too deep: the one decoder says so on every route."""
    refused = ask(rest_attacker, target, body)
    assert refused.status == 400
    assert "Malformed request body" in refused.text


@pytest.mark.parametrize("target", [it for it in SENT_TO if it not in READERS], ids=str)
def test_what_takes_no_json_reads_none(rest_attacker: Attacker, target: Target) -> None:
    """Where no JSON is taken, the answer is the same with a bad body as without one."""
    answers = [ask(rest_attacker, target, body) for body in (b"{", None)]
    assert answers[0].status == answers[1].status
    assert answers[0].without_ids == answers[1].without_ids


@pytest.mark.parametrize(("target", "kind"), pairs(READERS, KINDS), ids=short)
def test_another_kind_of_body_is_refused(rest_attacker: Attacker, target: Target, kind: str) -> None:
    """A body that does not say that it is JSON is not read."""
    assert ask(rest_attacker, target, b'{"a": 1}', CONTENT_TYPE=kind).status == 415


# What looks like nothing and is meant so: an image of which nothing is said, a change of nothing, no body at all, any
# network, any pool of floating IPs.
MEANT = {
    ("POST /image/v2/images", "{}"),
    ("PATCH /image/v2/images/<image_id>", "[]"),
    ("PUT /compute/v2.1/servers/<server_id>/tags/<tag>", "null"),
    ("POST /compute/v2.1/servers/<server_id>/os-interface", "{}"),
    *(("POST /compute/v2.1/os-floating-ips", form) for form in ("null", "{}", '{"": {}}', '{"__proto__": {}}')),
}


@pytest.mark.parametrize("target", READERS, ids=str)
def test_json_of_another_form_is_refused(rest_attacker: Attacker, target: Target) -> None:
    """What is JSON, and says nothing that could be meant, is refused too: each route has a form of its own."""
    for form in FORMS:
        refused = 400 <= ask(rest_attacker, target, form.encode()).status < 500
        assert refused != ((f"{target.method} {target.template}", form) in MEANT), form


@pytest.mark.parametrize("base", [COMPUTE, IDENTITY, IMAGE])
def test_a_long_body_is_refused(rest_attacker: Attacker, base: str) -> None:
    """A body of more than is allowed gets 413, whether it says how long it is, lies or says nothing."""
    target = next(it for it in READERS if it.template.startswith(base))
    body = b'"' + b"x" * LONGEST + b'"'
    assert ask(rest_attacker, target, body).status == 413
    assert ask(rest_attacker, target, b"{}", CONTENT_LENGTH="9" * 4000).status == 413
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    assert ask(rest_attacker, target, body, **chunked).status == 413


def test_of_a_key_that_is_there_twice_the_last_counts(rest_attacker: Attacker) -> None:
    """There is one reading of a doubled key: what is checked is what is used."""
    body = b'{"server": {"name": "first"}, "server": {"name": "second", "name": "third"}}'
    shown = rest_attacker("PUT", f"{COMPUTE}/servers/{rest_attacker.server}", body).json["server"]
    assert shown["name"] == "third"
    twice = b'{"metadata": {"a": "b"}, "metadata": {"a": 5}}'
    assert rest_attacker("PUT", f"{COMPUTE}/servers/{rest_attacker.server}/metadata", twice).status == 400


NUMBERS = (
    "9" * 5000,
    "1" * 30,
    10**30,
    10**400,
    -(10**30),
    1e308,
    -1,
    1.5,
    True,
    None,
    "٣",
    "5\n",
    "0x5",
    "1e5",
    [],
    {},
)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: str(number)[:12])
def test_numbers_out_of_the_world_are_refused_or_harmless(rest_attacker: Attacker, number: object) -> None:
    """No number, however large and however it is written, is more than a refusal."""
    server = {"name": "x", "imageRef": rest_attacker.cloud.image, "flavorRef": "nothing", "networks": "none"}
    flavor = {"name": "n", "ram": 1, "vcpus": 1, "disk": 1}
    for name in ("min_count", "max_count", "config_drive", "return_reservation_id", "flavorRef"):
        rest_attacker("POST", f"{COMPUTE}/servers", {"server": {**server, name: number}}, user="admin")
    for name in ("ram", "vcpus", "disk", "swap", "OS-FLV-EXT-DATA:ephemeral", "rxtx_factor", "id"):
        rest_attacker("POST", f"{COMPUTE}/flavors", {"flavor": {**flavor, name: number}}, user="admin")
    action = f"{COMPUTE}/servers/{rest_attacker.server}/action"
    rest_attacker("POST", action, {"os-getConsoleOutput": {"length": number}})
    rest_attacker("POST", f"{IMAGE}/images", {"name": "x", "min_ram": number, "min_disk": number})


MANY = {
    "networks": [[{"x": 1}] * 9000, [1] * 35_000, [{"uuid": "x"}] * 6000],
    "block_device_mapping_v2": [[{}] * 25_000, [1] * 35_000, [{"boot_index": "x"}] * 5000],
    "tags": [["a"] * 20_000, [1] * 35_000, [str(i) for i in range(12_000)]],
    "metadata": [{str(i): "" for i in range(9000)}, {f"!{i}": "" for i in range(8000)}],
    "trusted_image_certificates": [[*range(15_000), "a"], [str(i) for i in range(12_000)]],
    "security_groups": [[{}] * 25_000, [{"name": "a"}] * 7000],
    "hostname": ["a" * 100_000 + "!", "a-" * 50_000],
    "user_data": ["a" * 100_000, " " * 100_000 + "!"],
    "name": [" " * 100_000, "a" * 100_000],
    "availability_zone": [":" * 100_000],
    "key_name": ["a" * 100_000],
}


@pytest.mark.parametrize("field", MANY)
def test_much_of_something_is_refused_at_once(rest_attacker: Attacker, field: str) -> None:
    """A body that is as long as may be costs no more time for being full of the same."""
    for value in MANY[field]:
        for version in ("2.1", "2.37", "2.93", "2.104"):
            server = {"name": "x", "imageRef": rest_attacker.cloud.image, "flavorRef": "nothing", "networks": "none"}
            body = json.dumps({"server": {**server, field: value}}).encode()
            assert len(body) <= LONGEST
            asked = rest_attacker("POST", f"{COMPUTE}/servers", body, version=version)
            assert asked.status in (400, 403)
