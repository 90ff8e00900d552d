"""Paths and queries with tricks in them: nothing is found that its own name does not find."""

from urllib.parse import quote

import pytest

from tests.fixtures.rest_attacker import COMPUTE, IDENTITY, IMAGE, Attacker
from tests.fixtures.rest_routes import pairs

SECRET = ("passwd", "root:", "mininova.conf", "token_key", "[app:")


BASES = ("", "/compute", COMPUTE, f"{COMPUTE}/servers", IDENTITY, IMAGE, f"{IMAGE}/images")
TRICKS = (
    "/..", "/../..", "/%2e%2e", "/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2fetc%2fpasswd", "/%5c..%5c..",
    "/..;/", "/.%00/", "/%00", "/a%00.json", "/%ff", "/%c0%ae%c0%ae/", "/%ed%a0%80", "/%e2%80%ae", "/%f0%9f%98%80",
    "/%0d%0aX:%20y", "/%0a", "/%", "/%zz", "/%u0041", "//", "///etc/passwd", "//servers", "/./servers",
    "/servers/.", "/" + "a" * 8000, "/" + "a/" * 3000, "/" + "%41" * 2000, "/;", "/;x=y/servers", "/~",
    "/.git/config", "/.env", "/api-paste.ini", "/http://example.org/", "/*", "/%2a", "/index.php",
    "/static/..%2f", "/\xe9", "/?/../x",
)  # fmt: skip


@pytest.mark.parametrize(("base", "trick"), pairs(BASES, TRICKS), ids=lambda part: part[:24])
def test_no_path_leads_astray(rest_attacker: Attacker, base: str, trick: str) -> None:
    """A path that tries to leave its place finds what it says, which is nothing: one router reads all of them."""
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH", "HEAD"):
        answer = rest_attacker(method, base + trick, body=None if method in ("GET", "HEAD", "DELETE") else {})
        assert not any(word in answer.text.replace(trick, "") for word in SECRET)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("servers", 200),
        ("%73ervers", 200),
        ("%2573ervers", 404),
        ("serve%2572s", 404),
        ("SERVERS", 404),
        ("servers/", 404),
    ],
)
def test_one_resource_has_one_name(rest_attacker: Attacker, asked: str, status: int) -> None:
    """Other letters and a slash at the end are another name; percent signs are undone once, before any check."""
    assert rest_attacker("GET", f"{COMPUTE}/{asked}").status == status
    assert rest_attacker("GET", f"{COMPUTE}/{asked}", user=None).status in {401, 404}


@pytest.mark.parametrize(
    "method",
    ["", "get", "GETS", "G T", "X" * 5000, "CONNECT", "TRACE", "TRACK", "OPTIONS", "DEBUG", "PROPFIND", "\xff"],
)
def test_other_methods_find_nothing(rest_attacker: Attacker, method: str) -> None:
    """A method that is not served is answered, with no more than that; TRACE echoes nothing."""
    for path in (
        "/",
        "/compute/",
        "/compute/openapi.json",
        f"{COMPUTE}/servers",
        f"{IDENTITY}/users",
        f"{IMAGE}/images",
    ):
        answer = rest_attacker(method, path, environ={"HTTP_X_SECRET": "echoed"})
        assert answer.status >= 400
        assert "echoed" not in answer.text


@pytest.mark.parametrize("override", ["HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_METHOD_OVERRIDE", "HTTP_X_ORIGINAL_URL"])
def test_no_header_changes_what_is_asked(rest_attacker: Attacker, override: str) -> None:
    """A request is what its first line says."""
    environ = {override: "DELETE" if "METHOD" in override else f"{COMPUTE}/os-services"}
    answer = rest_attacker("GET", f"{COMPUTE}/servers/{rest_attacker.server}", environ=environ)
    assert answer.json["server"]["id"] == rest_attacker.server


QUERIES = (
    "%ff=1", "a=%ff", "name=%ed%a0%80", "%00=1", "name=%00", "\xff=\xff", "&" * 5000, "a=1&" * 2000, "=" * 5000,
    "?" * 100, "limit=%zz", "limit=1&limit=2", "limit[]=1", "limit=1;limit=2", "a" * 8000, "name=" + "%25" * 2000,
    "limit=%d9%a3",
)  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:20])
def test_no_query_leads_astray(rest_attacker: Attacker, query: str) -> None:
    """A query that is no query is refused, or says nothing, whichever service reads it."""
    for path in (f"{COMPUTE}/servers", f"{COMPUTE}/flavors", f"{IDENTITY}/users", f"{IMAGE}/images"):
        for version in ("2.1", "2.104"):
            rest_attacker("GET", path, query=query, version=version, user="admin")


NUMBERS = ("9" * 5000, "1" * 30, "-1", "+1", "1_0", " 1", "1e5", "0x10", "٣", "²", "5\n", "", "nan", "inf")
MOMENTS = (
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59-23:59", "2020", "2020-W01", "T",
    "0000-00-00", "2020-02-30", "99999-01-01", "-2020-01-01", "1970-01-01T00:00:00+99:99", "9" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("value", [*NUMBERS, *MOMENTS], ids=lambda value: repr(value[:24]))
def test_numbers_and_moments_out_of_the_world(rest_attacker: Attacker, value: str) -> None:
    """What is too large for a database, or before its calendar, is refused or finds nothing."""
    it = quote(value)
    actions = f"{COMPUTE}/servers/{rest_attacker.server}/os-instance-actions"
    for path, names in (
        (f"{COMPUTE}/servers", ("limit", "power_state", "progress", "launch_index", "changes-since", "changes-before",
                                "created_at", "launched_at", "terminated_at", "locked", "deleted")),
        (f"{COMPUTE}/flavors", ("limit", "minRam", "minDisk")),
        (actions, ("limit", "changes-since", "changes-before")),
        (f"{COMPUTE}/os-hypervisors", ("limit", "marker")),
        (f"{IDENTITY}/users", ("limit",)),
        (f"{IMAGE}/images", ("limit", "size_min", "min_ram", "created_at", "updated_at")),
    ):  # fmt: skip
        for name in names:
            for version in ("2.1", "2.52", "2.104"):
                rest_attacker("GET", path, query=f"{name}={it}", version=version, user="admin")
    for path in ("os-hypervisors", "os-services", "os-networks"):
        for method in ("GET", "DELETE"):
            rest_attacker(method, f"{COMPUTE}/{path}/{it}", version="2.1", user="admin")


# ---- expressions: name=… and its like are matched by us, where the database is SQLite


@pytest.mark.parametrize(
    "expression",
    ["(a+)+$", "(a|aa)+$", "(a|a?)+$", "(.*a){25}$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x?){255}y", "(.{0,50}){20}b",
     ".*" * 100 + "b", "(a?){100}(a){100}!", "(?i)(a|b|ab)*c", r"(\w+\s?)*!$"],
)  # fmt: skip
def test_no_expression_takes_long(rest_attacker: Attacker, expression: str) -> None:
    """An expression that Python would try for ever is matched in a moment, against any name."""
    rest_attacker.cloud.boot(name="a" * 254 + "!")
    for user in ("demo", "admin"):
        for name in ("name", "display_name", "hostname", "ip", "ip6", "key_name", "description"):
            answer = rest_attacker("GET", f"{COMPUTE}/servers", query=f"{name}={quote(expression)}", user=user)
            assert answer.status in (200, 400)


@pytest.mark.parametrize(
    "expression",
    ["(", ")", "[", "*", "a{2,1}", "(?P<a>", "\\", "(" * 4000 + ")" * 4000, "(?!a)b", r"(a)\1",
     "(?<=a)", "((a{100}){100}){100}", "x" * 256, "[[:nope:]]", r"\pL{1000}"],
    ids=lambda expression: expression[:20],
)  # fmt: skip
def test_what_is_no_expression_is_refused(rest_attacker: Attacker, expression: str) -> None:
    """It is refused before a database sees it; so is what only backtracking could match."""
    for name in ("name", "ip", "tags") if "," not in expression else ("name", "ip"):
        assert rest_attacker("GET", f"{COMPUTE}/servers", query=f"{name}={quote(expression)}").status == 400


@pytest.mark.parametrize("name", ["tags", "tags-any", "not-tags", "not-tags-any"])
def test_many_tags_are_one_condition(rest_attacker: Attacker, name: str) -> None:
    """As many tags as a URL holds are looked for without as many subqueries."""
    query = f"{name}=" + ",".join(str(number) for number in range(60))
    assert rest_attacker("GET", f"{COMPUTE}/servers", query=query).status == 200
    query = f"{name}=" + ",".join(str(number) for number in range(1500))
    assert rest_attacker("GET", f"{COMPUTE}/servers", query=query).status in (200, 400)
