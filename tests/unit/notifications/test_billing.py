"""The bill of examples/billing.py is right when notifications come twice, late, in another order, or not at all."""

import importlib.util
import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mininova import states
from mininova.notifications import events
from mininova.objects import Flavor, Instance
from mininova.rpc import Notification

_spec = importlib.util.spec_from_file_location("billing", Path(__file__).parents[3] / "examples/billing.py")
billing = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(billing)

FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)
LAUNCHED, DELETED = 1_767_322_800, 1_767_329_999


def at(seconds):
    return datetime.fromtimestamp(seconds + 0.9, UTC)  # fractions of a second are not billed


def told(event, instance, **extra):
    """Make a notification about an instance."""
    payload = events.instance_payload(instance, **extra)
    return Notification(event_type=f"compute.instance.{event}", payload=payload, publisher_id="", priority="info")


def life(uuid="u-1", launched=LAUNCHED, deleted=DELETED):
    """Give the notifications of an instance's life, in order: the hour in which it was deleted comes last."""
    who = {"uuid": uuid, "project_id": "demo", "user_id": "ann", "display_name": "vm", "flavor": FLAVOR}
    built = Instance(vm_state=states.BUILDING, **who)
    active = built.replace(vm_state=states.ACTIVE, launched_at=at(launched))
    gone = active.replace(vm_state=states.DELETED, terminated_at=at(deleted))
    return [
        told("create.start", built),
        told("create.end", active),
        told("exists", active),
        told("delete.start", active),
        told("delete.end", gone),
        told("exists", gone),
    ]


def bill(*heard):
    """Give the bill for some notifications."""
    made = billing.Bill(":memory:")
    for notification in heard:
        made.hear(notification)
    return made


def test_an_instance_is_billed_from_its_launch_to_its_end():
    """The bill counts its seconds, by project and flavor."""
    assert bill(*life()).totals(DELETED + 5000) == [("demo", "m1.tiny", 1, 0, DELETED - LAUNCHED)]


@pytest.mark.parametrize(
    ("until", "running", "seconds"),
    [(LAUNCHED + 60, 1, 60), (DELETED, 0, DELETED - LAUNCHED), (DELETED + 1, 0, DELETED - LAUNCHED)],
)
def test_the_bill_of_a_moment(until, running, seconds):
    """An instance that was deleted later still counts as running."""
    assert bill(*life()).totals(until) == [("demo", "m1.tiny", 1, running, seconds)]


def test_an_instance_that_never_ran_costs_nothing():
    """An instance without a launch costs nothing, and neither does the time before a launch."""
    assert bill(life()[0]).totals(DELETED) == []
    assert bill(*life()).totals(LAUNCHED) == []


@given(st.permutations(life()), st.lists(st.sampled_from(life())))
def test_order_and_repeats_make_no_difference(shuffled, again):
    """The bill is the same if the broker, the notifier or the audit sends something again."""
    assert bill(*shuffled, *again).totals(DELETED) == [("demo", "m1.tiny", 1, 0, DELETED - LAUNCHED)]


@pytest.mark.parametrize("lost", list(itertools.combinations(range(5), 3)))
def test_exists_heals_what_was_lost(lost):
    """The audit of the hour in which an instance was deleted has all that the bill needs."""
    heard = [notification for place, notification in enumerate(life()) if place not in lost]
    assert bill(*heard).totals(DELETED) == [("demo", "m1.tiny", 1, 0, DELETED - LAUNCHED)]


def test_other_notifications_are_passed_over():
    """The scheduler's notifications, for instance, do not count."""
    bill(Notification(event_type="scheduler.select_destinations.end", payload={}, publisher_id="", priority="info"))


def test_the_bill_outlives_its_listener(tmp_path):
    """The bill is stored in the file."""
    path = str(tmp_path / "billing.sqlite")
    first = billing.Bill(path)
    first.hear(life()[1])
    second = billing.Bill(path)
    second.hear(life()[4])
    assert second.totals(DELETED) == first.totals(DELETED) == [("demo", "m1.tiny", 1, 0, DELETED - LAUNCHED)]


def test_the_table_ends_with_the_sum():
    """The sum is of all projects and flavors, or of none."""
    rows = list(billing.table([("demo", "m1.tiny", 2, 1, 5400), ("other", "m1.tiny", 1, 1, 1800)]))
    assert rows[-1].split() == ["all", "3", "2", "7200", "2.00"]
    assert next(reversed(list(billing.table([])))).split() == ["all", "0", "0", "0", "0.00"]
