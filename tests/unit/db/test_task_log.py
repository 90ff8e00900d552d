"""What hosts say of their work for a period, on every database."""

from datetime import UTC, datetime, timedelta

from mininova.db import task_log
from mininova.objects import TaskLog
from mininova.objects.task_log import DONE

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONE_PM = NOON + timedelta(hours=1)
LOG = TaskLog(host="host-2", period_beginning=NOON, period_ending=ONE_PM, task_items=3, message="at it")


def test_what_a_host_says_last_of_a_period_counts(tx):
    """Another host, another period and another task have rows of their own."""
    other = LOG.replace(host="host-1")
    for log in (LOG, other, LOG.replace(period_ending=NOON), LOG.replace(task_name="another"), LOG.replace(state=DONE)):
        task_log.record(tx, log)
    assert task_log.of_period(tx, NOON, ONE_PM) == [other, LOG.replace(state=DONE)]
