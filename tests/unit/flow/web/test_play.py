"""What the page does to a cloud: with the token only, and what the cloud refuses is said as it says it."""

import re

import msgspec
import pytest

from mininova.control.client import Control, ControlError
from mininova.control.services import Action
from mininova.flow.world import World
from mininova.web.app import LOCAL, Site
from mininova.web.play import Play
from mininova.web.requests import Requests
from mininova.web.servers import RefusedError, Servers
from mininova.wsgi import Request

UUID = "9502215d-1329-4516-be52-50dc6587759a"


class HeardControl(Control):
    """Hears what the control API is asked, and answers as one would."""

    heard: list = []
    rules = [{"hosts": "host-1", "delay": 5.0}, {"hosts": "*", "operation": "spawn"}]

    def request(self, method, path, body=None):
        self.heard.append((method, path, body))
        if path == "/services/scheduler.ctl-1/action":
            raise ControlError("mininova-scheduler does not run.", 409)
        return {"rules": self.rules}


class HeardServers(Servers):
    """Hears what the Compute API is asked."""

    def __init__(self):
        self.heard = []

    def boot(self, *asked):
        self.heard.append(asked)
        if asked[3] > 10:
            raise RefusedError(403, "Quota exceeded for instances")

    def act(self, *asked):
        self.heard.append(asked)


@pytest.fixture
def control():
    HeardControl.heard = []
    return HeardControl("http://127.0.0.1/control", "secret")


@pytest.fixture
def servers():
    return HeardServers()


@pytest.fixture
def post(store, control, servers):
    """Give what posts to a site as its page does."""
    play = Play(control, servers).routes()
    site = Site(Requests(store), lambda: World().rows(0.0), None, names=LOCAL, play=play)

    def post(path, body, token="secret"):
        headers = {"Host": "127.0.0.1:8780", **({"X-Flow-Token": token} if token else {})}
        request = Request.blank(f"/api/play/{path}", headers=headers, method="POST", json=body)
        response = request.get_response(site)
        return response.status_int, response.json.get("error", {}).get("message")

    return post


@pytest.mark.parametrize(("token", "status"), [("", 401), ("Secret", 403), ("sécret", 403)])
def test_without_the_token(post, control, servers, token, status):
    """Nothing is done."""
    for path in (
        "servers",
        f"servers/{UUID}/action",
        "services/api.ctl-1/action",
        "broker/action",
        "hosts/h/behaviour",
        "losses",
    ):
        assert post(path, {}, token.encode().decode("latin-1"))[0] == status
    assert (control.heard, servers.heard) == ([], [])


def test_servers_are_booted(post, servers):
    """As many as are asked for; a refusal is the cloud's."""
    assert post("servers", {"name": "web", "flavor": "m1.small", "count": 2}) == (202, None)
    assert post("servers", {"name": "web", "count": 11}) == (403, "Quota exceeded for instances")
    assert servers.heard == [("web", "m1.small", "cirros", 2), ("web", "m1.tiny", "cirros", 11)]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("servers", {}, "name"),
        ("servers", {"name": ""}, "name"),
        ("servers", {"name": "web", "count": 51}, "count"),
        ("servers", {"name": "web", "size": 1}, "size"),
        (f"servers/{UUID}/action", {"action": "explode"}, "action"),
        ("hosts/host-1/behaviour", {"rule": 7}, "rule"),
        ("losses", {"rule": "build_instance"}, "rule"),
        ("losses", {"method": "build_instance"}, "method"),
    ],
)
def test_a_bad_body(post, control, servers, path, body, field):
    """It is refused with the name of the field."""
    status, message = post(path, body)
    assert (status, field in message) == (400, True)
    assert (control.heard, servers.heard) == ([], [])


def test_a_server_is_acted_on(post, servers):
    """By the name of the action; a resize has a flavor."""
    for action in ("stop", "confirmResize", "resize"):
        assert post(f"servers/{UUID}/action", {"action": action}) == (202, None)
    assert servers.heard == [(UUID, action, "m1.small") for action in ("stop", "confirmResize", "resize")]


def test_a_service_is_acted_on(post, control):
    """The control API does it, and says what cannot be done."""
    assert post("services/compute.host-1/action", {"action": "kill"}) == (202, None)
    assert post("services/scheduler.ctl-1/action", {"action": "kill"}) == (409, "mininova-scheduler does not run.")
    assert post("services/a%20%3F/action", {"action": "kill"}) == (202, None)
    paths = ("compute.host-1", "scheduler.ctl-1", "a%20%3F")
    assert control.heard == [("POST", f"/services/{path}/action", {"action": "kill"}) for path in paths]


def test_the_broker_is_cut(post, control):
    """Whichever it is."""
    assert post("broker/action", {"action": "cut"}) == (202, None)
    assert control.heard[-1] == ("POST", "/services/broker/action", {"action": "cut"})


@pytest.mark.parametrize("rule", [None, {"operation": "*", "delay": 5000}])
def test_a_host_behaves(post, control, rule):
    """By the one rule, before those of all hosts; or without it."""
    assert post("hosts/host-1/behaviour", {"rule": rule}) == (202, None)
    mine = [{**rule, "hosts": "host-1"}] if rule else []
    assert control.heard[-1] == ("PUT", "/behaviour", {"rules": (*mine, control.rules[1])})


@pytest.mark.parametrize("rule", [None, {"method": "build_instance", "nth": 3}])
def test_a_message_is_lost(post, control, rule):
    """By the one rule, or by none."""
    assert post("losses", {"rule": rule}) == (202, None)
    assert control.heard == [("PUT", "/losses", {"rules": (rule,) if rule else ()})]


def test_the_tours_ask_for_what_there_is(asked, post, control, servers):
    """Each of their steps that does something is accepted, and each that shows a handler finds it."""
    steps = [step for tour in asked.json("/api/tours")["tours"] for step in tour["steps"]]
    done = [step["do"] for step in steps if step["do"] and "post" in step["do"]]
    for do in done:
        path = re.sub(r"{\w+}", "host-1" if do["post"].startswith("hosts") else "compute.host-1", do["post"])
        assert post(path, do["body"]) == (202, None)
        if path.startswith("services"):
            msgspec.convert(control.heard[-1][2], Action)
    for handler in {step["handler"] for step in steps} - {None}:
        assert "def " in asked.json(handler)["source"]
    assert len(done) > 8
