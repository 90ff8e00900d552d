"""The console reads like a boot of the guest it belongs to."""

from mininova.virt import console
from mininova.virt.guests import Guest


def test_boot_names_the_guest(instance, image):
    """The console of a boot has the guest's host name, addresses, uuid, flavor and image."""
    text = console.text(Guest.of(instance, image, 1_700_000_000.0))
    for words in ("web-1 login:", "10.0.0.7", instance.uuid, "m1.small", "cirros", "2023-11-14T22:13:20"):
        assert words in text


def test_grows(instance, image):
    """Each start adds a boot to what is there."""
    guest = Guest.of(instance, image, 1_700_000_000.0)
    once, twice = console.text(guest), console.text(guest.started(1_700_000_060.0))
    assert twice.startswith(once)
    assert len(twice) == 2 * len(once) + 1


def test_last_line(instance, image):
    """The last line is the login prompt, with no newline after it."""
    assert console.text(Guest.of(instance, image, 0.0)).split("\n")[-1] == "web-1 login:"
