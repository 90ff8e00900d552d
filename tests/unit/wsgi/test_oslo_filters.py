"""OpenStack's own middleware in the pipeline that mininova-api serves (mininova/wsgi/api-paste.ini)."""

from pathlib import Path
from typing import Any

import pytest

from mininova import conf, errors, rpc
from mininova.db.session import Database
from mininova.plugins.paste import OURS
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport
from mininova.standins.keystone.bootstrap import bootstrap
from mininova.wsgi import Parts, Request, Response, load_app

PAGE = "https://dashboard.example.org"
FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cloud.example.org"}


@pytest.fixture
def db(empty_database: Any, tmp_path: Path) -> Database:
    """Give a database with all tables."""
    made: Database = empty_database()
    bootstrap(made, conf.for_tests("api", state_path=str(tmp_path)), {"demo": "opensesame"}, {})
    return made


@pytest.fixture
def transport() -> MemoryTransport:
    """Give the api's way to the broker."""
    return MemoryTransport(MemoryBroker())


@pytest.fixture
def http(db: Database, transport: MemoryTransport, tmp_path: Path):
    """Give a function that sends one request to an api with a configuration file of these lines."""

    def send(method: str, path: str, headers: dict[str, str], *lines: str) -> Response:
        file = tmp_path / "mininova.conf"
        file.write_text("\n".join((f"[DEFAULT]\nstate_path = {tmp_path}", *lines)))
        settings: Any = conf.load("api", ["--config-file", str(file)], version="0.1.0")
        parts = Parts(settings, db, rpc.Peer(transport, name="api.ctl"), None, None)  # type: ignore[arg-type]
        app = load_app(OURS, "mininova", parts)
        return Request.blank(path, method=method, base_url="http://10.0.0.1:8774", headers=headers).get_response(app)

    return send


def test_health(http):
    """GET /healthcheck is 200 without a token, and names nothing of the machine."""
    answer = http("GET", "/healthcheck", {"Accept": "application/json"})
    assert (answer.status_int, answer.json) == (200, {"detailed": False, "reasons": ["OK"]})


def test_an_api_that_waits(http, db: Database, transport: MemoryTransport, monkeypatch: pytest.MonkeyPatch):
    """Its health says what it waits for, so that a balancer leaves it alone."""
    transport.cut = True
    answer = http("GET", "/healthcheck", {"Accept": "application/json"})
    assert (answer.status_int, answer.json["reasons"]) == (503, ["waiting for the broker"])

    def away(**how: Any) -> None:
        raise errors.DatabaseAway("it is away")

    monkeypatch.setattr(db, "read", away)
    assert http("GET", "/healthcheck", {"Accept": "application/json"}).json["reasons"] == [
        "waiting for the database and the broker"
    ]


def test_an_unhealthy_api(http, tmp_path: Path):
    """[healthcheck] names a file with which an operator takes an api out of a balancer."""
    (tmp_path / "disabled").touch()
    lines = "[healthcheck]", "backends = disable_by_file", f"disable_by_file_path = {tmp_path / 'disabled'}"
    assert http("GET", "/healthcheck", {}, *lines).status_int == 503


def test_a_proxys_headers_are_ignored(http):
    """Any client can send X-Forwarded-*: by default links do not follow them."""
    assert http("GET", "/", FORWARDED).json["services"]["compute"] == "http://10.0.0.1:8774/compute"


def test_a_proxys_headers_count_when_switched_on(http):
    """When they are switched on, links have the URL that the client used at the proxy, also in version documents."""
    lines = "[oslo_middleware]", "enable_proxy_headers_parsing = true"
    for path in ("/compute/", "/image/"):
        (*_, version) = http("GET", path, FORWARDED, *lines).json["versions"]
        assert version["links"][0]["href"].startswith(f"https://cloud.example.org{path}v2")


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("", "http://10.0.0.1:8774"),
        ("[oslo_middleware]\nenable_proxy_headers_parsing = true", "http://proxied.example.org"),
        ("[api]\npublic_endpoint = https://cloud.example.org/", "https://cloud.example.org"),
    ],
)
def test_the_host_counts_where_the_operator_says_so(http, line: str, begins: str):
    """A proxy may pass on the Host it was asked for; without the operator's word all links ignore it."""
    host = {"Host": "proxied.example.org"}
    assert http("GET", "/", host, line).json["services"]["compute"] == f"{begins}/compute"
    for path in ("/compute/", "/image/"):
        (*_, version) = http("GET", path, host, line).json["versions"]
        assert version["links"][0]["href"].startswith(f"{begins}{path}v2")
    (identity,) = http("GET", "/identity/", host, line).json["versions"]["values"]
    assert identity["links"][0]["href"] == f"{begins}/identity/v3/"
    refused = http("GET", "/compute/v2.1/servers", host, line)
    assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{begins}/identity"'


def test_no_page_may_use_the_api(http):
    """Without an allowed origin, a browser shows no answer to a web page."""
    answer = http("GET", "/compute/", {"Origin": PAGE})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_an_allowed_page(http):
    """A preflight needs no token, and allows the headers of the field."""
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-Auth-Token"}
    answer = http("OPTIONS", "/compute/v2.1/servers", asked, "[cors]", f"allowed_origin = {PAGE}")
    assert answer.status_int == 200
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "X-Auth-Token" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(("page", "allowed"), [(PAGE, PAGE), ("https://evil.example.org", None)])
def test_a_refusal_can_be_read(http, page: str, allowed: str | None):
    """A web page of an allowed origin can read a 401, with the request's id; another page cannot."""
    answer = http("GET", "/compute/v2.1/servers", {"Origin": page}, "[cors]", f"allowed_origin = {PAGE}")
    assert answer.status_int == 401
    assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    assert ("X-OpenStack-Request-ID" in answer.headers.get("Access-Control-Expose-Headers", "")) == bool(allowed)
