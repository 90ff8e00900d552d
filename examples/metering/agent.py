"""The agent of one host: ``python -m metering.agent HOST``.  It reports what the host uses, and answers for it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from metering import process
from metering.api import AgentAPI, MeterAPI, Sample, UnknownMeter
from mininova import rpc

LOG = logging.getLogger(__name__)


def cpu_seconds() -> float:
    """Give the seconds that the host's processors have worked (proc(5), /proc/stat)."""
    user, nice, system = Path("/proc/stat").read_text().split()[1:4]
    return (int(user) + int(nice) + int(system)) / 100


def network_bytes() -> float:
    """Give the bytes that the host has received and sent (proc(5), /proc/net/dev)."""
    counts = [line.partition(":")[2].split() for line in Path("/proc/net/dev").read_text().splitlines()[2:]]
    return float(sum(int(line[0]) + int(line[8]) for line in counts))


METERS = {"cpu": cpu_seconds, "network": network_bytes}


class Agent:
    """Implements AgentAPI, and reports now and then.

    A sample is kept until the broker has it on disk, so neither a broker nor a server that is away loses one.

    :param meters: name → a count that only grows
    :param interval: seconds from one report to the next
    """

    def __init__(self, host: str, server: MeterAPI, meters: dict[str, Callable[[], float]], interval: float) -> None:
        self._host, self._server, self._meters, self._interval = host, server, meters, interval
        self._last = {name: read() for name, read in meters.items()}
        self._waiting: dict[str, list[Sample]] = {name: [] for name in meters}
        self._stopping = False
        self._changed = threading.Condition()

    # ---- what can be asked

    def read(self, ctxt: Any, meter: str) -> float:
        """See AgentAPI."""
        if meter not in self._meters:
            raise UnknownMeter(f"{self._host} has no meter {meter}", known=sorted(self._meters))
        return self._meters[meter]()

    def set_interval(self, ctxt: Any, seconds: float) -> None:
        """See AgentAPI."""
        with self._changed:
            self._interval = seconds
            self._changed.notify()

    # ---- what it does of itself

    def run(self) -> None:
        """Report until told to stop, and then once more."""
        while not self._stopping:
            with self._changed:
                self._changed.wait(self._interval)
            for meter in self._meters:
                self._report(meter)

    def stop(self) -> None:
        """Have ``run`` come to its end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def take_back(self, ctxt: Any, cast: rpc.Request, why: Exception) -> None:
        """Keep what a server refused for the next report: by then there may be one that takes it."""
        LOG.warning("samples came back: %s", why)
        self._waiting[cast.args.get("meter", "cpu")] += msgspec.convert(cast.args["samples"], list[Sample])

    def _report(self, meter: str) -> None:
        count, now = self._meters[meter](), time.time()
        waiting = self._waiting[meter]
        waiting.append(Sample(uuid4().hex, self._host, count - self._last[meter], now))
        self._last[meter] = count
        sending = list(waiting)  # more may come back meanwhile
        try:
            self._server.record({}, sending, meter)
        except rpc.RPCError as error:
            LOG.warning("%d samples of %s wait: %s", len(sending), meter, error)
        else:
            del waiting[: len(sending)]


def main(argv: Sequence[str] | None = None) -> None:
    """Report and answer until told to stop."""
    parser = process.parser("Report what this host uses.")
    parser.add_argument("host", help="its name")
    parser.add_argument("--interval", type=float, default=60.0, metavar="SECONDS", help="between two reports (60)")
    parser.add_argument("--pin", metavar="VERSION", help="what the oldest meter server speaks, while they are upgraded")
    args = parser.parse_args(argv)
    peer = process.peer(args, f"meter-agent.{args.host}")
    agent = Agent(args.host, MeterAPI(peer, pin=args.pin), METERS, args.interval)
    peer.on_rejected = agent.take_back
    with process.serving(peer, args.host, [(AgentAPI, agent)]):
        reporting = threading.Thread(target=agent.run)
        reporting.start()
        process.wait_for_the_end()
        agent.stop()
        reporting.join()


if __name__ == "__main__":
    process.run(main)
