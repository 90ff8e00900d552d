"""The meter server: ``python -m metering.server NAME DATABASE``.  Any number of them may share the work."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metering import process
from metering.api import MeterAPI, Sample, Total, UnknownHost
from metering.store import Store

LOG = logging.getLogger(__name__)


class Meter:
    """Implements MeterAPI.

    The broker forgets a message when its method has returned, and not before.  A server that dies in the middle is
    no loss, then: the next one is given the message, and the ids of the samples say what was counted already.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, ctxt: Any, samples: list[Sample], meter: str) -> None:
        """See MeterAPI."""
        new = self._store.add(meter, samples)
        if new < len(samples):
            LOG.info("%d of %d samples came before", len(samples) - new, len(samples))

    def totals(self, ctxt: Any, host: str | None) -> list[Total]:
        """See MeterAPI."""
        totals = self._store.totals(host)
        if host is not None and not totals:
            raise UnknownHost(f"nothing was ever metered on {host}", host=host)
        return totals


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = process.parser("Count what agents report.")
    parser.add_argument("name", help="tells this server from the others")
    parser.add_argument("database", type=Path, help="a file, made if it is not there")
    args = parser.parse_args(argv)
    peer = process.peer(args, f"meter.{args.name}")
    with process.serving(peer, args.name, [(MeterAPI, Meter(Store(args.database)))]):
        process.wait_for_the_end()


if __name__ == "__main__":
    process.run(main)
