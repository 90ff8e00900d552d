"""What a host reports of itself: a heartbeat, and the room that it has.

A host may report less than is recorded of it (db/limits.py), and not more.  A report that says more is not refused, for
then the whole host would be down: the record counts instead of what the host says.  An operator reads of it in the log
and in the list of denials, once for each change of what the host says and not at each heartbeat.
"""

import time
from datetime import UTC, datetime, timedelta

from mininova import rpc
from mininova.db import hosts, limits, services, task_log
from mininova.db.session import Database
from mininova.notifications.audit_period import AuditPeriod
from mininova.objects import ComputeNode, Service, TaskLog
from mininova.rpc.trust.denials import OnDenied, forbidden, tell

METHOD = "report_state"
LONGEST_AGO = timedelta(days=800)  # the last period of a year that is over
SKEW = timedelta(minutes=5)  # that the clock of a host may be wrong


class Reports:
    """Record what hosts report.

    :param checked: whether hosts are kept to their limits
    :param on_denied: called when a host says more than its limits
    """

    def __init__(self, db: Database, *, checked: bool, on_denied: OnDenied | None = None) -> None:
        self._db, self._checked, self._on_denied = db, checked, on_denied
        self._beyond: dict[str, str] = {}  # host → what it said last; callers stand for their hosts, so they are few

    def take(self, service: Service, node: ComputeNode) -> None:
        """Record a report, and of each resource no more than the host's record allows."""
        said, beyond = _its_own(service), ""
        with self._db.write() as tx:
            if self._checked:
                said, node, beyond = limits.keep(tx, said, node)
            services.report(tx, said, datetime.now(UTC))
            hosts.report(tx, node.replace(uuid=""))
        if beyond != self._beyond.get(node.host, ""):
            self._beyond[node.host] = beyond
            self._tell(f"host {node.host}", beyond)

    def take_task_log(self, log: TaskLog, period: AuditPeriod) -> None:
        """Record how far a host is with a period, if there is such a period: so a host has no more rows than those.

        :raises rpc.Forbidden: when there is none, or it is not over, or has been for so long that none asks for it
        """
        now = datetime.now(UTC)
        begun, ended = log.period_beginning.astimezone(UTC), log.period_ending.astimezone(UTC)
        is_one = now - LONGEST_AGO <= begun and ended <= now + SKEW
        if not is_one or period.beginning(begun) != begun or period.end(begun) != ended:
            reason = f"no period of its usage audit, which is lately over, is from {begun} to {ended}"
            raise forbidden(rpc.caller(), "record_task_log", f"host {log.host}", reason)
        with self._db.write() as tx:
            task_log.record(tx, log)

    def _tell(self, about: str, beyond: str) -> None:
        if beyond:
            caller = rpc.caller()
            reason = str(forbidden(caller, METHOD, about, f"{beyond}; what is recorded of it counts"))
            tell(rpc.Denial(caller=caller, method=METHOD, object=about, reason=reason, at=time.time()), self._on_denied)


def _its_own(service: Service) -> Service:
    """Leave out what an operator decides, such as whether the service is disabled."""
    return Service(
        binary=service.binary,
        host=service.host,
        topic=service.topic,
        availability_zone=service.availability_zone,
        versions=service.versions,
    )
