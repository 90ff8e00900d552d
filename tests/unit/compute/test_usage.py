"""The usage audit notifies of each period of each instance at least once, also after restarts."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import conf, rpc
from mininova.compute.usage import UsageAudit
from mininova.notifications.audit_period import AuditPeriod
from mininova.rpc.notify.drivers import Kept

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOST = "host-1"


def hours(count):
    """Give a moment some hours after noon."""
    return NOON + timedelta(hours=count)


class Clock:
    """A clock that the test sets."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


class Full(Kept):
    """Takes notifications, but cannot say that they arrived."""

    def flush(self, timeout):
        return False


class Host:
    """A host whose audit a test can start anew, with its notifications.

    :ivar told: the uuid and the period of each, in the order of their notifications
    """

    def __init__(self, conductor, folder):
        self.conductor, self.clock, self.driver = conductor, Clock(hours(0.5)), Kept()
        self._mark = folder / "usage-told-until"

    def audit(self, period="hour"):
        """Start the process: its audit knows the file and nothing else."""
        notifier = rpc.Notifier(None, f"compute.{HOST}", drivers=[self.driver])
        period = AuditPeriod.parse(period)
        return UsageAudit(HOST, self.conductor, notifier, period=period, mark=self._mark, clock=self.clock)

    @property
    def told(self):
        keys = ("instance_id", "audit_period_beginning", "audit_period_ending")
        return [tuple(each.payload[key] for key in keys) for each in self.driver.notifications]


@pytest.fixture
def host(conductor, tmp_path):
    return Host(conductor, tmp_path)


@pytest.fixture
def running(an_instance):
    """Make an instance that was launched before noon."""
    return an_instance(launched_at=hours(-3))


def period(instance, beginning, end):
    """Give the notification for an instance and a period."""
    return (instance.uuid, str(hours(beginning)), str(hours(end)))


def test_a_period_that_is_over_is_sent(host, running):
    """The host of the instance sends the instance's data with the whole period."""
    host.audit().tell_what_is_over()

    assert host.told == [period(running, -1, 0)]
    (told,) = host.driver.notifications
    assert (told.event_type, told.priority, told.publisher_id) == ("compute.instance.exists", "info", "compute.host-1")
    assert told.payload["bandwidth"] == {}
    assert told.payload["launched_at"] == str(hours(-3))


def test_a_period_is_sent_once(host, running):
    """The audit does not send it again, in the same process or after a restart."""
    audit = host.audit()
    audit.tell_what_is_over()
    audit.tell_what_is_over()
    host.audit().tell_what_is_over()

    assert host.told == [period(running, -1, 0)]


def test_the_next_period_is_sent_when_it_is_over(host, running):
    """The audit sends it then, and not before."""
    audit = host.audit()
    audit.tell_what_is_over()
    assert audit.left() == 30 * 60

    host.clock.now = hours(1)
    audit.tell_what_is_over()

    assert host.told == [period(running, -1, 0), period(running, 0, 1)]


def test_a_host_that_was_down_sends_what_it_missed(host, running):
    """The audit sends each period that it missed."""
    host.audit().tell_what_is_over()

    host.clock.now = hours(3.2)
    host.audit().tell_what_is_over()

    assert host.told == [period(running, n, n + 1) for n in range(-1, 3)]


def test_a_period_that_the_broker_did_not_take_is_sent_again(host, running):
    """The audit sends it again, also after a restart."""
    host.driver = Full()
    with pytest.raises(rpc.MessagingTimeout):
        host.audit().tell_what_is_over()

    host.driver = Kept()
    host.audit().tell_what_is_over()

    assert host.told == [period(running, -1, 0)]


@pytest.mark.parametrize(
    ("launched", "terminated", "periods"),
    [
        (None, None, []),  # it never ran
        (0.5, None, [(0, 1)]),
        (1, None, []),  # that is the next period's
        (-5, -1, []),
        (-5, 0, [(-1, 0)]),
        (-5, 0.3, [(-1, 0), (0, 1)]),
        (0.2, 0.3, [(0, 1)]),
    ],
)
def test_a_period_has_the_instances_that_existed_in_it(host, an_instance, launched, terminated, periods):
    """It has each instance launched before its end and not gone at its beginning, also if deleted meanwhile."""
    instance = an_instance(
        launched_at=None if launched is None else hours(launched),
        terminated_at=None if terminated is None else hours(terminated),
    )
    host.clock.now = hours(0)
    host.audit().tell_what_is_over()
    host.clock.now = hours(1)
    host.audit().tell_what_is_over()

    assert host.told == [period(instance, *each) for each in periods]


def test_the_conductor_is_asked_for_later_deletions(host, conductor):
    """The audit asks for deletions since the beginning of the first period that it has not sent."""
    host.audit().tell_what_is_over()
    assert conductor.active_since == hours(-1)


def test_another_period_goes_on_where_the_last_one_ended(host, running):
    """When an operator changes the period, no time is left out."""
    host.audit().tell_what_is_over()
    host.clock.now = hours(13)
    host.audit("day").tell_what_is_over()

    assert host.told == [period(running, -1, 0), period(running, -12, 12)]


def test_each_host_of_a_process_remembers_by_itself(conductor, running, tmp_path):
    """A period sent for one host is still sent for another, even with dots in their names."""
    kept, settings = Kept(), conf.for_tests("compute", state_path=str(tmp_path), host="rack")
    for host in ("host.1", "host.2"):
        notifier = rpc.Notifier(None, f"compute.{host}", drivers=[kept])
        UsageAudit.from_conf(settings, host, conductor, notifier).tell_what_is_over()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["usage-told-until.host.1", "usage-told-until.host.2"]


def test_the_conductor_records_how_far_that_is(host, running):
    """The audit says when it begins with a period and when the broker has it; one that failed stays under way."""
    host.driver = Full()
    with pytest.raises(rpc.MessagingTimeout):
        host.audit().tell_what_is_over()
    assert host.conductor.logged == []  # not even that it has begun: what was before is not out yet
    host.driver = Kept()
    host.audit().tell_what_is_over()
    began, ended = host.conductor.logged
    said = "Instance usage audit ran for host host-1, 1 instances"
    assert (began.state, began.task_items, began.message) == ("RUNNING", 1, said)
    assert ended == began.replace(state="DONE", message=f"{said} in 0.00 seconds.")
    assert (began.period_beginning, began.period_ending) == (hours(-1), hours(0))


def test_conductors_that_keep_no_log_do_not_stop_it(host, running):
    """The usage is told where an older conductor, or one with another period, does not record it."""
    host.conductor.is_acrux = True
    host.audit().tell_what_is_over()
    assert host.told == [period(running, -1, 0)]
