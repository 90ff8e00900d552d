"""The log of the usage audit over HTTP: which hosts have told the usage of the period that was over last.

Hosts that audit tell it by notifications (mininova/compute/usage.py), and have a conductor record how far they are.  A
host that has told nothing yet is shown as not run.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.views.services import COMPUTE
from mininova.db import services, task_log
from mininova.notifications.audit_period import AuditPeriod
from mininova.objects import TaskLog
from mininova.objects.task_log import DONE, RUNNING

Json = dict[str, Any]

MOMENT = timedelta(microseconds=1)


def index(request: ComputeRequest) -> Json:
    """Show the log of the period that was over last."""
    request.require("os-instance-usage-audit-log:list")
    return {"instance_usage_audit_logs": _log(request, datetime.now(UTC))}


def show(request: ComputeRequest, id: str) -> Json:
    """Show the log of the period that was over last before a moment."""
    request.require("os-instance-usage-audit-log:show")
    try:
        before = datetime.strptime(id, "%Y-%m-%d %H:%M:%S.%f" if "." in id else "%Y-%m-%d %H:%M:%S")
    except ValueError as reason:
        raise errors.InvalidInput(f"Invalid timestamp for date {id}") from reason
    return {"instance_usage_audit_log": _log(request, before.replace(tzinfo=UTC))}


def _log(request: ComputeRequest, before: datetime) -> Json:
    period = AuditPeriod.parse(request.cloud.conf.instance_usage_audit_period)
    end = period.beginning(before - MOMENT)
    beginning = period.beginning(end - MOMENT)
    with request.cloud.db.read() as tx:
        hosts = sorted({service.host for service in services.search(tx) if service.topic == COMPUTE})
        logs = task_log.of_period(tx, beginning, end)
    done, running = ([log for log in logs if log.state == state] for state in (DONE, RUNNING))
    silent, failed = [host for host in hosts if host not in {log.host for log in logs}], sum(it.errors for it in logs)
    how_many = "ALL" if len(done) == len(hosts) else f"{len(done)} of {len(hosts)}"
    return {
        "period_beginning": _written(beginning),
        "period_ending": _written(end),
        "num_hosts": len(hosts),
        "num_hosts_done": len(done),
        "num_hosts_running": len(running),
        "num_hosts_not_run": len(silent),
        "hosts_not_run": silent,
        "total_instances": sum(log.task_items for log in logs),
        "total_errors": failed,
        "overall_status": f"{how_many} hosts done. {failed} errors.",
        "log": {log.host: _shown(log) for log in logs},
    }


def _shown(log: TaskLog) -> Json:
    return {"state": log.state, "instances": log.task_items, "errors": log.errors, "message": log.message}


def _written(moment: datetime) -> str:
    return str(moment.replace(tzinfo=None))
