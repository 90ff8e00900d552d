"""Bodies that no client sends: too long, too deep, too large, of the wrong form; each is refused, and soon."""

import json

import pytest

from tests.fixtures.rest_attacker import COMPUTE, IDENTITY, IMAGE, Attacker

LONGEST = 114688  # [api] max_request_body_size
TAKES_BODIES = (
    ("POST", f"{COMPUTE}/servers"),
    ("PUT", f"{COMPUTE}/servers/SERVER"),
    ("POST", f"{COMPUTE}/servers/SERVER/action"),
    ("POST", f"{COMPUTE}/servers/SERVER/metadata"),
    ("PUT", f"{COMPUTE}/servers/SERVER/metadata/k"),
    ("PUT", f"{COMPUTE}/servers/SERVER/tags"),
    ("PUT", f"{COMPUTE}/servers/SERVER/tags/new"),
    ("POST", f"{COMPUTE}/flavors"),
    ("PUT", f"{COMPUTE}/flavors/1"),
    ("POST", f"{COMPUTE}/flavors/1/action"),
    ("POST", f"{COMPUTE}/flavors/1/os-extra_specs"),
    ("POST", f"{COMPUTE}/os-keypairs"),
    ("PUT", f"{COMPUTE}/os-services/{'1' * 32}"),
    ("POST", f"{IDENTITY}/auth/tokens"),
    ("POST", f"{IDENTITY}/users"),
    ("PATCH", f"{IDENTITY}/users/x"),
    ("POST", f"{IDENTITY}/users/x/password"),
    ("POST", f"{IMAGE}/images"),
    ("PATCH", f"{IMAGE}/images/IMAGE"),
    ("POST", f"{IMAGE}/images/IMAGE/members"),
)
every_body = pytest.mark.parametrize(("method", "path"), TAKES_BODIES, ids=lambda said: said)


def ask(attacker: Attacker, method: str, path: str, body: bytes, **environ: object) -> int:
    if method == "PATCH" and path.startswith(IMAGE):
        environ = {"CONTENT_TYPE": "application/openstack-images-v2.1-json-patch", **environ}
    path = path.replace("SERVER", attacker.server).replace("IMAGE", attacker.cloud.image)
    return attacker(method, path, body, user="admin", environ=environ).status


@every_body
def test_a_long_body_is_refused(rest_attacker: Attacker, method: str, path: str) -> None:
    """A body of more than is allowed gets 413, whether it says how long it is, lies or says nothing."""
    body = b'"' + b"x" * LONGEST + b'"'
    assert ask(rest_attacker, method, path, body) == 413
    assert ask(rest_attacker, method, path, b"{}", CONTENT_LENGTH="9" * 4000) == 413
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    assert ask(rest_attacker, method, path, body, **chunked) == 413


@every_body
@pytest.mark.parametrize("depth", [65, 990, 20_000])
def test_a_deep_body_is_refused(rest_attacker: Attacker, method: str, path: str, depth: int) -> None:
    """Objects in objects, or lists in lists, end somewhere."""
    for before, after in (("[", "]"), ('{"a":', "}")):
        body = (before * depth + "1" + after * depth)[:LONGEST].encode()
        assert ask(rest_attacker, method, path, body) == 400


@every_body
@pytest.mark.parametrize(
    "body",
    [
        b"{", b'"', b"\x00", b"\xff\xfe", b"-", b"NaN", b"[NaN]", b'{"server": Infinity}', b'{"a": 1e999}', b"'a'",
        b"{'a': 1}", b'{"a": 1,}', b'{"a" 1}', b'{"name": "\xff"}', b'{"name": "\\ud800"}', b'{"name": "\\u0000"}',
        b'{"\\u0000": 1}', b"\xef\xbb\xbf{}", b"9" * 100_000, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        b"!!python/object/apply:os.system ['true']", b"cos\nsystem\n(S'true'\ntR.",
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_no_json_is_refused(rest_attacker: Attacker, method: str, path: str, body: bytes) -> None:
    """Only JSON is read as JSON, and only UTF-8 as text."""
    assert ask(rest_attacker, method, path, body) in (400, 413)


# What looks like nothing and is meant so: an image of which nothing is said, a change of nothing, no body at all.
MEANT = {(f"{IMAGE}/images", "{}"), (f"{IMAGE}/images/IMAGE", "[]"), (f"{COMPUTE}/servers/SERVER/tags/new", "null")}


@every_body
@pytest.mark.parametrize("body", ["null", "1", '""', "[]", "[{}]", "{}", "true", '{"": {}}', '{"__proto__": {}}'])
def test_json_of_another_form_is_refused(rest_attacker: Attacker, method: str, path: str, body: str) -> None:
    """What is JSON, and says nothing that could be meant, is refused too."""
    refused = 400 <= ask(rest_attacker, method, path, body.encode()) < 500
    assert refused != ((path, body) in MEANT)


@every_body
@pytest.mark.parametrize(
    "kind",
    ["application/xml", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=",
     "application/octet-stream", "\x00", "a" * 5000, "application/x-yaml", "text/html", "image/svg+xml"],
)  # fmt: skip
def test_another_kind_of_body_is_refused(rest_attacker: Attacker, method: str, path: str, kind: str) -> None:
    """A body that does not say that it is JSON is not read."""
    assert ask(rest_attacker, method, path, b'{"a": 1}', CONTENT_TYPE=kind) == 415


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
        for version in ("2.1", "2.37", "2.93", "2.96"):
            server = {"name": "x", "imageRef": rest_attacker.cloud.image, "flavorRef": "nothing", "networks": "none"}
            body = json.dumps({"server": {**server, field: value}}).encode()
            assert len(body) <= LONGEST
            asked = rest_attacker("POST", f"{COMPUTE}/servers", body, version=version)
            assert asked.status in (400, 403)
