"""An instance, an image, and a fake hypervisor with a clock and a behaviour that the test controls."""

import socket
import threading
from uuid import uuid4

import pytest

from mininova import states
from mininova.objects import ComputeNode, FixedIP, Flavor, ImageMeta, Instance
from mininova.virt.behaviour import NO_GUEST, Behaviour
from mininova.virt.fake import FakeDriver
from mininova.virt.guests import GuestStore

FLAVOR = Flavor(flavor_id="2", name="m1.small", memory_mb=2048, vcpus=2, root_gb=20, ephemeral_gb=5)
ADDRESS = FixedIP(address="10.0.0.7", network="flat", mac_address="fa:16:3e:00:00:07")


class Clock:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        """Give the time, as epoch seconds."""
        return self.now


class Announcing(Behaviour):
    """A behaviour from a file that announces each use of it."""

    def __init__(self, path):
        super().__init__(path)
        self.drawn = threading.Semaphore(0)

    def draw(self, host, operation, target=NO_GUEST):
        """Draw, and announce it."""
        outcome = super().draw(host, operation, target)
        self.drawn.release()
        return outcome


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def image():
    return ImageMeta(id="7f3d", name="cirros")


@pytest.fixture
def an_instance():
    """Make instances that can be spawned."""

    def make(**fields):
        named = {"uuid": str(uuid4()), "display_name": "web 1", "hostname": "web-1", "addresses": (ADDRESS,), **fields}
        return Instance(project_id="demo", user_id="ann", vm_state=states.BUILDING, flavor=FLAVOR, **named)

    return make


@pytest.fixture
def instance(an_instance):
    return an_instance()


@pytest.fixture
def viewer():
    """Connect to a console, as a proxy does, and give what is read there."""
    opened = []

    def connect(console, path=None):
        connection = socket.create_connection((console.host, console.port), timeout=30)
        opened.append(connection)
        connection.sendall(f"CONNECT {path or console.internal_access_path} HTTP/1.1\r\n\r\n".encode())
        return connection, connection.makefile("rb")

    yield connect
    for connection in opened:
        connection.close()


@pytest.fixture
def behaviour_file(tmp_path):
    """Write a behaviour file, and give its path."""

    def write(text):
        path = tmp_path / "behaviour.yaml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def a_behaviour(behaviour_file):
    """Make a behaviour from the text of a file."""
    return lambda text: Announcing(behaviour_file(text))


@pytest.fixture
def a_driver(tmp_path, clock):
    """Make the fake hypervisor of host-1; a second one is the same after a restart."""

    def make(behaviour=None):
        machine = ComputeNode(host="host-1", hypervisor_hostname="host-1", vcpus=8, memory_mb=16384, local_gb=200)
        return FakeDriver(machine, GuestStore(str(tmp_path / "guests"), "host-1"), behaviour or Behaviour(), clock)

    return make


@pytest.fixture
def driver(a_driver):
    return a_driver()
