"""The log of the usage audit over HTTP: which hosts have told the usage of the period that was over last.

Hosts that audit tell it by notifications (mininova/compute/usage.py) and keep for themselves how far they are, so that
each is shown as not run: a Nova without ``instance_usage_audit`` answers so, too.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.views.services import COMPUTE
from mininova.db import services
from mininova.notifications.audit_period import AuditPeriod

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
    with request.cloud.db.read() as tx:
        hosts = sorted({service.host for service in services.search(tx) if service.topic == COMPUTE})
    return {
        "period_beginning": _written(period.beginning(end - MOMENT)),
        "period_ending": _written(end),
        "num_hosts": len(hosts),
        "num_hosts_done": 0,
        "num_hosts_running": 0,
        "num_hosts_not_run": len(hosts),
        "hosts_not_run": hosts,
        "total_instances": 0,
        "total_errors": 0,
        "overall_status": f"0 of {len(hosts)} hosts done. 0 errors." if hosts else "ALL hosts done. 0 errors.",
        "log": {},
    }


def _written(moment: datetime) -> str:
    return str(moment.replace(tzinfo=None))
