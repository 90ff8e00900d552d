"""The wheel is all that a cloud needs: it is installed into an empty environment, and boots a server from there.

What mininova depends on comes from this environment, by a .pth file; tests/unit/packaging sees that pyproject.toml
declares it.  What mininova is made of comes from the wheel alone: nothing runs in the checkout, or knows where it is.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import ExitStack
from pathlib import Path
from zipfile import ZipFile

import pytest
from documentation import ROOT
from stack import ports, processes, readiness

from tests.fixtures.rest_client import COMPUTE, Client

SERVICES = ("api", "conductor", "scheduler", "compute")
PASSWORD = "secret"
#: What mininova-rpc says that it needs, and what that needs.
FOR_THE_LIBRARY = ("amqp", "kombu", "msgspec", "packaging", "tzdata", "vine")
A_CALL = """
from mininova import rpc
from mininova.rpc.transports.kombu import KombuTransport

class Echo(rpc.Interface):
    topic, version = "echo", "1.0"
    @rpc.call(since="1.0")
    def say(self, ctxt: dict, what: str) -> str: "Give it back."

class Wall:
    def say(self, ctxt, what): return what

peer = rpc.Peer(KombuTransport("kombu+memory://"), name="test", exchange="test")
peer.start()
server = rpc.Server(peer, "a", [(Echo, Wall())])
server.start()
print(Echo(peer).say({}, "hello"))
server.stop(10)
peer.stop()
"""
DEADLINE = 60  # seconds for all services to be up


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel, from a copy of the sources."""
    sources, made = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    shutil.copytree(ROOT / "mininova", sources / "mininova", ignore=shutil.ignore_patterns("__pycache__"))
    return built(sources, made)


def built(sources, made):
    """Build the wheel of a project without a network."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", made, sources], check=True, timeout=120)
    (wheel,) = made.iterdir()
    return wheel


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Install the wheel into an environment of its own; give the folder of its programs."""
    return installed(wheel, tmp_path_factory.mktemp("environment"), sysconfig.get_path("purelib"))


def installed(wheel, folder, dependencies):
    """Install a wheel into an environment, and say in which folder Python finds what it depends on."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder / "bin/python", "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-compile", wheel], check=True, timeout=60)
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    return folder / "bin"


@pytest.fixture
def home(virtual_host, tmp_path):
    """Write the settings of a cloud; the others have their defaults."""
    common = f"[DEFAULT]\nhost = host-1\nstate_path = {tmp_path}\ntransport_url = {virtual_host}\n"
    common += "control_exchange = wheel\n[identities]\nenforce = false\n"
    (tmp_path / "compute.conf").write_text(common)
    (tmp_path / "controller.conf").write_text(f"{common}[api]\nport = {ports.pick()}\n")
    return tmp_path


@pytest.fixture
def run(environment, home):
    """Give a function that starts a program of the environment, outside the checkout."""

    def run(program, *words, **variables):
        file = home / ("compute.conf" if program.endswith("compute") else "controller.conf")
        plain = processes.plain_environment(os.environ) | variables
        command = [environment / program, *words, "--config-file", file]
        return subprocess.Popen(command, cwd=home, env=plain, stdin=subprocess.DEVNULL)

    return run


def test_a_cloud_from_the_wheel(run, home):
    """Db upgrade, bootstrap and four services from the wheel boot a server."""
    for words in (("db", "upgrade"), ("bootstrap", "--admin-password", PASSWORD, "--demo-password", PASSWORD)):
        assert run("mininova-manage", *words).wait(DEADLINE) == 0

    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="mininova-")))  # a short path
        up = running.enter_context(readiness.Readiness(folder, SERVICES))
        started = {}
        for name in SERVICES:
            socket = {readiness.VARIABLE: str(readiness.socket_path(folder, name))}
            started[name] = running.enter_context(run(f"mininova-{name}", **socket))
            running.callback(started[name].terminate)
        assert set(up.wait({name: each.pid for name, each in started.items()}, DEADLINE)) == set(SERVICES)

        port = (home / "controller.conf").read_text().rpartition("port = ")[2].strip()
        demo = Client(f"http://127.0.0.1:{port}", "demo", PASSWORD)
        assert demo("GET", "/healthcheck").status == 200
        server = demo.boot("from-a-wheel").body["server"]["id"]
        assert demo.at_rest(server) == "ACTIVE"
        assert demo("DELETE", f"{COMPUTE}/servers/{server}").status == 204
        assert demo.at_rest(server) == "DELETED"


def test_the_programs_are_the_wheels(environment):
    """The programs of the environment import mininova from there, not from the checkout."""
    script = "import mininova; print(mininova.__file__)"
    done = subprocess.run([environment / "python", "-c", script], cwd="/", check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()).is_relative_to(environment.parent)


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    """The wheel has each file under mininova/ in git, data as well as code, and no other files of the checkout."""
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "mininova"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    wanted = {name for name in kept.stdout.splitlines() if (ROOT / name).exists()}
    with ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == wanted


def test_the_library_alone(tmp_path):
    """mininova-rpc has nothing but mininova/rpc, with its types; and calls and answers with what it says it needs."""
    sources, needed = tmp_path / "sources", tmp_path / "needed"
    shutil.copytree(ROOT / "mininova", sources / "mininova", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "packaging/rpc", sources / "packaging/rpc")
    wheel = built(sources / "packaging/rpc", tmp_path / "made")
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert "mininova/rpc/py.typed" in names
    assert [name for name in names if not name.startswith("mininova/rpc/")] == []

    needed.mkdir()
    for name in FOR_THE_LIBRARY:
        (needed / name).symlink_to(Path(sysconfig.get_path("purelib")) / name)
    python = installed(wheel, tmp_path / "environment", needed) / "python"
    done = subprocess.run([python, "-c", A_CALL], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("hello\n", "")
