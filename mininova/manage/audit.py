"""mininova-manage audit: compare instances, claims, addresses and open operations, and the guests of all hosts.

A cloud is at work while it is audited, so what is found is looked at twice, and counts only if it is found again.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from oslo_config.cfg import ConfigOpts

from mininova import errors, rpc
from mininova.compute.rpcapi import ComputeAPI
from mininova.context import service_context
from mininova.db import audit, services
from mininova.db.audit import Check, Disagreement
from mininova.db.session import Database
from mininova.flow import output
from mininova.flow.output import Column
from mininova.service.concurrency import Concurrency
from mininova.service.periodic import AT_ONCE

COLUMNS = Column("what"), Column("instance"), Column("host"), Column("says", heading="what disagrees"), Column("repair")
AGREE = "All agree: the instances, their claims, addresses and operations, and the guests of {} host(s)."
BY_HAND = "not repaired: decide by hand"
BY_HOST = "had its host make them agree"


class Audit:
    """Look for what disagrees, and mend it.

    :param compute: asks the hosts
    :param threads: asks several at a time
    """

    def __init__(self, conf: ConfigOpts, db: Database, compute: ComputeAPI, threads: Concurrency) -> None:
        self._conf, self._db, self._compute, self._threads = conf, db, compute, threads
        self._ctxt = service_context()
        self.not_asked: dict[str, str] = {}
        self.asked: list[str] = []

    def find(self) -> list[tuple[Check | None, Disagreement]]:
        """List what disagrees, and does so still when it is looked at again; None stands for the check of guests."""
        first = self._look()
        again = {found for _, found in self._look()} if first else set()
        return [(check, found) for check, found in first if found in again]

    def _look(self) -> list[tuple[Check | None, Disagreement]]:
        guests = self._guests()
        with self._db.read() as tx:
            compared = audit.compare_guests(tx, guests)
            return [*audit.find(tx), *((None, found) for found in compared)]

    # ---- the hosts

    def _guests(self) -> dict[str, list[str]]:
        """Ask each host that is up for its guests; name those that could not be asked."""
        now, down_time = datetime.now(UTC), self._conf.service_down_time
        with self._db.read() as tx:
            computes = [service for service in services.search(tx) if service.topic == "compute"]
        up = [service.host for service in computes if services.is_up(service, now, down_time)]
        self.not_asked = {service.host: "it is down" for service in computes if service.host not in up}
        answers = self._ask(up, lambda compute: compute.list_guests(self._ctxt))
        self.asked = sorted(answers)
        return answers

    def _ask(self, hosts: Iterable[str], question: Callable[[ComputeAPI], Any]) -> dict[str, Any]:
        answers: dict[str, Any] = {}

        def ask(host: str) -> None:
            try:
                answers[host] = question(self._compute.on(host))
            except (rpc.RPCError, errors.MininovaError) as error:
                self.not_asked[host] = str(error)

        self._threads.together([lambda host=host: ask(host) for host in hosts], AT_ONCE)  # type: ignore[misc]
        return answers

    # ---- repair

    def repair(self, found: Iterable[tuple[Check | None, Disagreement]]) -> Iterator[tuple[Disagreement, str]]:
        """Mend what can be mended; give each disagreement with what was done, or "" where it was gone by itself."""
        found = list(found)
        hosts = sorted({str(it.host) for check, it in found if check is None})
        agree = self._ask(hosts, lambda compute: compute.reconcile(self._ctxt))
        for check, it in found:
            if check is None:
                yield it, BY_HOST if it.host in agree else f"not repaired: {self.not_asked[str(it.host)]}"
            elif check.mend is None:
                yield it, BY_HAND
            else:
                with self._db.write() as tx:
                    yield it, check.mend(tx, it) or "it agrees by now"


def run(conf: ConfigOpts, db: Database, compute: ComputeAPI, threads: Concurrency, parsed: argparse.Namespace) -> int:
    """Print what disagrees, and mend it if that is asked for; the exit code is 1 if anything disagrees in the end."""
    audited = Audit(conf, db, compute, threads)
    found = audited.find()
    rows = [_row(it, "") for _, it in found]
    if parsed.repair and found:
        rows = [_row(it, done) for it, done in audited.repair(found)]
    asked, not_asked = audited.asked, dict(sorted(audited.not_asked.items()))
    if parsed.format == "json":
        left_out = [{"host": host, "why": why} for host, why in not_asked.items()]
        output.show_json({"disagreements": rows, "asked": asked, "not_asked": left_out})
    else:
        output.show_list(parsed.format, COLUMNS if parsed.repair else COLUMNS[:-1], rows, none=AGREE.format(len(asked)))
        for host, why in not_asked.items():
            output.say(f"not asked: {host}: {why}")
    return 1 if (audited.find() if parsed.repair and found else found) else 0


def _row(it: Disagreement, repair: str) -> dict[str, Any]:
    return {**msgspec.structs.asdict(it), "repair": repair}
