"""How far a host has come with work that each period brings anew."""

from datetime import datetime

from mininova.objects.base import Count, Versioned

USAGE_AUDIT = "instance_usage_audit"
RUNNING, DONE = "RUNNING", "DONE"


class TaskLog(Versioned, frozen=True, kw_only=True):
    """What one host says of its work for one period (nova: objects/task_log.py).

    :param state: ``RUNNING`` or ``DONE``
    :param task_items: what there was to do: for the usage audit, the instances
    :param errors: of how many that failed
    :param message: for people
    """

    host: str
    period_beginning: datetime
    period_ending: datetime
    task_name: str = USAGE_AUDIT
    state: str = RUNNING
    task_items: Count = 0
    errors: Count = 0
    message: str = ""
