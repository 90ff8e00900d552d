"""When the hosts of a process send their heartbeats, and when they look whether guests and instances agree.

Both go in rounds that are spread over their period.  Out of turn a host looks after a time in which it was not heard
of: its instances may have been deleted, or built elsewhere.
"""

from collections.abc import Callable, Sequence
from functools import partial

from mininova.compute.manager import ComputeManager
from mininova.service import log
from mininova.service.periodic import Periodic

HEARTBEAT, RECONCILIATION = "the heartbeat", "the reconciliation"


def begin(
    periodic: Periodic, managers: Sequence[ComputeManager], report_interval: float, reconcile_interval: float
) -> Callable[[], None]:
    """Begin the rounds; the hosts have looked once before.

    :return: has all hosts look soon, for a time in which none was heard of
    """
    looks = [log.on_host(manager.host)(manager.reconcile) for manager in managers]

    def report(manager: ComputeManager, look: Callable[[], None]) -> None:
        if manager.report():
            periodic.soon([look], RECONCILIATION)

    reports = [
        log.on_host(manager.host)(partial(report, manager, look)) for manager, look in zip(managers, looks, strict=True)
    ]
    periodic.each_every(report_interval, reports, HEARTBEAT)
    periodic.in_rounds(reconcile_interval, looks, RECONCILIATION)
    return partial(periodic.soon, looks, RECONCILIATION)
