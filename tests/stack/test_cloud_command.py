"""mininova-cloud: the whole cloud in one process, as its user starts it, sees it and ends it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from http.client import RemoteDisconnected
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request, urlopen

import pytest

from mininova.control.client import Control, ControlError
from tests.fixtures import forked
from tests.fixtures.rest_client import COMPUTE, Client

BIN = Path(sys.executable).parent
DEADLINE = 60  # seconds to start or to end
SOON = 30  # seconds to end, on a busy machine; what is under way would take more than DEADLINE


def command(*words):
    """Run it until it ends by itself; give its exit code and what it said."""
    return ended(forked.run("mininova-cloud", words, os.environ))


def started(program, *words):
    """Start a program anew, as its user does, and run it to its end; likewise."""
    return ended(subprocess.run([BIN / program, *words], capture_output=True, text=True, timeout=DEADLINE))


def ended(done):
    """Give the exit code of a program and what it said."""
    return done.returncode, done.stdout + done.stderr


def tool(name, state, *words):
    """Run one of the tools on the cloud; give what it printed."""
    done = forked.run(name, [*words, "--config-file", state / "mininova.conf"], os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(*words):
    """Run it in a block; give its process and the line in which it says that it is up."""
    cloud = subprocess.Popen([sys.executable, "-m", "mininova", *words], stdout=subprocess.PIPE, text=True)
    try:
        yield cloud, cloud.stdout.readline()
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(DEADLINE)
        cloud.stdout.close()


def demo(said, user="demo"):
    """Log in where it says that it is."""
    return Client(re.search(r"http://127\.0\.0\.1:\d+", said).group(), user, "mininova")


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Give the folder of a cloud."""
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="module")
def cloud(state):
    """Give a cloud of five hosts: its process, and what it said."""
    with running("--port", "0", "--page", "0", "--hosts", "5", "--state", str(state)) as started:
        yield started


def test_a_server_boots(cloud, state):
    """Its messages are those of any cloud, and the tools work on the folder."""
    user = demo(cloud[1])
    assert user.at_rest(user.boot("one").body["server"]["id"]) == "ACTIVE"
    shown = tool("mininova-flow", state, "show", "one")
    sent = ["build_instances", "select_destinations", "build_instance", "allocate_network", "update_instance"]
    assert [method for method in sent if method not in shown] == []
    services = json.loads(tool("mininova-manage", state, "service", "list", "-f", "json"))
    assert {service["state"] for service in services} == {"up"}


def test_it_is_shown_in_a_browser(cloud):
    """The page has its hosts; who has the token may boot a server there, and sees its host work on it."""
    said = next(line for line in cloud[0].stdout if "browser" in line)
    url, token = re.search(r"(http://127\.0\.0\.1:\d+/)#token=(\S+)", said).groups()
    headers = {"X-Flow-Token": token, "Content-Type": "application/json"}
    asked = Request(f"{url}api/play/servers", b'{"name": "shown"}', headers)
    with urlopen(f"{url}api/live", timeout=DEADLINE) as live:
        told = (json.loads(line.removeprefix(b"data: ")) for line in live if line.startswith(b"data: "))
        world = json.load(urlopen(f"{url}api/world", timeout=DEADLINE))
        shown = {row["name"] for row in world["services"]}
        while not {"compute.host-1", "compute.host-5"} <= shown:  # they report themselves soon after the start
            shown |= {row["name"] for row in next(told).get("services", ())}
        assert urlopen(asked, timeout=DEADLINE).status == 202
        ended = next(it for it in told if it.get("method") == "build_instance" and it["took_ms"] is not None)
    assert ended["to"] in {f"compute.host-{number}" for number in range(1, 6)}


def test_each_service_is_one_that_may_do_what_it_does(cloud, state):
    """The rules of who may ask whom hold as over RabbitMQ, and an honest cloud breaks none."""
    assert json.loads(tool("mininova-manage", state, "denials", "list", "-f", "json")) == []


def test_clients_find_it(cloud, state):
    """By the clouds.yaml that it names."""
    found = json.loads((state / "clouds.yaml").read_text())["clouds"]
    assert {name: it["auth"]["username"] for name, it in found.items()} == {
        "mininova": "demo",
        "mininova-admin": "admin",
    }
    environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(state / "clouds.yaml"), "OS_CLOUD": "mininova-admin"}
    words = ["hypervisor", "list", "-f", "value", "-c", "Hypervisor Hostname"]
    listed = forked.run("openstack", words, environ)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert sorted(listed.stdout.split()) == [f"host-{number}" for number in range(1, 6)]


def test_an_answer_is_lost_with_its_connection(cloud, state):
    """By a rule of the control API, whose token only the cloud's owner can read; the key pair is made."""
    user = demo(cloud[1])
    assert (state / "control.json").stat().st_mode & 0o077 == 0
    asked = {"keypair": {"name": "lost"}}
    with Control.of_file(state / "control.json").rule(method="POST", url="*/os-keypairs", lost="closed") as rule:
        with pytest.raises(RemoteDisconnected):
            user("POST", f"{COMPUTE}/os-keypairs", asked, version="2.1")
        assert (rule.matched, rule.applied) == (1, 1)
    assert user("POST", f"{COMPUTE}/os-keypairs", asked, version="2.1").status == 409


def test_a_request_to_the_control_api_is_refused_with_a_reason(cloud, state):
    control = Control.of_file(state / "control.json")
    with pytest.raises(ControlError, match="Invalid input for field/attribute times: Expected `int` >= 1"):
        control.rule(status=500, times=0).__enter__()
    assert control.rules() == []


def test_it_is_controlled_from_a_shell(cloud, state, tmp_path):
    """Rules, the state of a server, and the state of all."""
    user, saved = demo(cloud[1]), str(tmp_path / "saved")

    def control(*words):
        code, said = ended(forked.run("mininova-control", ["--file", state / "control.json", *words], os.environ))
        return code, said.strip()

    code, rule = control("rule", "url=*/flavors", "status=503", 'headers={"Retry-After": "9"}', "times=1")
    assert [user("GET", f"{COMPUTE}/flavors").status for _ in range(2)] == [503, 200]
    (listed,) = json.loads(control("rules", "-f", "json")[1])
    assert (code, listed["id"], listed["matched"], listed["applied"]) == (0, rule, 2, 1)
    assert "url=*/flavors" in control("rules")[1]
    assert [control("delete", rule), control("delete")] == [(0, ""), (0, "")]
    assert control("rules") == (0, "There are no rules.")
    assert control("rule", "times=often") == (
        2, "mininova-control: Invalid input for field/attribute times: Expected `int | null`, got `str`",
    )  # fmt: skip
    uuid = user.boot("one").body["server"]["id"]
    assert user.at_rest(uuid) == "ACTIVE"
    assert control("state", uuid, "vm_state=error", "power_state=4") == (0, "")
    assert control("save", saved) == (0, "")
    assert started("mininova-control", "--file", state / "control.json", "reset") == (0, "")
    assert user("GET", f"{COMPUTE}/servers/{uuid}").status == 404
    assert control("load", saved) == (0, "")
    assert user("GET", f"{COMPUTE}/servers/{uuid}").body["server"]["status"] == "ERROR"
    assert control("reset") == (0, "")


def test_a_reset_ends_what_is_under_way(cloud, state):
    """A build that its hypervisor would take a minute for; the next server boots."""
    behaviour, control = state / "fake-behaviour.yaml", Control.of_file(state / "control.json")
    before = behaviour.read_text()
    behaviour.write_text('[{"operation": "spawn", "instances": "slow", "delay": 60000}]')
    user = demo(cloud[1])
    slow = user.boot("slow").body["server"]["id"]
    control.reset()
    assert json.loads(tool("mininova-manage", state, "denials", "list", "-f", "json")) == []
    assert user("GET", f"{COMPUTE}/servers").body == {"servers": []}
    assert user("GET", f"{COMPUTE}/servers/{slow}").status == 404
    assert [*(state / "guests").glob("*/*.json")] == []
    assert user.at_rest(user.boot("next").body["server"]["id"]) == "ACTIVE"
    behaviour.write_text(before)


def test_a_reset_of_one_project_waits_for_no_other(cloud, state):
    """A build of another one takes a minute, and goes on."""
    behaviour, control = state / "fake-behaviour.yaml", Control.of_file(state / "control.json")
    before = behaviour.read_text()
    behaviour.write_text('[{"operation": "spawn", "instances": "slow", "delay": 60000}]')
    user, other = demo(cloud[1]), demo(cloud[1], "admin")
    user.boot("gone")
    other.boot("slow")
    control.reset(user.login.body["token"]["project"]["id"])
    assert user("GET", f"{COMPUTE}/servers").body == {"servers": []}
    (slow,) = other("GET", f"{COMPUTE}/servers/detail").body["servers"]
    assert slow["status"] == "BUILD"
    control.reset()
    behaviour.write_text(before)


def test_what_needs_its_broker_says_why_it_cannot(cloud, state):
    """No other process reaches a broker in memory."""
    done = forked.run("mininova-flow", ["tail", "--config-file", state / "mininova.conf"], os.environ)
    assert done.returncode == 2
    assert done.stderr.startswith("mininova-flow: transport_url: memory:// is a broker inside mininova-cloud")


def test_a_port_that_is_taken(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        code, said = started("mininova-cloud", "--port", str(port), "--state", str(tmp_path))
    assert (code, said) == (
        2, f"mininova-cloud: [api] port = {port}: cannot listen on 127.0.0.1: Address already in use\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--hosts", "0"], "argument --hosts: '0' is no number from 1 to 10000"),
        (["--port", "x"], "argument --port: 'x' is no number from 0 to 65535"),
        (["--config-file", "/nowhere"], "there is no configuration file /nowhere"),
    ],
)
def test_what_cannot_be(words, said):
    code, output = command("--port", "0", *words)
    assert (code, output.count("Traceback")) == (2, 0)
    assert said in output


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Start a cloud, boot a server, and end the cloud; give its folder and the server."""
    folder = tmp_path_factory.mktemp("left")
    words = ["--port", "0", "--hosts", "1", "--state", str(folder)]
    with running(*words) as (cloud, said):
        user = demo(said)
        uuid = user.boot("kept").body["server"]["id"]
        assert user.at_rest(uuid) == "ACTIVE"
        second = command(*words)
    assert cloud.returncode == 0
    return SimpleNamespace(folder=folder, uuid=uuid, second=second)


@pytest.fixture(scope="module")
def again(left):
    """Start the cloud of that folder again, with settings of its own; give a user of it."""
    older = left.folder / "older.conf"
    older.write_text("[api]\nmax_microversion = 2.79\n")
    with running("--port", "0", "--hosts", "1", "--state", str(left.folder), "--config-file", str(older)) as (_, said):
        yield demo(said)


def test_a_reader_who_has_read_enough_does_not_end_it(tmp_path):
    """Nor is it a failure of a command that a shell has closed its output before."""
    with running("--port", "0", "--page", "0", "--hosts", "1", "--state", str(tmp_path)) as (cloud, said):
        cloud.stdout.close()
        demo(said)
        words = [
            "bash",
            "-c",
            'exec "$@" 1>&-',
            "-",
            BIN / "mininova-control",
            "--file",
            tmp_path / "control.json",
            "rules",
        ]
        assert ended(subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)) == (0, "")
    assert cloud.returncode == 0


def test_it_ends_soon_whatever_is_under_way(tmp_path):
    """A server takes ten minutes to build: the next start on the folder would go on with it."""
    with running("--port", "0", "--hosts", "1", "--state", str(tmp_path)) as (_, said):
        control, user = Control.of_file(tmp_path / "control.json"), demo(said)
        control.behaviour({"operation": "spawn", "delay": 600_000})
        user.boot("slow")
        began = time.monotonic()
    assert time.monotonic() - began < SOON


def test_two_at_once_in_a_folder(left):
    """The second one is refused."""
    assert left.second == (2, f"mininova-cloud: another mininova-cloud runs in {left.folder}\n")


def test_its_folder_outlives_it(left, again):
    """The next start on the same folder has the servers of the last one."""
    assert again("GET", f"{COMPUTE}/servers/{left.uuid}", version="2.1").body["server"]["status"] == "ACTIVE"


def test_its_own_settings_win(again):
    """Such as the greatest microversion: so it plays an older cloud."""
    assert again("GET", f"{COMPUTE}/", version="2.1").body["version"]["version"] == "2.79"
