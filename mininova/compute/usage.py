"""The usage audit: when a period is over, publish of each instance of this host that it existed in it.

The compute process runs it beside its other work (nova: compute/manager.py, ``_instance_usage_audit``).  A biller
compares these notifications with those of launches and deletes, and so finds one that was lost.

Each period is published at least once: a file keeps the end of the last one, and is written after the broker has all
notifications of it, and the conductor has recorded that for administrators (os-instance_usage_audit_log).  A host that
was down publishes what it missed when it is back.  A listener that gets an instance and a period twice drops the
second.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from oslo_config.cfg import ConfigOpts

from mininova.compute import pages
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext, service_context
from mininova.notifications.audit_period import AuditPeriod
from mininova.notifications.events import tell_exists
from mininova.objects import Instance, TaskLog
from mininova.objects.task_log import DONE
from mininova.rpc import Forbidden, MessagingTimeout, Notifier, UnsupportedVersion

LOG = logging.getLogger(__name__)

_PATIENCE = 60.0  # seconds that the broker has for the notifications of a period


def _now() -> datetime:
    return datetime.now(UTC)


class UsageAudit:
    """Tell the usage of one host's instances, period by period.

    :param mark: the file that remembers how far that has come
    :param clock: tells the time
    """

    def __init__(
        self,
        host: str,
        conductor: ConductorAPI,
        notifier: Notifier,
        *,
        period: AuditPeriod,
        mark: Path,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._host, self._conductor, self._notifier = host, conductor, notifier
        self._period, self._mark, self._clock = period, mark, clock

    @classmethod
    def from_conf(cls, conf: ConfigOpts, host: str, conductor: ConductorAPI, notifier: Notifier) -> "UsageAudit":
        """Make that of a host as the settings say."""
        period = AuditPeriod.parse(conf.instance_usage_audit_period)
        mark = Path(conf.state_path) / f"usage-told-until.{host}"
        return cls(host, conductor, notifier, period=period, mark=mark)

    def left(self) -> float:
        """Give the seconds that are left of the period that is under way."""
        now = self._clock()
        return (self._period.end(self._period.beginning(now)) - now).total_seconds()

    def tell_what_is_over(self) -> None:
        """Publish each period that is over and was not published yet; a host's first start publishes the last one.

        :raises MessagingTimeout: when the broker did not take it; the period is published again the next time
        """
        now = self._clock()
        since = self._told() or self._period.beginning(now) - timedelta(microseconds=1)
        periods = list(self._period.over(since, now))
        if not periods:
            return
        self._flush()  # so that the outbox has room for what is published now
        ctxt = service_context()
        known = self._known(ctxt, periods[0][0])
        for beginning, end in periods:
            self._tell_period(ctxt, known, beginning, end)

    def _known(self, ctxt: RequestContext, since: datetime) -> list[Instance]:
        """Read the instances that are on this host, or were since a moment."""
        ask = self._conductor.get_instances
        try:
            return pages.read(lambda marker, limit: ask(ctxt, self._host, since, marker, limit))
        except UnsupportedVersion:  # the conductors are of acrux, which knows no pages
            return ask(ctxt, self._host, since)

    def _tell_period(self, ctxt: RequestContext, known: list[Instance], beginning: datetime, end: datetime) -> None:
        existed = [instance for instance in known if _existed(instance, beginning, end)]
        log, begun = self._log(beginning, end, len(existed)), self._clock()
        self._record(ctxt, log)
        for instance in existed:
            tell_exists(self._notifier, ctxt, instance, beginning, end)
        self._flush()
        took = (self._clock() - begun).total_seconds()
        self._record(ctxt, log.replace(state=DONE, message=f"{log.message} in {took:.2f} seconds."))
        self._remember(end)
        LOG.info("compute has published the usage of %d instances from %s to %s", len(existed), beginning, end)

    def _log(self, beginning: datetime, end: datetime, number: int) -> TaskLog:
        """Write what administrators read in Nova's words: this is under way."""
        said = f"Instance usage audit ran for host {self._host}"
        return TaskLog(
            host=self._host, period_beginning=beginning, period_ending=end, task_items=number,
            message=f"{said}, {number} instances",
        )  # fmt: skip

    def _record(self, ctxt: RequestContext, log: TaskLog) -> None:
        """Have the conductor record how far this is; where it does not take it, the usage is told all the same."""
        try:
            self._conductor.record_task_log(ctxt, log)
        except UnsupportedVersion:  # the conductors are of acrux, which keeps no such log
            pass
        except Forbidden as error:
            LOG.warning("compute tells the usage of a period that the conductor does not record: %s", error)

    def _flush(self) -> None:
        if not self._notifier.flush(_PATIENCE):
            raise MessagingTimeout(f"the broker did not take all notifications within {_PATIENCE:g} s")

    def _told(self) -> datetime | None:
        with suppress(FileNotFoundError):  # it is the first start
            return datetime.fromisoformat(self._mark.read_text()).astimezone(UTC)
        return None

    def _remember(self, end: datetime) -> None:
        whole = self._mark.with_name(f"{self._mark.name}.new")  # so that a crash leaves the old mark or the new one
        whole.write_text(end.isoformat())
        whole.replace(self._mark)


def _existed(instance: Instance, beginning: datetime, end: datetime) -> bool:
    """Tell whether an instance was launched before a period's end and was still there after its beginning."""
    launched, terminated = instance.launched_at, instance.terminated_at
    return launched is not None and launched < end and (terminated is None or terminated > beginning)
