"""Strings that mean something elsewhere, to a database, a shell, a template or a terminal, in every place for a string.

Here they mean nothing: they are refused, or kept and given back as they are.
"""

import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import pytest

from mininova.api.schemas.server_lists import LIST
from mininova.wsgi import Microversion
from tests.fixtures.rest_attacker import COMPUTE, IDENTITY, IMAGE, Attacker
from tests.fixtures.rest_routes import TARGETS

#: The strings by what could read them.  Each place in a body gets them all.  Each in a URL gets one of a kind, and the
#: places take them in turn: one router and one parser of queries read all of these.
KINDS = {
    "SQL": (
        "' OR '1'='1", "'; DROP TABLE instances; --", '" OR ""="',
        "1) union all select password_hash, 1 from users --", "%' --",
    ),
    "str.format": ("{0.__class__}",),
    "a format": ("%(name)s%n%s",),
    "a template or a shell": ("{{7*7}}", "${7*7}", "${jndi:ldap://x/a}", "$(touch /tmp/x)", "; id"),
    "HTML or a path": ("<script>alert(1)</script>", "../../../../etc/passwd"),
    "C": ("a\x00b",),
    "a terminal or a head": ("\x1b[2J\x1b]0;title\x07", "a\r\nSet-Cookie: b=c"),
    "Unicode": ("\u202e\u2066right to left", "\ud7ff\U0010ffff\ufffe", "Z̸̗͇͌a" * 40),
    "Python": ("None", "__class__"),
    "a boolean": ("true",),
    "nothing": ("",),
    "blanks": (" ", "\t"),
}  # fmt: skip
STRINGS = tuple(string for kind in KINDS.values() for string in kind)
hostile = pytest.mark.parametrize("string", STRINGS, ids=lambda string: repr(string[:20]))
of_each_kind = pytest.mark.parametrize("kind", KINDS)


def bodies(attacker: Attacker, it: str) -> Iterator[tuple[str, str, Any]]:
    """Give every request that takes a string, with this one in one place at a time."""
    server = {"name": "x", "imageRef": attacker.cloud.image, "flavorRef": "1", "networks": "none"}
    one = f"{COMPUTE}/servers/{attacker.server}"
    for name in ("name", "description", "adminPass", "key_name", "availability_zone", "user_data", "hostname", "host",
                 "hypervisor_hostname", "flavorRef", "imageRef", "networks", "accessIPv4", "accessIPv6", "min_count",
                 "OS-DCF:diskConfig", "config_drive"):  # fmt: skip
        yield "POST", f"{COMPUTE}/servers", {"server": {**server, name: it}}
    for name, value in (("metadata", {it: it}), ("metadata", {"k": it}), ("tags", [it]), (it, it),
                        ("security_groups", [{"name": it}]), ("networks", [{"uuid": it}]),
                        ("networks", [{"fixed_ip": it}]), ("block_device_mapping_v2", [{"uuid": it}])):  # fmt: skip
        yield "POST", f"{COMPUTE}/servers", {"server": {**server, name: value}}
    yield "POST", f"{COMPUTE}/servers", {"server": server, "os:scheduler_hints": {it: it, "query": it}}
    for name in ("name", "description", "hostname", "accessIPv6"):
        yield "PUT", one, {"server": {name: it}}
    yield "POST", f"{one}/action", {"lock": {"locked_reason": it}}
    yield "POST", f"{one}/action", {"unlock": None}
    yield "POST", f"{one}/action", {"reboot": {"type": it}}
    yield "POST", f"{one}/action", {"os-resetState": {"state": it}}
    yield "POST", f"{one}/action", {"os-getConsoleOutput": {"length": it}}
    yield "POST", f"{one}/action", {it: it}
    yield "PUT", f"{one}/tags", {"tags": [it, "t"]}
    yield "POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": it, "public_key": it, "type": "ssh"}}
    yield "POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "n", "public_key": it, "type": "x509", "user_id": it}}
    yield "POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "n", "public_key": f"ssh-rsa {it}", "type": "ssh"}}
    for name in ("name", "id", "description", "rxtx_factor", "swap", "os-flavor-access:is_public"):
        yield "POST", f"{COMPUTE}/flavors", {"flavor": {"name": f"n{it}", "ram": 1, "vcpus": 1, "disk": 1, name: it}}
    yield "POST", f"{COMPUTE}/flavors/1/os-extra_specs", {"extra_specs": {it: it}}
    yield "POST", f"{COMPUTE}/flavors/1/os-extra_specs", {"extra_specs": {"hw:cpu_policy": it, "mine": it}}
    yield "POST", f"{COMPUTE}/flavors/2/action", {"addTenantAccess": {"tenant": it}}
    yield "POST", f"{IDENTITY}/users", {"user": {"name": it, "password": it, "email": it, "description": it}}
    yield "POST", f"{IDENTITY}/projects", {"project": {"name": it, "domain_id": it}}
    yield "POST", f"{IDENTITY}/roles", {"role": {"name": it, "description": it}}
    yield "POST", f"{IDENTITY}/endpoints", {"endpoint": {"url": it, "interface": it, "service_id": it, "region_id": it}}
    user = {"name": it, "domain": {"name": it}, "password": it}
    yield (
        "POST",
        f"{IDENTITY}/auth/tokens",
        {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}},
    )
    yield "POST", f"{IDENTITY}/auth/tokens", {"auth": {"identity": {"methods": [it], "token": {"id": it}}, "scope": it}}
    yield "POST", f"{IMAGE}/images", {"name": it, it: it, "tags": [it], "owner": it, "id": it}
    yield "POST", f"{IMAGE}/images", {"name": it, "my_property": it, "disk_format": it}
    yield "POST", f"{IMAGE}/images/{attacker.cloud.image}/members", {"member": it}


@hostile
def test_no_string_in_a_body_means_anything(rest_attacker: Attacker, string: str) -> None:
    """With any text for a name, a word or a key, the answer is in order; what was kept is what was said."""
    for method, path, body in bodies(rest_attacker, string):
        rest_attacker(method, path, body, user="admin")
    shown = rest_attacker.cloud.show(rest_attacker.server)
    assert "49" not in f"{shown['name']}{shown['description']}{shown['locked_reason']}{shown['tags']}"


@hostile
def test_what_is_kept_is_given_back_as_it_is(rest_attacker: Attacker, string: str) -> None:
    """The value of a metadata item may be any string but one with NUL, and nothing is made of it."""
    path = f"{COMPUTE}/servers/{rest_attacker.server}/metadata"
    answer = rest_attacker("PUT", path, {"metadata": {"k": string}})
    if "\0" in string:
        assert answer.status == 400
    else:
        assert answer.json == rest_attacker("GET", path).json == {"metadata": {"k": string}}


@of_each_kind
def test_no_string_in_a_query_means_anything(rest_attacker: Attacker, kind: str) -> None:
    """Every parameter of every list may be this, and so may the name of one that no list has."""
    lists = {
        f"{COMPUTE}/servers/detail": [*LIST.schema(Microversion(2, 96))["properties"]],
        f"{COMPUTE}/flavors": ["limit", "marker", "is_public", "minRam", "minDisk", "sort_key", "sort_dir"],
        f"{COMPUTE}/os-keypairs": ["user_id", "limit", "marker"],
        f"{COMPUTE}/os-hypervisors": ["hypervisor_hostname_pattern", "limit", "marker", "with_servers"],
        f"{COMPUTE}/os-services": ["host", "binary"],
        f"{COMPUTE}/servers/{rest_attacker.server}/os-instance-actions": ["changes-since", "limit", "marker"],
        f"{COMPUTE}/limits": ["tenant_id"],
        f"{IDENTITY}/users": ["name", "domain_id", "enabled", "limit", "marker"],
        f"{IDENTITY}/role_assignments": ["user.id", "scope.project.id", "include_names", "effective"],
        f"{IMAGE}/images": ["name", "limit", "marker", "sort", "sort_key", "created_at", "size_min", "tag",
                            "visibility", "member_status", "os_hidden", "id"],
    }  # fmt: skip
    strings = cycle(KINDS[kind])
    for path, names in lists.items():
        for name in names:
            # who may use them all
            rest_attacker("GET", path, query=f"{quote(name)}={quote(next(strings))}", user="admin")
        for string in KINDS[kind]:
            rest_attacker("GET", path, query=f"{quote(string)}={quote(string)}", user="admin")


@of_each_kind
def test_no_string_in_a_path_means_anything(rest_attacker: Attacker, kind: str) -> None:
    """Nor may any id, name, key or tag in a URL be more than that, under any name that a route has for it."""
    strings = (quote(string, safe="") for string in cycle(KINDS[kind]))
    for target in TARGETS:
        if "<" in target.template:
            read = target.method in ("GET", "DELETE")
            rest_attacker(target.method, target.named(next(strings)), user="admin", body=None if read else {})
    one = f"{COMPUTE}/servers/{rest_attacker.server}"
    places = [f"{one}/{name}" for name in ("metadata", "tags", "ips", "os-instance-actions")]
    image = f"{IMAGE}/images/{rest_attacker.cloud.image}"
    for place in (*places, f"{COMPUTE}/flavors/1/os-extra_specs", f"{image}/tags"):
        for method in ("GET", "PUT", "DELETE"):
            path = f"{place}/{next(strings)}"
            rest_attacker(method, path, user="admin", body=None if method != "PUT" else {})
    for it in islice(strings, len(KINDS[kind])):
        rest_attacker("GET", f"{COMPUTE}/{it}/servers", user="admin")


@pytest.mark.parametrize(
    "header",
    ["HTTP_OPENSTACK_API_VERSION", "HTTP_X_OPENSTACK_NOVA_API_VERSION", "HTTP_X_OPENSTACK_REQUEST_ID",
     "HTTP_TRACEPARENT", "HTTP_TRACESTATE", "HTTP_HOST", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST",
     "HTTP_X_SUBJECT_TOKEN", "HTTP_X_SERVICE_TOKEN", "HTTP_ACCEPT", "HTTP_COOKIE", "HTTP_RANGE",
     "CONTENT_TYPE", "CONTENT_LENGTH"],
)  # fmt: skip
def test_no_string_in_a_header_means_anything(rest_attacker: Attacker, header: str) -> None:
    """A header may say anything that comes over the wire; no answer has it in a header of its own, unclean."""
    for string in STRINGS:
        said = {header: string.encode().decode("latin-1").replace("\r", "").replace("\n", "").replace("\0", "")}
        for method, path, body in (
            ("GET", "/compute/", None),
            ("GET", f"{COMPUTE}/flavors", None),
            ("PUT", f"{COMPUTE}/servers/{rest_attacker.server}/metadata", {"metadata": {}}),
            ("GET", f"{IDENTITY}/auth/tokens", None),
        ):
            rest_attacker(method, path, body, environ=said)


def test_a_name_is_stored_whole_or_not_at_all(rest_attacker: Attacker) -> None:
    """What the strings above tried with the tables did not happen: everything is still there."""
    for path in ("servers/detail?all_tenants=1", "flavors/detail", "os-services", "os-keypairs"):
        url, _, query = path.partition("?")
        answer = rest_attacker("GET", f"{COMPUTE}/{url}", query=query, user="admin")
        assert answer.status == 200
        assert json.loads(answer.text)
