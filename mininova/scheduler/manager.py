"""What a scheduler does for each message of SchedulerAPI (nova: scheduler/manager.py).

The conductor asks for hosts.  The scheduler reads what has changed of them, filters and weighs them, and chooses.  By
then its picture may be old, so it claims the room of each choice in the database, where the claim holds or does not:
two schedulers cannot give away the same room, nor give one instance room twice.  A claim that does not hold costs
another look.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
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
from mininova.scheduler.candidates import Candidates
from mininova.scheduler.host_manager import HostManager
from mininova.scheduler.host_state import HostState

LOG = logging.getLogger(__name__)

# On one host, until a request leaves it out: where no filter looks at room, it would go on for ever.
MAX_CLAIMS_LOST = 3


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
        placed = self._place(ctxt, request_spec, instance_uuids)
        for uuid, (host_state, *_) in zip(instance_uuids, placed, strict=True):
            LOG.info("scheduler chooses %s for instance %s", host_state.host, uuid)
        selections = [[_selection(host_state) for host_state in host_states] for host_states in placed]
        payload = select_destinations_payload(request_spec, instance_uuids, selections)
        self._notifier.info(ctxt, SELECT_DESTINATIONS_END, payload)
        return selections

    def _place(
        self, ctxt: RequestContext, request_spec: RequestSpec, instance_uuids: Sequence[str]
    ) -> list[list[HostState]]:
        """Choose and claim until every instance has a host, or none has one because there is not enough room for all.

        What changes meanwhile, by another scheduler or by a delete, costs another look.  The call may have been sent
        twice, and another scheduler may have worked on the other copy: its claims count, also when it took the room
        that is missing here.
        """
        lost: Counter[str] = Counter()
        given: dict[str, str] = {}  # the room that the instances have already; that they have some is seldom
        while True:
            candidates = self._hosts.candidates(request_spec, given)
            candidates.leave_out([host for host, times in lost.items() if times >= MAX_CLAIMS_LOST])
            try:
                return self._fill(ctxt, candidates, request_spec, instance_uuids)
            except (claims.NoRoom, claims.GroupMoved) as refusal:
                if isinstance(refusal, claims.NoRoom):
                    lost.update(refusal.hosts)
                LOG.info("scheduler chooses again for instances %s: %s", ", ".join(instance_uuids), refusal)
                given = self._given(request_spec, instance_uuids)
            except errors.NoValidHost as error:
                known, given = given, self._given(request_spec, instance_uuids)
                if given == known:
                    LOG.warning("scheduler finds no host for instances %s: %s", ", ".join(instance_uuids), error)
                    raise
                LOG.info("scheduler looks again: there is room claimed for instances %s", ", ".join(given))

    def _given(self, request_spec: RequestSpec, instance_uuids: Sequence[str]) -> dict[str, str]:
        with self._db.read() as tx:
            hosts = claims.hosts_of(tx, instance_uuids)
        return {uuid: host for uuid, host in hosts.items() if host not in request_spec.retry.hosts}

    def _fill(
        self,
        ctxt: RequestContext,
        candidates: Candidates,
        request_spec: RequestSpec,
        instance_uuids: Sequence[str],
    ) -> list[list[HostState]]:
        """Choose a host for each instance, and claim all their room in one transaction.

        An instance that has room by now keeps that.  One that does not wait for a host any more, or for another
        request, gets no claim; it keeps the choice, which is not used.

        :raises errors.NoValidHost: when none is left for an instance; then nothing was claimed
        :raises claims.NoRoom: when a host has too little by now; likewise
        :raises claims.GroupMoved: when the server group has got members elsewhere by now; likewise
        """
        placed = {uuid: [candidates.at(host)] for uuid, host in candidates.given.items()}
        chosen = {uuid: candidates.take_best(self._max_attempts) for uuid in instance_uuids if uuid not in placed}
        hosts = {uuid: best[0].host for uuid, best in chosen.items()}
        if hosts:
            with self._db.write() as tx:
                held = claims.claim_all(tx, hosts, request_spec, ctxt.request_id)
            for uuid, best in chosen.items():
                elsewhere = held.get(uuid, hosts[uuid]) != hosts[uuid]
                placed[uuid] = [candidates.at(held[uuid])] if elsewhere else best
        return [placed[uuid] for uuid in instance_uuids]


def _selection(host_state: HostState) -> Selection:
    return Selection(
        host=host_state.host,
        node=host_state.node.hypervisor_hostname,
        availability_zone=host_state.service.availability_zone,
    )
