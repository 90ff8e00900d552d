"""What the network service tells Nova of the ports of servers, over HTTP, and what it does when Nova is away."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mininova import conf
from mininova.db import ports
from mininova.objects.network import port_id
from mininova.standins.neutron import nova_events
from mininova.standins.neutron.in_process import NetworkService
from mininova.standins.neutron.nova_events import PLUGGED, Nova
from mininova.wsgi.deploy import at_once

BOTH = {"network.notify_nova_on_port_status_changes": True, "network.notify_nova_on_port_data_changes": True}


class Answering(BaseHTTPRequestHandler):
    """Gives a token to those who know the password, and takes events, unless it is to answer otherwise first."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v3/auth/tokens":
            return self._log_in(body["auth"])
        if self.server.refuses:
            return self._answer(self.server.refuses.pop(0), {})
        if self.headers["X-Auth-Token"] != f"token-{self.server.logins}":
            return self._answer(401, {})
        self.server.requests.append(body["events"])
        return self._answer(200, {"events": [event | {"code": 200} for event in body["events"]]})

    def _log_in(self, auth):
        if auth["identity"]["password"]["user"] != {"name": "nova", "password": "pw", "domain": {"name": "Default"}}:
            return self._answer(401, {})
        self.server.logins += 1
        url = f"http://127.0.0.1:{self.server.server_port}/compute/v2.1"
        endpoint = {"interface": "internal", "region": "RegionOne", "url": url}
        return self._answer(
            201, {"token": {"catalog": [{"type": "compute", "endpoints": [endpoint]}]}},
            {"X-Subject-Token": f"token-{self.server.logins}"},
        )  # fmt: skip

    def _answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *words):
        pass


@pytest.fixture
def cloud():
    """Listen as Keystone and Nova do."""
    server = HTTPServer(("127.0.0.1", 0), Answering)
    server.requests, server.logins, server.refuses = [], 0, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(cloud):
    """Have everything be told, but for the tests that say otherwise."""
    url = f"http://127.0.0.1:{cloud.server_port}/v3"
    return conf.for_tests(
        "api", **{"network.label": "flat", "network.cidr": "10.0.0.0/24"}, **BOTH,
        **{"keystone_authtoken.auth_url": url, "keystone_authtoken.password": "pw"},
    )  # fmt: skip


@pytest.fixture
def told(cloud):
    """Give what was told since the last time that this was asked: name and port of each event."""

    def told():
        events = [(event["name"], event["tag"]) for events in cloud.requests for event in events]
        cloud.requests.clear()
        return events

    return told


@pytest.fixture
def server(boot):
    """Give a server on a host, which has a port of its own."""
    return boot()


@pytest.fixture
def port(db, make, server):
    """Give a server's port, which a user made."""
    network = make("network", name="inner")
    make("subnet", network_id=network["id"], cidr="10.9.0.0/24", ip_version=4)
    made = make("port", network_id=network["id"])
    with db.write() as tx:
        ports.bind(tx, made["id"], server)
    return made


def row(db, id):
    with db.read() as tx:
        return ports.get(tx, id)


def test_a_change_of_a_port_is_told(http, port, told):
    """Every change is; what makes the port DOWN or ACTIVE is told as such, too."""
    for said in ({"name": "another"}, {"admin_state_up": False}, {"admin_state_up": False}, {"admin_state_up": True}):
        assert http("PUT", f"/ports/{port['id']}", {"port": said}).status_int == 200
    names = [name for name, tag in told() if tag == port["id"]]
    assert names == ["network-changed", "network-vif-unplugged", "network-changed", "network-changed",
                     "network-vif-plugged", "network-changed"]  # fmt: skip


def test_the_end_of_a_port_is_told(http, port, told, cloud, server):
    """The event names the server, which the port is no more there to tell."""
    assert http("DELETE", f"/ports/{port['id']}").status_int == 204
    ((event,),) = cloud.requests
    assert event == {
        "name": "network-vif-deleted", "server_uuid": server, "tag": port["id"], "status": "completed",
    }  # fmt: skip


def test_nothing_is_told_of_a_port_that_no_server_has(http, make, told):
    """A user makes it, changes it, and deletes it."""
    network = make("network", name="inner")
    made = make("port", network_id=network["id"])
    assert http("PUT", f"/ports/{made['id']}", {"port": {"admin_state_up": False}}).status_int == 200
    assert http("DELETE", f"/ports/{made['id']}").status_int == 204
    assert told() == []


def test_a_floating_ip_concerns_the_ports_that_it_leads_to_and_led_to(db, http, make, told, server):
    """The same when it is given back; and nothing where it leads nowhere."""
    outer = make("network", by="admin", **{"name": "outer", "router:external": True})
    make("subnet", by="admin", network_id=outer["id"], cidr="198.51.100.0/24", ip_version=4)
    (flat,) = (it for it in http("GET", "/networks").json["networks"] if it["name"] == "flat")
    one, two = (make("port", network_id=flat["id"]) for _ in range(2))
    with db.write() as tx:
        for made in one, two:
            ports.bind(tx, made["id"], server)
    ip = make("floatingip", floating_network_id=outer["id"])
    assert told() == []
    path = f"/floatingips/{ip['id']}"
    assert http("PUT", path, {"floatingip": {"port_id": one["id"]}}).status_int == 200
    assert told() == [("network-changed", one["id"])]
    assert http("PUT", path, {"floatingip": {"port_id": two["id"]}}).status_int == 200
    assert told() == [("network-changed", one["id"]), ("network-changed", two["id"])]
    assert http("DELETE", path).status_int == 204
    assert told() == [("network-changed", two["id"])]


def test_what_nova_does_with_the_ports_of_its_servers_is_told(db, settings, port, told, server):
    """A port that a user made is unplugged when its server loses it, another one is deleted."""
    bindings = NetworkService(db, settings).ports
    bindings.bound(server)
    assert told() == [("network-vif-plugged", id) for id in (port_id(server), port["id"])]
    bindings.bound(server, port["id"])
    assert told() == [("network-vif-plugged", port["id"])]
    bindings.left(row(db, port["id"]))
    bindings.left(row(db, port["id"])._replace(is_users=False))
    assert told() == [("network-vif-unplugged", port["id"]), ("network-vif-deleted", port["id"])]


def test_a_port_that_is_switched_off_is_not_plugged(db, http, settings, port, told, server):
    """It is DOWN, though its server is on a host."""
    assert http("PUT", f"/ports/{port['id']}", {"port": {"admin_state_up": False}}).status_int == 200
    told()
    NetworkService(db, settings).ports.bound(server)
    assert told() == [("network-vif-plugged", port_id(server))]


@pytest.mark.parametrize(
    ("off", "names"),
    [
        ("status", ["network-changed", "network-vif-deleted"]),
        ("data", ["network-vif-unplugged"]),
    ],
)
def test_an_operator_chooses_what_is_told(http, port, told, settings, off, names):
    """The status of ports, and the rest of them."""
    settings.set_override(f"notify_nova_on_port_{off}_changes", False, group="network")
    http("PUT", f"/ports/{port['id']}", {"port": {"admin_state_up": False}})
    http("DELETE", f"/ports/{port['id']}")
    assert [name for name, _ in told()] == names


# ---- how it is sent


def test_one_login_serves_until_its_token_ends(db, settings, port, cloud):
    """Then there is another, and the event is not lost."""
    teller = Nova(settings, at_once)
    for refusals in ([], [], [401]):
        cloud.refuses += refusals
        teller.tell(PLUGGED, [row(db, port["id"])])
    assert (len(cloud.requests), cloud.logins) == (3, 2)


def test_an_event_waits_for_nova(db, settings, port, cloud):
    """It is sent again after pauses that grow; the operation that it is of has long ended."""
    paused, later = [], []
    cloud.refuses += [503, 500]
    teller = Nova(settings, lambda *work: later.append(work), pause=paused.append)
    teller.tell(PLUGGED, [row(db, port["id"])])
    assert (cloud.requests, len(later)) == ([], 1)
    ((send,),) = later
    send()
    assert (len(cloud.requests), paused) == (1, [1, 2])


@pytest.mark.parametrize(("status", "pauses"), [(503, list(nova_events.PAUSES)), (403, [])])
def test_an_event_is_given_up(db, settings, port, cloud, caplog, status, pauses):
    """After the last pause, or at once when Nova does not want it; the log says of which server, and why."""
    paused = []
    cloud.refuses += [status] * 7
    Nova(settings, at_once, pause=paused.append).tell(PLUGGED, [row(db, port["id"])])
    assert (cloud.requests, paused) == ([], pauses)
    last = caplog.records[-1].getMessage()
    assert (str(status) in last, f"{PLUGGED} of {row(db, port['id']).instance_uuid}" in last) == (True, True)


def test_what_comes_meanwhile_goes_together(db, settings, port, cloud):
    """While one request waits, nothing else is begun; what comes then is one more request."""
    begun = []
    teller = Nova(settings, lambda *work: begun.append(work), pause=lambda _: teller.tell(PLUGGED, [it, it, it]))
    it = row(db, port["id"])
    cloud.refuses += [503]
    teller.tell(PLUGGED, [it])
    ((send,),) = begun
    send()
    assert [len(events) for events in cloud.requests] == [1, 3]


def test_what_cannot_wait_any_more_is_dropped(db, settings, port, cloud, monkeypatch, caplog):
    """So an api that is away for long costs no memory without end."""
    monkeypatch.setattr(nova_events, "MOST_WAITING", 3)
    begun, it = [], row(db, port["id"])
    teller = Nova(settings, lambda *work: begun.append(work))
    teller.tell(PLUGGED, [it] * 5)
    assert "network drops 2 events network-vif-plugged" in caplog.text
    ((send,),) = begun
    send()
    assert [len(events) for events in cloud.requests] == [3]
