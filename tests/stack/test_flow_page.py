"""What mininova-flow serve shows of a real stack, and what its page asks of the Compute API."""

import json
from urllib.request import urlopen

import pytest
from stack import settings

from mininova.web.servers import RefusedError, Servers


def test_a_boot_is_read_back(local_stack):
    """The first boot is found by the name of its server, with its parties, its states, and the code behind it."""
    url = settings.load(local_stack.home).flow_url

    def ask(path):
        return json.load(urlopen(f"{url}api{path}", timeout=60))

    asked = ask("/requests?search=first-boot")["requests"]
    (found,) = [one for one in asked if one["what"] == "POST /v2.1/servers"]
    shown = ask(f"/requests/{found['request_id']}")
    kinds = [lane["kind"] for lane in shown["lanes"]]
    assert kinds == ["client", "api", "conductor", "scheduler", "compute", "notifications"]
    cast = next(message for message in shown["messages"] if message["method"] == "build_instance")
    assert "def build_instance(" in ask(cast["handler"].removeprefix("/api"))["source"]
    (uuid,) = found["servers"]
    states = [step["task_state"] or step["vm_state"] for step in ask(f"/instances/{uuid}")["steps"]]
    assert states.index("networking") < states.index("spawning") < states.index("active")
    services = {row["name"] for row in ask("/world")["services"]}
    assert {"api.ctl-1", "conductor.ctl-1", "scheduler.ctl-1", "compute.host-1", "compute.host-2"} <= services


def test_the_page_is_opened(local_stack, monkeypatch):
    """In the browser that the user prefers."""
    monkeypatch.setitem(local_stack.environment, "BROWSER", "/bin/echo %s")
    opened = local_stack.sh("browse")
    assert opened.returncode == 0, opened.stderr
    assert opened.stdout.strip() == settings.load(local_stack.home).flow_url


def test_the_page_asks_for_servers(local_stack, cloud):
    """They are booted and stopped by the Compute API, whose refusals it passes on."""
    servers = Servers(str(local_stack.home.clouds))
    servers.boot("played", "m1.tiny", "cirros", 1)
    played = cloud.compute.find_server("played", ignore_missing=False)
    cloud.compute.wait_for_server(played, wait=60)
    servers.act(played.id, "stop", "m1.small")
    cloud.compute.wait_for_server(played, status="SHUTOFF", wait=60)
    with pytest.raises(RefusedError, match="Cannot 'pause' instance") as state:
        servers.act(played.id, "pause", "m1.small")
    with pytest.raises(RefusedError, match="nope") as flavor:
        servers.boot("played", "nope", "cirros", 1)
    servers.act(played.id, "delete", "m1.small")
    assert (state.value.status, flavor.value.status) == (409, 404)
