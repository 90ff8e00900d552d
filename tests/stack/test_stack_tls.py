"""A stack whose broker speaks TLS only: it starts as the documentation says, and every service verifies the broker.

It has the control API, too: each service reaches its broker through what can cut it off, and the flow's page plays.
"""

import re
import socket

import documentation
import pytest
from documentation import ROOT
from playwright.sync_api import expect
from stack import ports
from stack.certificates import Authority
from stack.readiness import Readiness

from mininova.control.client import Control
from tests.fixtures import chromium, sdk
from tests.fixtures.local_stack import VENV, run
from tests.fixtures.programs import Program

#: How docs/operate.md starts such a stack, and looks at its connections.
START, LOOK = next(text for _, text in documentation.blocks(ROOT / "docs/operate.md", "sh") if "TLS=1" in text).split(
    "\n", 1
)
COMPUTE = "mininova-compute-host-1.conf"


@pytest.fixture(scope="module")
def tls_stack(make_stack):
    """Start a stack with one compute, which boots no server; a second compute is added."""
    stack = make_stack(COMPUTES="1", CONTROL_API="1", BOOT="0", FLOW_PORT=str(ports.pick()))
    started = typed(stack, START)
    assert started.returncode == 0, started.stdout + started.stderr
    stack.first_output = started.stdout
    added = stack.sh("add-compute", "edge-1")
    assert added.returncode == 0, added.stderr
    return stack


def typed(stack, command):
    """Type a command in the checkout."""
    return run(["bash", "-ec", f"cd {ROOT}\n{command}"], stack.environment)


def supervisor_of(stack):
    """Give the process that a service tells when it is up."""
    return int((stack.home.run / "supervisord.pid").read_text())


def test_a_server_boots_over_tls(tls_stack):
    """The start says that the broker speaks TLS, and a server becomes ACTIVE."""
    assert re.search(r"RabbitMQ: a node of its own, on 127\.0\.0\.1:\d+, over TLS", tls_stack.first_output)
    cloud = sdk.connect(tls_stack, "mininova")
    assert sdk.at_rest(cloud, asked_for(cloud, "over-tls")).status == "ACTIVE"


def asked_for(cloud, name):
    """Ask for a server."""
    flavor, image = cloud.compute.find_flavor("m1.tiny"), cloud.image.find_image("cirros")
    return cloud.compute.create_server(name=name, flavor_id=flavor.id, image_id=image.id, networks="auto")


def test_every_connection_is_encrypted(tls_stack):
    """The broker has no connection without TLS, and at least one of each service, also of the added compute.

    What watches the broker has none: it asks the broker's own command.
    """
    looked = typed(tls_stack, LOOK)
    _, *connections = (line.split("\t") for line in looked.stdout.splitlines())

    services = [name for name in tls_stack.pids() if name.startswith("mininova-") and name != "mininova-manage-watch"]
    assert len(connections) >= len(services)
    assert {(encrypted, protocol) for _, encrypted, protocol in connections} == {("true", "tlsv1.3")}


def test_plain_amqp_is_not_answered(tls_stack):
    """AMQP without encryption gets a TLS alert or nothing, and no AMQP."""
    with socket.create_connection((ports.LOOPBACK, int(tls_stack.environment["MININOVA_BROKER_PORT"]))) as plain:
        plain.settimeout(20)
        plain.sendall(b"AMQP\x00\x00\x09\x01")
        answer = plain.recv(4096)

    assert b"RabbitMQ" not in answer
    assert answer[:1] in (b"", b"\x15")  # the latter is an alert: RFC 8446, section 5.1


def test_a_boot_ends_well_while_services_are_paused_and_killed(tls_stack):
    """A conductor is paused when the server is asked for, and a compute is killed; the control API does both."""
    control, cloud = Control.of_file(tls_stack.home.control), sdk.connect(tls_stack, "mininova")
    conductor, compute = "mininova-conductor", "mininova-compute-host-1"
    before = tls_stack.pids()

    control.act(conductor, "pause", seconds=300)
    asked = asked_for(cloud, "in-spite")
    with Readiness(tls_stack.home.run, [compute]) as readiness:
        control.act(compute, "kill")
        in_force = {it["name"]: it["actions"] for it in control.services() if it["actions"]}
        control.act(conductor, "resume")
        list(readiness.wait({compute: supervisor_of(tls_stack)}, 60))

    assert in_force == {conductor: ["pause"]}
    assert sdk.at_rest(cloud, asked).status == "ACTIVE"
    after = tls_stack.pids()
    assert {name for name in before if after[name] != before[name]} == {compute}


# ---- its page, in Chromium


@pytest.fixture(scope="module")
def browser():
    """Start Chromium, for this file only: in a process with it, no other test could run an asyncio loop."""
    with chromium.chromium() as started:
        yield started


@pytest.fixture
def page(tls_stack, browser):
    """Open the address that the start printed; the page reports no error, and asks no other host for anything."""
    (url,) = re.findall(r"http://127\.0\.0\.1:\d+/#token=\S+", tls_stack.first_output)
    with chromium.pages(browser) as opened:
        yield opened(url)


def test_a_boot_a_restart_and_a_kill_are_watched(tls_stack, page):
    """From the click to ACTIVE; a compute that is asked to end is down and up again, and one that is killed comes back.

    The states of the compute are noted as they are shown: it may be down for a moment only.
    """
    expect(page.locator("#connection")).to_have_text("live")
    page.get_by_label("real time").check()
    page.get_by_label("Name of the new server").fill("watched")
    page.get_by_role("button", name="Boot", exact=True).click()
    expect(page.locator(".host").get_by_role("button", name="watched: active")).to_be_visible()

    compute = page.get_by_role("button", name=re.compile(r"^compute\.host-1: "))
    expect(compute).to_have_attribute("aria-label", re.compile(": up"))
    compute.evaluate("""face => {
        const note = () => { document.body.dataset.shown += ` ${/: (\\w+)/.exec(face.ariaLabel)[1]}`; };
        new MutationObserver(note).observe(face, {attributes: true, attributeFilter: ["aria-label"]});
    }""")
    compute.click()
    page.get_by_role("button", name="restart", exact=True).click()
    expect(page.locator("body")).to_have_attribute("data-shown", re.compile(" down up"))
    coming_back = page.get_by_role("button", name="reconcile_host compute.host-1")
    expect(coming_back.first).to_be_visible()
    times, before, program = coming_back.count(), tls_stack.pids(), "mininova-compute-host-1"
    with Readiness(tls_stack.home.run, [program]) as readiness:
        page.get_by_role("button", name="kill", exact=True).click()
        list(readiness.wait({program: supervisor_of(tls_stack)}, 60))
    expect(coming_back).not_to_have_count(times)
    assert {name for name, pid in tls_stack.pids().items() if before.get(name) != pid} == {program}

    page.get_by_role("button", name="watched: active").click()
    page.get_by_role("button", name="delete", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("^watched: "))).to_have_count(0)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Two releases that do not understand each other", "UnsupportedVersion"),
        ("A compute that is taken over", "it never was on one of its hosts"),
    ],
)
def test_a_tour_of_what_is_refused(page, title, said):
    """Each step comes true, and the refusal is the conductor's own."""
    cards = []
    chromium.take_tour(page, title, lambda step, card: cards.append(card.locator(".waiting").inner_text()))
    assert any(said in card for card in cards), cards


# ---- whom the services trust


@pytest.fixture
def refused(tls_stack, tmp_path):
    """Give a function that restarts the compute with one change in its file, and gives the line that it prints."""

    def start(old, new):
        text = (tls_stack.home.etc / COMPUTE).read_text()
        assert old in text
        (tmp_path / COMPUTE).write_text(text.replace(old, new))
        done = tls_stack.tool("mininova-compute", "--config-file", str(tmp_path / COMPUTE))
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        password = re.search(r"transport_url = amqps://[^:]+:([^@]+)@", text)[1]
        assert password not in line
        return line

    return start


def test_a_broker_of_another_authority_is_not_trusted_by_services(tls_stack, refused, tmp_path):
    """A service that trusts another authority, or only those of the system, sends the broker no password."""
    other = Authority(tmp_path, "other").cert
    trusting = f"ssl_ca_file = {tls_stack.home.ca}"

    assert "its certificate is not trusted" in refused(trusting, f"ssl_ca_file = {other}")
    assert "its certificate is not trusted" in refused(trusting, "")


def test_a_broker_under_another_name_is_not_trusted(refused):
    """The certificate is valid, but for another name."""
    assert "its certificate is not trusted: Hostname mismatch" in refused("@127.0.0.1:", "@localhost:")


def test_without_tls_the_log_says_so(tls_stack, tmp_path):
    """A broker that hangs up may be one that is just starting, so the service waits, and says which URL to write."""
    text = (tls_stack.home.etc / COMPUTE).read_text()
    (tmp_path / COMPUTE).write_text(text.replace("amqps://", "amqp://"))
    waiting = Program([VENV / "mininova-compute", "--config-file", tmp_path / COMPUTE], tmp_path, tls_stack.environment)
    try:
        waiting.wait_for("write amqps:// instead of amqp://; trying again until it works")
    finally:
        waiting.kill()
