"""How fast the RPC layer is, beside py-amqp alone, oslo.messaging and nameko: calls, casts, and the CPU they take.

*ours* is the default transport, *kombu* the same library with the transport by plain kombu.

    .venv/bin/python benchmarks/rpc.py [--quick] [--rounds 3] [--seconds 1.0]

It needs what ``pip install -e .[bench]`` installs.  One broker of its own, and for each library one client process and
one server process.  The libraries take turns in short rounds, so that other load slows all of them alike;
rates are the medians of the rounds.  Of the figures compare the ratios: times of different machines, and of different
hours, compare only roughly.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rpc_libraries import LIBRARIES

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from stack import broker, ports, processes, standalone  # noqa: E402

FLOOR, NAMEKO, UNSAFE = "py-amqp, bare", "nameko", "ours, unsafe casts"
OSLO = ("oslo, threads", "oslo, eventlet")
IN_FLIGHT, SIZES, CASTERS = (1, 16, 64), (1_000, 16_000), 16

#: The columns of every table: the waits of callers, and CPU seconds per 1,000.
COMMON = ("p50 ms", "p99 ms", "client CPU", "server CPU", "broker CPU")

#: The target for each number in flight: times oslo's best, part of the floor.
TARGETS = {1: (3.0, None), 16: (4.0, 0.7), 64: (4.0, 0.7)}


@contextmanager
def private_broker() -> Iterator[tuple[str, Path]]:
    """Run a broker; give its URL, and the folder by which its processes are found."""
    server = broker.find_server(os.environ)
    if server is None:
        sys.exit("There is no RabbitMQ here: tools/install-rabbitmq.sh installs one, or set RABBITMQ_SERVER.")
    with tempfile.TemporaryDirectory(prefix="mininova-rpc-") as folder:
        url = standalone.start(Path(folder), server, ports.pick(), os.environ)
        try:
            yield url, Path(folder)
        finally:
            standalone.stop(Path(folder))


def cpu_seconds(folder: Path) -> float:
    """Give the CPU seconds that the broker has used."""
    ticks = 0
    for pid in processes.of(folder):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # user and system time: proc(5), utime and stime
    return ticks / os.sysconf("SC_CLK_TCK")


class Process:
    """A client or a server process, which obeys orders over a socket."""

    def __init__(self, library: str, role: str, url: str) -> None:
        self._what = f"{role} of {library}"
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-W", "ignore", str(ROOT / "benchmarks/rpc_peers.py"), library, role, url]
        with theirs:
            self._program = subprocess.Popen(
                [*command, str(theirs.fileno())], pass_fds=[theirs.fileno()], stderr=subprocess.PIPE
            )
        self._lines = ours.makefile("rw")
        self._answer()

    def tell(self, *order: Any) -> Any:
        """Send an order; give the answer."""
        print(json.dumps(order), file=self._lines, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        line = self._lines.readline()
        if not line:
            self._program.kill()
            said = self._program.communicate()[1].decode().strip().splitlines()
            raise RuntimeError(f"the {self._what} ended: {said[-1] if said else 'it printed no reason'}")
        return json.loads(line)

    def end(self) -> None:
        """End it."""
        self._program.kill()
        self._program.wait()


@dataclass
class Measured:
    """What was measured of one library under one load, in all rounds.

    :param rates: calls per second in each round; for casts, until the last one was handled
    :param waits: seconds that each caller waited
    :param client: CPU seconds; likewise ``server`` and ``broker``
    """

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    client: float = 0.0
    server: float = 0.0
    broker: float = 0.0

    @property
    def rate(self) -> float:
        """The median of the rounds, per second."""
        return statistics.median(self.rates)

    def percentile(self, part: float) -> float:
        """Give the milliseconds within which this part of the callers had an answer."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(part * len(self.waits)))] * 1000

    def cpu(self, seconds: float) -> float:
        """Give the CPU seconds per 1,000."""
        return seconds / len(self.waits) * 1000

    def common(self) -> list[str]:
        """Give the columns that every table has."""
        waits = [f"{self.percentile(part):.1f}" for part in (0.5, 0.99)]
        return waits + [f"{self.cpu(each):.2f}" for each in (self.client, self.server, self.broker)]


class Pair:
    """The client and the server of one library, and what was measured of them."""

    def __init__(self, library: str, url: str, folder: Path, ending: ExitStack) -> None:
        self._folder = folder
        self.found: dict[tuple[str, int, int], Measured] = {}
        self._casts = 0
        self._server = Process(library, "server", url)
        ending.callback(self._server.end)
        self._client = Process(library, "client", url)
        ending.callback(self._client.end)

    def measure(self, kind: str, in_flight: int, size: int, seconds: float) -> None:
        """Measure one round, after a tenth of it to warm up."""
        self._round(kind, in_flight, size, seconds / 10)
        before, brokers = self._server.tell(self._casts), cpu_seconds(self._folder)
        done = self._round(kind, in_flight, size, seconds)
        after = self._server.tell(self._casts)
        found = self.found.setdefault((kind, in_flight, size), Measured())
        took = after["last"] - done["began"] if kind == "casts" else done["seconds"]
        found.rates.append(len(done["waits"]) / took)
        found.waits += done["waits"]
        found.client += done["cpu"]
        found.server += after["cpu"] - before["cpu"]
        found.broker += cpu_seconds(self._folder) - brokers

    def _round(self, kind: str, in_flight: int, size: int, seconds: float) -> Any:
        done = self._client.tell(kind, in_flight, size, seconds)
        if kind == "casts":
            self._casts += len(done["waits"])
        return done


def pairs(url: str, folder: Path, ending: ExitStack, console: Console) -> dict[str, Pair]:
    """Start every library's processes; one that does not run here is reported and left out."""
    running = {}
    for library in LIBRARIES:
        try:
            running[library] = Pair(library, url, folder, ending)
        except RuntimeError as error:
            if library.startswith(("ours", "kombu")):
                raise
            console.print(f"{library} does not run here: {error}", highlight=False)
    return running


def measure(running: dict[str, Pair], rounds: int, seconds: float) -> None:
    """Have all of them take turns at every load."""
    loads = [("calls", in_flight, size) for size in SIZES for in_flight in IN_FLIGHT] + [("casts", CASTERS, SIZES[0])]
    for _ in range(rounds):
        for load in loads:
            for library, pair in running.items():
                if library != (NAMEKO if load[0] == "casts" else UNSAFE):
                    pair.measure(*load, seconds)


# ---- tables


def calls_table(running: dict[str, Pair], size: int) -> Table:
    """Print the calls with one size of text side by side."""
    made = Table(title=f"calls, {size // 1000} kB each way")
    for column in ("in flight", "library", "calls/s", "times oslo's best", "of the floor", *COMMON):
        made.add_column(column, justify="left" if column == "library" else "right")
    for in_flight in IN_FLIGHT:
        load = ("calls", in_flight, size)
        found = {library: pair.found[load] for library, pair in running.items() if load in pair.found}
        best = max((found[library] for library in OSLO if library in found), key=lambda each: each.rate, default=None)
        for library, each in found.items():
            made.add_row(
                str(in_flight), library, f"{each.rate:,.0f}",
                f"{each.rate / best.rate:.2f}" if best else "", f"{each.rate / found[FLOOR].rate:.0%}",
                *each.common(),
                style="bold" if library.startswith("ours") else None,
            )  # fmt: skip
        times, part = TARGETS[in_flight]
        p99 = f"≤ {best.percentile(0.5):.1f}" if best and in_flight == 16 else ""
        floor = f"≥ {part:.0%}" if part else ""
        made.add_row("", "to reach", "", f"≥ {times:.0f}", floor, "", p99, style="italic", end_section=True)
    return made


def casts_table(running: dict[str, Pair]) -> Table:
    """Print the casts side by side, with what each promises."""
    promises = {
        FLOOR: "nothing",
        UNSAFE: "acknowledged after the work",
        **dict.fromkeys(OSLO, "confirmed; acknowledged before the work"),
    }
    made = Table(title=f"casts, {SIZES[0] // 1000} kB, {CASTERS} in flight, until the last was handled")
    for column in ("library", "promise", "casts/s", *COMMON):
        made.add_column(column, justify="left" if column in ("library", "promise") else "right")
    for library, pair in running.items():
        each = pair.found.get(("casts", CASTERS, SIZES[0]))
        if each is not None:
            made.add_row(
                library, promises.get(library, "on disk, confirmed; acknowledged after the work"), f"{each.rate:,.0f}",
                *each.common(),
                style="bold" if library.startswith("ours") else None,
            )  # fmt: skip
    made.add_row("to reach", "on disk, confirmed; acknowledged after the work", "≥ oslo's", style="italic")
    return made


def machine() -> str:
    """Describe the machine of the measurement."""
    versions = []
    for package in ("amqp", "kombu", "eventlet", "oslo.messaging", "nameko"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {', '.join(versions)}; "
        f"load {os.getloadavg()[0]:.1f} at the end"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (3)")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of each load in each round (1.0)")
    parser.add_argument("--quick", action="store_true", help="one round of a tenth of a second, to see that it runs")
    args = parser.parse_args()
    console = Console()
    with private_broker() as (url, folder), ExitStack() as ending:
        running = pairs(url, folder, ending, console)
        measure(running, *((1, 0.1) if args.quick else (args.rounds, args.seconds)))
    for size in SIZES:
        console.print(calls_table(running, size))
    console.print(casts_table(running), machine(), sep="\n")


if __name__ == "__main__":
    main()
