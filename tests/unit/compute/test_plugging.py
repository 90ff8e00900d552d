"""A boot waits for the ports of its instance, however early or late what is told of them comes."""

import threading

import pytest

from mininova import errors
from mininova.compute.plugging import PLUGGED, Plugging
from mininova.objects import FixedIP

PATIENCE_S = 60.0  # no test waits as long
MACS = ("fa:16:3e:00:00:02", "fa:16:3e:00:00:03")


@pytest.fixture
def instance(an_instance):
    """Give an instance with two ports, one of them with two addresses."""
    four = [FixedIP(address=f"10.0.0.{n}", network="flat", mac_address=mac) for n, mac in enumerate(MACS, 2)]
    six = FixedIP(address="2001:db8::2", network="flat", mac_address=MACS[0], version_number=6)
    return an_instance().replace(addresses=(*four, six))


class Begun(threading.Condition):
    """Tells when somebody begins to wait on it."""

    def __init__(self):
        super().__init__()
        self.begun = threading.Event()

    def wait(self, timeout=None):
        self.begun.set()
        return super().wait(timeout)


@pytest.fixture
def wait(instance):
    """Wait in a thread for an instance that is expected; give what tells how that ended, when it has begun to wait."""

    def wait(plugging):
        ended = []

        def boot():
            try:
                plugging.wait(instance)
                ended.append(None)
            except errors.MininovaError as error:
                ended.append(type(error))

        thread = threading.Thread(target=boot, daemon=True)
        thread.start()
        assert change.begun.wait(PATIENCE_S)

        def end():
            thread.join(PATIENCE_S)
            return ended

        return end

    change = Begun()
    wait.change = change
    return wait


def test_what_comes_early_is_not_lost(instance):
    """It counts from before the host asks for the network; a port that is told of twice counts once."""
    plugging = Plugging(PATIENCE_S, is_fatal=True)
    with plugging.expected(instance.uuid):
        for port in ("one", "one", "two"):
            plugging.came(instance.uuid, PLUGGED, port, "completed")
        plugging.wait(instance)


def test_what_comes_late_ends_the_wait(instance, wait):
    """The last port does; the events of another instance, and other events, do not count."""
    plugging = Plugging(PATIENCE_S, is_fatal=True, change=wait.change)
    with plugging.expected(instance.uuid):
        plugging.came(instance.uuid, PLUGGED, "one", "completed")
        plugging.came("another", PLUGGED, "two", "completed")
        plugging.came(instance.uuid, "network-changed", "two", "completed")
        end = wait(plugging)
        plugging.came(instance.uuid, PLUGGED, "two", "completed")
        assert end() == [None]


@pytest.mark.parametrize(
    ("happens", "raised"),
    [
        (lambda plugging, uuid: plugging.came(uuid, PLUGGED, "two", "failed"), errors.VirtualInterfaceCreateFailed),
        (lambda plugging, uuid: plugging.deleted(uuid), errors.GuestGone),
    ],
    ids=["a port fails", "the instance is deleted"],
)
def test_a_wait_ends_early(instance, wait, happens, raised):
    """When a port could not be plugged, and when nothing is left to wait for."""
    plugging = Plugging(PATIENCE_S, is_fatal=True, change=wait.change)
    with plugging.expected(instance.uuid):
        end = wait(plugging)
        happens(plugging, instance.uuid)
        assert end() == [raised]


@pytest.mark.parametrize("is_fatal", [True, False])
def test_the_time_is_up(instance, is_fatal, caplog):
    """Then the boot fails, or goes on; the log says how many ports were plugged, of how many."""
    plugging = Plugging(0.001, is_fatal=is_fatal)
    with plugging.expected(instance.uuid):
        plugging.came(instance.uuid, PLUGGED, "one", "completed")
        if is_fatal:
            with pytest.raises(errors.VirtualInterfaceCreateFailed, match=instance.uuid):
                plugging.wait(instance)
        else:
            plugging.wait(instance)
    assert f"all of the 2 ports of instance {instance.uuid}: 1 after 0.001 s" in caplog.text


def test_without_a_time_none_waits(instance):
    """That is the default."""
    plugging = Plugging(0.0, is_fatal=True)
    with plugging.expected(instance.uuid):
        plugging.wait(instance)


def test_an_event_of_an_instance_that_is_not_expected_changes_nothing(instance):
    """It may come after the boot, or be of one that was never here."""
    Plugging(PATIENCE_S, is_fatal=True).came(instance.uuid, PLUGGED, "one", "completed")
