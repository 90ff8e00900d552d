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
from mininova.db import claims, instances
from mininova.db.session import Database
from mininova.notifications import SELECT_DESTINATIONS_END, SELECT_DESTINATIONS_START, select_destinations_payload
from mininova.objects import Flavor, RequestSpec, Selection
from mininova.rpc import Notifier
from mininova.scheduler.host_manager import Candidates, HostManager
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
        """Choose and claim until every instance has a host, or one cannot have any: then none keeps one.

        What was claimed before stays: this is a call that was made before and is made again, since its answer was lost.
        """
        candidates = self._hosts.candidates(request_spec)
        placed: dict[str, list[HostState]] = {}
        claimed: set[str] = set()
        try:
            while waiting := self._without_claim(instance_uuids, placed, candidates):
                choices = [(uuid, candidates.take_best(self._max_attempts)) for uuid in waiting]
                held = self._claim(request_spec.flavor, choices)
                claimed |= held
                for uuid, best in choices:
                    if uuid in held:
                        placed[uuid] = best
                        LOG.info("Instance %s goes to %s", uuid, best[0].host)
                    else:
                        candidates.drop(best[0])
                        LOG.info("Instance %s: the room on %s is gone; looking again", uuid, best[0].host)
        except errors.NoValidHost as error:
            LOG.warning("Instances %s cannot be placed: %s", ", ".join(instance_uuids), error)
            self._free(claimed)
            raise
        return [[_selection(host_state) for host_state in placed[uuid]] for uuid in instance_uuids]

    def _without_claim(
        self, instance_uuids: Sequence[str], placed: dict[str, list[HostState]], candidates: Candidates
    ) -> list[str]:
        """Name those that have no room yet, and place those that were given some before where it is."""
        missing = [uuid for uuid in instance_uuids if uuid not in placed]
        if missing:
            with self._db.read() as tx:
                hosts = claims.hosts_of(tx, missing)
            placed.update({uuid: [candidates.known[host]] for uuid, host in hosts.items() if host in candidates.known})
        return [uuid for uuid in missing if uuid not in placed]

    def _claim(self, flavor: Flavor, choices: Sequence[Choice]) -> set[str]:
        """Claim the first host of each choice, in one transaction, and name the instances that may go there.

        Hosts are taken in the order of their names, so that two schedulers cannot each wait for the other.  For what
        waits for a host no more, since a delete won or this is a late copy of a call, nothing is claimed.
        """
        in_order = sorted(choices, key=lambda choice: choice[1][0].host)
        uuids = [uuid for uuid, _ in choices]
        with self._db.write() as tx:
            waiting = set(instances.without_host(tx, uuids)) - claims.hosts_of(tx, uuids).keys()
            refused = {
                uuid for uuid, best in in_order if uuid in waiting and not claims.claim(tx, uuid, best[0].host, flavor)
            }
        return set(uuids) - refused

    def _free(self, instance_uuids: Iterable[str]) -> None:
        if uuids := list(instance_uuids):
            with self._db.write() as tx:
                for uuid in instances.without_host(tx, uuids):
                    claims.free(tx, uuid)


def _selection(host_state: HostState) -> Selection:
    return Selection(
        host=host_state.host,
        node=host_state.node.hypervisor_hostname,
        availability_zone=host_state.service.availability_zone,
    )
