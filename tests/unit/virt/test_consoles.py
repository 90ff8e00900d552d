"""A console proxy sees the consoles of fake guests: mininova/virt/consoles.py, terminal.py and serial.py."""

import pytest

from mininova import conf, errors
from mininova.virt.consoles import Consoles, offers
from mininova.virt.fake import FakeDriver, machine
from mininova.virt.guests import GuestStore


@pytest.fixture
def driver(tmp_path, clock, instance, image):
    """Give the fake hypervisor of a host that shows serial consoles, with one guest."""
    from mininova.virt.behaviour import Behaviour

    settings = conf.for_tests("compute", **{"serial_console.enabled": True})
    consoles = Consoles(offers(settings))
    made = FakeDriver(machine(settings, "host-1"), GuestStore(str(tmp_path), "host-1"), Behaviour(), clock, consoles)
    made.spawn(instance, image)
    return made


def until(stream, words):
    """Read as far as some words."""
    seen = b""
    while words not in seen:
        byte = stream.read(1)
        assert byte, f"it ended before {words!r}: {seen[-200:]!r}"
        seen += byte
    return seen


def test_a_serial_console_shows_what_the_guest_writes(driver, instance, viewer, clock):
    """First all that it has written, then what it writes at its next boot."""
    console = driver.get_console(instance, "serial", "serial")
    assert console.access_url_base == "ws://127.0.0.1:6083/"
    _, stream = viewer(console)
    assert until(stream, b"\r\n\r\n") == b"HTTP/1.1 200 OK\r\n\r\n"
    assert instance.uuid.encode() in until(stream, b"web-1 login: ")
    clock.now += 60
    driver.reboot(instance, "SOFT")
    assert b"launch-time: 2023-11-14T22:14:20Z" in until(stream, b"web-1 login:")


def test_no_login_is_let_in(driver, instance, viewer):
    """A name is echoed and a password is not; then the login begins again."""
    connection, stream = viewer(driver.get_console(instance, "serial", "serial"))
    until(stream, b"login: ")
    connection.sendall(b"cirrus\x7f\x7fos\r")
    assert b"os\r\nPassword: " in until(stream, b"Password: ")
    connection.sendall(b"gocubsgo\r")
    assert until(stream, b"login: ") == b"\r\nLogin incorrect\r\nweb-1 login: "


def test_a_console_ends_with_its_guest(driver, instance, viewer):
    """Its viewers are let go, and the path leads nowhere from then on."""
    console = driver.get_console(instance, "serial", "serial")
    _, stream = viewer(console)
    until(stream, b"login: ")
    driver.destroy(instance.uuid)
    assert stream.read() == b""
    _, stream = viewer(console)
    assert stream.read() == b"HTTP/1.1 404 Not Found\r\n\r\n"


def test_one_port_shows_all_consoles(driver, an_instance, instance, image, viewer):
    """The path says which it is; a made-up one leads nowhere."""
    other = an_instance(hostname="db-1")
    driver.spawn(other, image)
    mine, others = (driver.get_console(it, "serial", "serial") for it in (instance, other))
    assert mine.port == others.port
    assert mine.internal_access_path != others.internal_access_path
    until(viewer(others)[1], b"db-1 login:")
    assert b"404" in viewer(mine, "made-up")[1].readline()


@pytest.mark.parametrize(
    ("protocol", "console_type", "complaint"),
    [
        ("vnc", "novnc", errors.ConsoleTypeUnavailable),
        ("spice", "spice-html5", errors.ConsoleTypeUnavailable),
        ("serial", "novnc", errors.ConsoleTypeInvalid),
    ],
)
def test_what_is_not_offered(driver, instance, protocol, console_type, complaint):
    """It is refused, and the answer names the type."""
    with pytest.raises(complaint, match=console_type):
        driver.get_console(instance, protocol, console_type)


def test_no_guest_no_console(driver, an_instance):
    """There is nothing to see."""
    with pytest.raises(errors.GuestNotFound):
        driver.get_console(an_instance(), "serial", "serial")
