"""The ways that notifications can go: the log, the broker, several at once, and by rules."""

import json
import logging

import pytest

from mininova.rpc.notify.drivers import Driver, Kept, Log, Noop, Routing, Several
from mininova.rpc.notify.notification import Notification


def told(event_type="lamp.on", priority="info", **payload):
    """Make a notification."""
    return Notification(event_type=event_type, payload=payload, publisher_id="lamp.a", priority=priority)


class Broken(Driver):
    """Fails at everything; a flush of it never ends."""

    def notify(self, notification):
        raise OSError("the disk is full")

    def flush(self, timeout):
        return False


def test_a_driver_that_fails_is_named_and_the_others_go_on(caplog):
    """The log says in one line which driver failed, what was lost and why."""
    before, after = Kept(), Kept()
    notification = told()

    Several([before, Broken(), after]).notify(notification)

    assert before.notifications == after.notifications == [notification]
    (line,) = caplog.messages
    assert "lamp.on was not sent by Broken" in line
    assert "the disk is full" in line
    assert notification.message_id in line


def test_several_drivers_are_flushed_when_each_is():
    """The flush fails if one driver still holds notifications."""
    assert Several([Kept(), Noop()]).flush(1)
    assert not Several([Kept(), Broken()]).flush(1)


@pytest.mark.parametrize(
    ("priority", "level"),
    [
        ("debug", "DEBUG"),
        ("info", "INFO"),
        ("warn", "WARNING"),
        ("error", "ERROR"),
        ("critical", "CRITICAL"),
        ("audit", "INFO"),
    ],
)
def test_the_log_driver_writes_json(caplog, priority, level):
    """The logger named after the event type writes the whole notification as JSON at the priority's level, and no
    secret.
    """
    caplog.set_level(logging.DEBUG)

    Log().notify(told(priority=priority, name="desk", admin_password="hush"))

    (record,) = caplog.records
    assert (record.name, record.levelname) == ("mininova.notification.lamp.on", level)
    said = json.loads(record.message)
    assert said["payload"] == {"name": "desk", "admin_password": "***"}
    assert (said["event_type"], said["publisher_id"], said["priority"]) == ("lamp.on", "lamp.a", priority)


# ---- routing

RULES = {
    "billing": {
        "bills": {"accepted_events": ["lamp.*"], "rejected_events": ["lamp.flicker*"], "accepted_priorities": ["INFO"]}
    },
    "night": {"pager": {"accepted_priorities": ["error", "critical"]}, "bills": {"accepted_events": ["meter.*"]}},
    "all": {"archive": None},
}


@pytest.mark.parametrize(
    ("event_type", "priority", "takers"),
    [
        ("lamp.on", "info", {"bills", "archive"}),
        ("lamp.on", "warn", {"archive"}),
        ("lamp.flickered", "info", {"archive"}),
        ("lamp.broken", "error", {"pager", "archive"}),
        ("meter.read", "sample", {"bills", "archive"}),
        ("fuse.blown", "critical", {"pager", "archive"}),
    ],
)
def test_rules_choose_the_drivers(event_type, priority, takers):
    """Rules choose by patterns of event types and by priorities; a list that a rule leaves out lets all pass."""
    drivers = {name: Kept() for name in ("bills", "pager", "archive")}

    Routing(RULES, drivers.__getitem__).notify(told(event_type, priority))

    assert {name for name, driver in drivers.items() if driver.notifications} == takers


def test_a_driver_that_two_rules_choose_sends_once():
    """A driver that two rules choose sends a notification once."""
    kept = Kept()
    Routing({"one": {"log": {}}, "other": {"log": {}}}, lambda name: kept).notify(told())
    assert len(kept.notifications) == 1


def test_a_routed_driver_that_fails_does_not_stop_the_others(caplog):
    """The other driver still gets the notification."""
    drivers = {"broken": Broken(), "kept": Kept()}
    Routing({"all": {"broken": {}, "kept": {}}}, drivers.__getitem__).notify(told())
    assert len(drivers["kept"].notifications) == 1
    assert "was not sent by Broken" in caplog.text


def test_no_rules_are_no_drivers():
    """With an empty file, a notification goes nowhere."""
    Routing(None, lambda name: Kept()).notify(told())


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (["lamp.*"], "the routing is a mapping"),
        ({"billing": "log"}, "rule billing is a mapping"),
        ({"billing": {"log": ["lamp.*"]}}, "driver log of rule billing is a mapping"),
        ({"billing": {"log": {"accepted_event": ["lamp.*"]}}}, "has 'accepted_event'"),
        ({"billing": {"log": {"accepted_events": "lamp.*"}}}, "is a list of patterns, not 'lamp.*'"),
        ({"billing": {"log": {"accepted_priorities": ["fatal"]}}}, "the priority 'fatal'"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules, said):
    """The error says which rule it is and what is wrong with it."""
    with pytest.raises(ValueError, match=said):
        Routing(rules, lambda name: Kept())
