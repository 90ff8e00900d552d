"""Consoles of a server: POST /servers/{id}/remote-consoles, its older actions, and what a token opens."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mininova import errors
from mininova.objects import Console
from tests.fixtures.api_harness import Answer, Api

VNC = {"protocol": "vnc", "type": "novnc"}
PATH = "0c0ffee0-0000-4000-8000-000000000000"


def at(base: str) -> Console:
    return Console(host="10.0.0.9", port=5901, internal_access_path=PATH, access_url_base=base)


@pytest.fixture
def api(api: Any) -> Any:
    """Give an api whose computes offer a console."""
    api.compute.answers["get_remote_console"] = at("http://proxy:6080/vnc_auto.html")
    return api


def ask(api: Api, uuid: str, console: dict[str, str] = VNC, **more: Any) -> Answer:
    return api("POST", f"/servers/{uuid}/remote-consoles", {"remote_console": console}, version="2.104", **more)


def token_of(url: str) -> str:
    query = parse_qs(urlsplit(url).query)
    if "path" in query:
        query = parse_qs(query["path"][0].removeprefix("?"))
    return query["token"][0]


def test_a_console_is_a_url_with_a_token(api: Any) -> None:
    """The host is asked for the console, and is not told the token."""
    uuid = api.active()
    answer = ask(api, uuid)
    assert answer.status == 200
    console = answer.body["remote_console"]
    assert {name: console[name] for name in VNC} == VNC
    assert console["url"].startswith("http://proxy:6080/vnc_auto.html?path=%3Ftoken%3D")
    host, method, _, asked = api.compute.sent[-1]
    assert (host, method, asked) == ("host-1", "get_remote_console", ("vnc", "novnc"))


def test_a_serial_console(api: Any) -> None:
    """Its token stands in the query itself, for it is no page that opens a websocket, but the websocket."""
    api.compute.answers["get_remote_console"] = at("ws://proxy:6083/")
    url = ask(api, api.active(), {"protocol": "serial", "type": "serial"}).body["remote_console"]["url"]
    assert url == f"ws://proxy:6083/?token={token_of(url)}"


@pytest.mark.parametrize(("version", "shown"), [("2.31", {}), ("2.99", {"tls_port": None})])
def test_what_a_token_opens(api: Any, version: str, shown: dict[str, Any]) -> None:
    """A proxy that may ask is told where the console is; a made-up token opens nothing."""
    uuid = api.active()
    token = token_of(ask(api, uuid).body["remote_console"]["url"])
    answer = api("GET", f"/os-console-auth-tokens/{token}", version=version, user="admin")
    expected = {"instance_uuid": uuid, "host": "10.0.0.9", "port": 5901, "internal_access_path": PATH}
    assert answer.body == {"console": {**expected, **shown}}
    assert api("GET", f"/os-console-auth-tokens/{token}", version=version).status == 403
    assert api("GET", "/os-console-auth-tokens/made-up", version=version, user="admin").status == 404


def test_what_a_token_opens_was_told_of_rdp_alone(api: Any) -> None:
    """Before 2.31 the answer is 401, as Nova's is for any other kind."""
    token = token_of(ask(api, api.active()).body["remote_console"]["url"])
    assert api("GET", f"/os-console-auth-tokens/{token}", version="2.30", user="admin").status == 401


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"host": None}, 409, "is not ready"),
        ({"task_state": "deleting"}, 409, "Cannot 'get_vnc_console' instance"),
        ({"task_state": "migrating"}, 409, "while it is in task_state migrating"),
    ],
)
def test_a_server_without_a_console(api: Any, change: dict[str, Any], status: int, words: str) -> None:
    """One that has no host, or is about to leave it, has none."""
    uuid = api.active()
    api.change(uuid, **change)
    answer = ask(api, uuid)
    assert (answer.status, words in answer.message) == (status, True), answer.body


@pytest.mark.parametrize(
    "refusal",
    [errors.ConsoleTypeUnavailable(console_type="novnc"), errors.ConsoleTypeInvalid(console_type="novnc")],
)
def test_what_the_host_does_not_offer_is_400(api: Any, refusal: Exception) -> None:
    """The user reads what the host said."""
    api.compute.broken = refusal
    answer = ask(api, api.active())
    assert (answer.status, answer.message) == (400, str(refusal))


def test_anothers_server(api: Any) -> None:
    """It is not there; and a reader may look at no console."""
    uuid = api.active()
    assert ask(api, uuid, user="stranger").status == 404
    assert ask(api, uuid, user="reader").status == 403
