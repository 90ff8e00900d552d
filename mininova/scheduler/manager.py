"""What a scheduler does for each message of SchedulerAPI (nova: scheduler/manager.py).

The conductor asks for hosts.  The scheduler reads all hosts, filters and weighs them, and chooses.  By then its picture
may be old, so it claims the room of each choice in the database, where the claim holds or does not: two schedulers
cannot give away the same room, nor give one instance room twice.  A claim that does not hold costs another choice.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from oslo_config import cfg

from mininova import errors
from mininova.context import RequestContext
from mininova.db import claims
from mininova.db.session import Database
from mininova.notifications.events import (
    SELECT_DESTINATIONS_END,
    SELECT_DESTINATIONS_START,
    select_destinations_payload,
)
from mininova.objects import RequestSpec, Selection
from mininova.rpc import Notifier
from mininova.scheduler.host_manager import Candidates, HostManager
from mininova.scheduler.host_state import HostState

LOG = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class SchedulerManager:
    """Choose hosts.

    :param dice: decides between equals; a test brings loaded ones
    :param clock: tells the time
    :raises errors.ConfigError: when the configuration names a filter that does not exist
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
        placed = self._place(request_spec, instance_uuids)
        for uuid, (host_state, *_) in zip(instance_uuids, placed, strict=True):
            LOG.info("scheduler chooses %s for instance %s", host_state.host, uuid)
        selections = [[_selection(host_state) for host_state in host_states] for host_states in placed]
        payload = select_destinations_payload(request_spec, instance_uuids, selections)
        self._notifier.info(ctxt, SELECT_DESTINATIONS_END, payload)
        return selections

    def _place(self, request_spec: RequestSpec, instance_uuids: Sequence[str]) -> list[list[HostState]]:
        """Choose and claim until every instance has a host, or none has one because there is not enough room for all.

        The call may have been sent twice, and another scheduler may work on the other copy.  Its claims count, also
        when it took the room that was missing here: so this looks again whenever claims have appeared meanwhile.
        """
        lost: set[str] = set()
        while True:
            candidates = self._hosts.candidates(request_spec, instance_uuids)
            if lost:
                candidates.leave_out(lost)
            try:
                return self._fill(candidates, request_spec, instance_uuids)
            except _GroupStartsOver as reason:
                LOG.info("scheduler looks again for the members of server group %s: %s", request_spec.group, reason)
                lost |= reason.lost
            except errors.NoValidHost as error:
                with self._db.read() as tx:
                    given = claims.hosts_of(tx, instance_uuids)
                if given == candidates.given:
                    LOG.warning("scheduler finds no host for instances %s: %s", ", ".join(instance_uuids), error)
                    raise
                LOG.info("scheduler looks again: another one has claimed room for instances %s", ", ".join(given))

    def _fill(
        self, candidates: Candidates, request_spec: RequestSpec, instance_uuids: Sequence[str]
    ) -> list[list[HostState]]:
        """Choose hosts from one picture until all claims hold.

        :raises errors.NoValidHost: when the picture has none left for an instance; then nothing was claimed
        """
        placed = {uuid: [candidates.at(host)] for uuid, host in candidates.given.items()}
        chosen: dict[str, list[HostState]] = {}
        while waiting := [uuid for uuid in instance_uuids if uuid not in placed]:
            chosen |= {uuid: candidates.take_best(self._max_attempts) for uuid in waiting if uuid not in chosen}
            try:
                placed |= self._claim(candidates, request_spec, chosen)
            except claims.NoRoom as refusal:
                gone = {uuid: chosen.pop(uuid)[0] for uuid in refusal.instance_uuids}
                if request_spec.group is not None:
                    raise _GroupStartsOver({lost.host for lost in gone.values()}) from refusal
                for uuid, lost in gone.items():
                    candidates.drop(lost)
                    LOG.info("scheduler chooses again for instance %s: the room on %s is gone", uuid, lost.host)
            except claims.GroupMoved as refusal:
                raise _GroupStartsOver(set()) from refusal
        return [placed[uuid] for uuid in instance_uuids]

    def _claim(
        self, candidates: Candidates, request_spec: RequestSpec, chosen: Mapping[str, list[HostState]]
    ) -> dict[str, list[HostState]]:
        """Claim the first host of each choice, in one transaction; an instance that has room by now keeps that.

        An instance that does not wait for a host any more gets no claim.  It keeps the choice, which is not used.

        :raises claims.NoRoom: when a host has too little by now; then nothing was claimed
        :raises claims.GroupMoved: when the server group has got members elsewhere by now; likewise
        """
        hosts = {uuid: best[0].host for uuid, best in chosen.items()}
        with self._db.write() as tx:
            held = hosts | claims.claim_all(tx, hosts, request_spec.flavor, request_spec.group)
            return {
                uuid: best if held[uuid] == hosts[uuid] else [candidates.at(held[uuid])]
                for uuid, best in chosen.items()
            }


class _GroupStartsOver(Exception):
    """What was chosen for one member of a server group depends on the others: all are chosen again.

    :ivar lost: the hosts whose room is gone; without any, other members have got room meanwhile
    """

    def __init__(self, lost: set[str]) -> None:
        super().__init__(f"the room on {', '.join(sorted(lost))} is gone" if lost else "it has got members elsewhere")
        self.lost = lost


def _selection(host_state: HostState) -> Selection:
    return Selection(
        host=host_state.host,
        node=host_state.node.hypervisor_hostname,
        availability_zone=host_state.service.availability_zone,
    )
