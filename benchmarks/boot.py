"""How fast a server boots, on each database: one at a time, and in a storm; and what the processes weigh.

    .venv/bin/python benchmarks/boot.py [--databases sqlite postgresql mariadb] [--computes 10] [--hosts-per-compute 1]
                                        [--singles 50] [--storm 200] [--clients 16]
    .venv/bin/python benchmarks/boot.py --quick

Starts a stack of its own for each database, without the flow, and stops it.  PostgreSQL and MariaDB are private
servers, as the tests have them (tools/install-databases.sh), which do not sync to the disk.  The column "real Nova" is
what was measured of nova 34.0.0 on a machine of this size (10 computes, RabbitMQ, a local SQL server, quotas off).
Times of different machines compare only roughly, and other programs disturb them: compare the columns of one run.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cloud import Client, Ears, stack
from rich.console import Console
from rich.table import Table
from storm.database import Database


def percentile(values: list[float], part: float) -> float:
    """Give the value below which ``part`` of the values lie."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def one_at_a_time(client: Client, ears: Ears, image: str, count: int) -> tuple[list[float], list[float], list[str]]:
    """Boot servers one after the other; give the milliseconds to the answer, to ACTIVE, and the ids."""
    posts, boots, uuids = [], [], []
    for _ in range(count):
        began = time.monotonic()
        uuid = client.boot(image)
        posts.append((time.monotonic() - began) * 1000)
        boots.append((ears.wait([uuid], "active") - began) * 1000)
        uuids.append(uuid)
    return posts, boots, uuids


def together(clients: list[Client], work: list[list[object]], act: object) -> float:
    """Have each client work off its share at once; give the time at which they began."""
    barrier = threading.Barrier(len(clients) + 1)

    def run(client: Client, share: list[object]) -> None:
        barrier.wait()
        for item in share:
            act(client, item)  # type: ignore[operator]

    threads = [threading.Thread(target=run, args=pair) for pair in zip(clients, work, strict=True)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    return began


def storm(clients: list[Client], ears: Ears, image: str, count: int) -> tuple[float, float]:
    """Boot many servers with many clients, then delete them; give boots and deletes per second."""
    uuids: list[str] = []
    shares: list[list[object]] = [[None] * len(range(n, count, len(clients))) for n in range(len(clients))]
    began = together(clients, shares, lambda client, _: uuids.append(client.boot(image)))
    boots = count / (ears.wait(uuids, "active") - began)
    deletes: list[list[object]] = [list(uuids[n :: len(clients)]) for n in range(len(clients))]
    began = together(clients, deletes, lambda client, uuid: client.request("DELETE", f"/compute/v2.1/servers/{uuid}"))
    return boots, count / (ears.wait(uuids, "deleted") - began)


def weights(home: Path) -> dict[str, list[float]]:
    """Give the MiB (PSS) of each process of the stack, by what it runs."""
    found: dict[str, list[float]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
            mine = str(home) in (folder / "environ").read_text() or str(home) in command
            rollup = (folder / "smaps_rollup").read_text()
        except OSError:
            continue
        if mine:
            name = next((n for n in NAMES if n in command), None)
            pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
            if name:
                found.setdefault(name, []).append(int(pss.split()[1]) / 1024)
    return found


WIDTH = 110  # of the table in a file
DATABASES = ("sqlite", "postgresql", "mariadb")
NAMES = ("mininova-api", "mininova-scheduler", "mininova-conductor", "mininova-compute", "beam.smp", "supervisord")


#: Each figure, what it is to reach, and what Nova does.
ROWS = (
    ("POST /servers, median", "≤ 8 ms", "116 ms"),
    ("POST to ACTIVE, median", "≤ 40 ms", "1,005 ms"),
    ("POST to ACTIVE, p95", "≤ 80 ms", "1,383 ms"),
    ("storm: boots per second", "≥ 75, servers 60", "1.5"),
    ("storm: deletes per second", "≥ 150", "3.4"),
    ("empty home to all up", "", ""),
    ("memory (PSS), no database", "≤ 500 MB, 250 *", "2,352 MB"),
)


@dataclass
class Measured:
    """What one run found.

    :param started: seconds from an empty home to the last service up
    :param posts: ms until the answer to each POST
    :param boots: ms until each server was ACTIVE
    :param booted: boots per second of the storm; likewise ``deleted``
    :param memory: MiB of each process, by what it runs
    """

    started: float
    posts: list[float]
    boots: list[float]
    booted: float
    deleted: float
    memory: dict[str, list[float]]


def measure(database: str, sizes: argparse.Namespace) -> Measured:
    """Run a stack on a database and measure it."""
    with tempfile.TemporaryDirectory(prefix="db-") as folder, closing(Database(Path(folder), database)) as db:
        where = {"MININOVA_DB_URL": db.url} if db.url else {}
        with stack(sizes.computes, sizes.hosts_per_compute, **where) as running, Ears(running.home) as ears:
            crowd = [Client(running.home) for _ in range(sizes.clients)]
            image = crowd[0].request("GET", "/image/v2/images")[1]["images"][0]["id"]
            one_at_a_time(crowd[0], ears, image, 5)  # to warm up
            posts, boots, uuids = one_at_a_time(crowd[0], ears, image, sizes.singles)
            for uuid in uuids:
                crowd[0].request("DELETE", f"/compute/v2.1/servers/{uuid}")
            ears.wait(uuids, "deleted")
            booted, deleted = storm(crowd, ears, image, sizes.storm)
            return Measured(running.seconds, posts, boots, booted, deleted, weights(running.home))


def figures(found: Measured, processes: list[str]) -> list[str]:
    """Write what was found on one database, a figure for each row of ROWS and each kind of process."""
    total = sum(sum(sizes) for sizes in found.memory.values())
    median, p95 = statistics.median(found.boots), percentile(found.boots, 0.95)
    return [
        f"{statistics.median(found.posts):.1f} ms", f"{median:.1f} ms", f"{p95:.1f} ms", f"{found.booted:.1f}",
        f"{found.deleted:.1f}", f"{found.started:.1f} s", f"{total:.0f} MiB",
        *(f"{sum(found.memory.get(name, ())):.0f} MiB" for name in processes),
    ]  # fmt: skip


def table(found: Mapping[str, Measured], title: str) -> Table:
    """Print the figures of the databases side by side, with the targets and with Nova's."""
    processes = sorted({name for measured in found.values() for name in measured.memory})
    rows = [*ROWS, *((f"  {name}", "", "") for name in processes)]
    made = Table(title=title, caption="* with 10 hosts in one process: --computes 1 --hosts-per-compute 10")
    for column in ("what", *found, "to reach", "real Nova"):
        made.add_column(column, justify="left" if column == "what" else "right")
    columns = [figures(measured, processes) for measured in found.values()]
    for (what, *beside), *values in zip(rows, *columns, strict=True):
        made.add_row(what, *values, *beside)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES, help="all three")
    parser.add_argument("--computes", type=int, default=10, help="compute processes (10)")
    parser.add_argument("--hosts-per-compute", type=int, default=1, help="hosts that each of them stands for (1)")
    parser.add_argument("--singles", type=int, default=50, help="servers booted one at a time (50)")
    parser.add_argument("--storm", type=int, default=200, help="servers booted at once (200)")
    parser.add_argument("--clients", type=int, default=16, help="clients of the storm (16)")
    parser.add_argument("--quick", action="store_true", help="a few servers, to see that it runs")
    args = parser.parse_args()
    if args.quick:
        args.computes, args.singles, args.storm, args.clients = 1, 5, 10, 2
    found = {database: measure(database, args) for database in args.databases}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    computes = f"{args.computes} computes of {args.hosts_per_compute} hosts"
    load = f"load {os.getloadavg()[1]:.1f} at the end"
    title = f"{computes}; storm of {args.storm} servers, {args.clients} clients; {machine}; {load}"
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table(found, title))


if __name__ == "__main__":
    main()
