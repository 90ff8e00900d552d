"""What a scheduler does for each message of SchedulerAPI (nova: scheduler/manager.py).

The conductor asks for hosts.  The choice is made on a picture of the hosts that may be old by the time it is
made, so each choice is claimed in the database, where it holds or does not: two schedulers cannot give away the
same room, and a claim that does not hold only costs another look at the picture.
"""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from oslo_config import cfg

from mininova import errors
from mininova.context import RequestContext
from mininova.db import claims
from mininova.db.session import Database
from mininova.notifications import SELECT_DESTINATIONS_END, SELECT_DESTINATIONS_START, select_destinations_payload
from mininova.objects import Flavor, RequestSpec, Selection
from mininova.rpc import Notifier
from mininova.scheduler.host_manager import HostManager
from mininova.scheduler.host_state import HostState

LOG = logging.getLogger(__name__)

Choice = tuple[str, list[HostState]]  # the uuid of an instance, and its hosts: the chosen one, then the alternates


def _now() -> datetime:
    return datetime.now(UTC)


class SchedulerManager:
    """Choose hosts.

    :param dice: decides between equals; a test brings loaded ones
    :param clock: tells the time
    :raises errors.ConfigError: when the configuration names a filter that there is not
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        db: Database,
        notifier: Notifier,
        *,
        dice: random.Random | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._db, self._notifier = db, notifier
        self._hosts = HostManager(conf, db, dice or random.Random(), clock)
        self._max_attempts = conf.scheduler.max_attempts

    def select_destinations(
        self, ctxt: RequestContext, request_spec: RequestSpec, instance_uuids: list[str]
    ) -> list[list[Selection]]:
        """Choose a host for each instance and claim its room there."""
        payload = select_destinations_payload(request_spec, instance_uuids)
        self._notifier.info(ctxt, SELECT_DESTINATIONS_START, payload)
        selections = self._place(request_spec, instance_uuids)
        payload = select_destinations_payload(request_spec, instance_uuids, selections)
        self._notifier.info(ctxt, SELECT_DESTINATIONS_END, payload)
        return selections

    def _place(self, request_spec: RequestSpec, instance_uuids: Sequence[str]) -> list[list[Selection]]:
        """Choose and claim until every instance has a host, or one cannot have any: then none keeps one."""
        candidates = self._hosts.candidates(request_spec)
        placed: dict[str, list[Selection]] = {}
        try:
            while waiting := [uuid for uuid in instance_uuids if uuid not in placed]:
                choices = [(uuid, candidates.take_best(self._max_attempts)) for uuid in waiting]
                held = self._claim(request_spec.flavor, choices)
                for uuid, best in choices:
                    if uuid in held:
                        placed[uuid] = [_selection(host_state) for host_state in best]
                        LOG.info("Instance %s goes to %s", uuid, best[0].host)
                    else:
                        candidates.drop(best[0])
                        LOG.info("Instance %s: the room on %s is gone; looking again", uuid, best[0].host)
        except errors.NoValidHost as error:
            LOG.warning("Instances %s cannot be placed: %s", ", ".join(instance_uuids), error)
            self._free(placed)
            raise
        return [placed[uuid] for uuid in instance_uuids]

    def _claim(self, flavor: Flavor, choices: Sequence[Choice]) -> set[str]:
        """Claim the first host of each choice, in one transaction, and name the instances whose claims hold.

        Hosts are taken in the order of their names, so that two schedulers cannot each wait for the other.
        """
        in_order = sorted(choices, key=lambda choice: choice[1][0].host)
        with self._db.write() as tx:
            return {uuid for uuid, best in in_order if claims.claim(tx, uuid, best[0].host, flavor)}

    def _free(self, instance_uuids: Iterable[str]) -> None:
        if uuids := list(instance_uuids):
            with self._db.write() as tx:
                for uuid in uuids:
                    claims.free(tx, uuid)


def _selection(host_state: HostState) -> Selection:
    return Selection(
        host=host_state.host,
        node=host_state.node.hypervisor_hostname,
        availability_zone=host_state.service.availability_zone,
    )
