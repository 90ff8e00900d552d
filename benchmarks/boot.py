"""How fast a server boots: one at a time, and in a storm; and what the processes weigh.

    .venv/bin/python benchmarks/boot.py [--computes 10] [--hosts-per-compute 1] [--singles 50] [--storm 200]
                                        [--clients 16]

Starts a stack of its own, without the flow, and stops it.  The column "real Nova" is what was measured of nova
34.0.0 on a machine of this size (10 computes, RabbitMQ, a local SQL server, quotas off); times of different
machines compare only roughly.
"""

import argparse
import os
import platform
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cloud import Client, Ears, stack
from rich.console import Console
from rich.table import Table


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


NAMES = ("mininova-api", "mininova-scheduler", "mininova-conductor", "mininova-compute", "beam.smp", "supervisord")


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


def measure(computes: int, hosts_per_compute: int, singles: int, servers: int, clients: int) -> Measured:
    """Run a stack and measure it."""
    with stack(computes, hosts_per_compute) as running, Ears(running.home) as ears:
        crowd = [Client(running.home) for _ in range(clients)]
        image = crowd[0].request("GET", "/image/v2/images")[1]["images"][0]["id"]
        one_at_a_time(crowd[0], ears, image, 5)  # to warm up
        posts, boots, uuids = one_at_a_time(crowd[0], ears, image, singles)
        for uuid in uuids:
            crowd[0].request("DELETE", f"/compute/v2.1/servers/{uuid}")
        ears.wait(uuids, "deleted")
        booted, deleted = storm(crowd, ears, image, servers)
        return Measured(running.seconds, posts, boots, booted, deleted, weights(running.home))


def table(found: Measured, title: str) -> Table:
    """Print the figures beside the targets, and beside Nova's."""
    total = sum(sum(sizes) for sizes in found.memory.values())
    median, p95 = statistics.median(found.boots), percentile(found.boots, 0.95)
    rows = [
        ("POST /servers, median", f"{statistics.median(found.posts):.1f} ms", "≤ 8 ms", "116 ms"),
        ("POST to ACTIVE, median", f"{median:.1f} ms", "≤ 40 ms", "1,005 ms"),
        ("POST to ACTIVE, p95", f"{p95:.1f} ms", "≤ 80 ms", "1,383 ms"),
        ("boots per second in the storm", f"{found.booted:.1f}", "≥ 75", "1.5"),
        ("deletes per second in the storm", f"{found.deleted:.1f}", "≥ 150", "3.4"),
        ("from an empty home to all services up", f"{found.started:.1f} s", "", ""),
        ("memory (PSS) of all processes", f"{total:.0f} MiB", "≤ 500 MB, or 250 *", "2,352 MB"),
        *((f"  {len(sizes)} {name}", f"{sum(sizes):.0f} MiB", "", "") for name, sizes in sorted(found.memory.items())),
    ]
    made = Table(title=title, caption="* with 10 hosts in one process: --computes 1 --hosts-per-compute 10")
    for column in ("what", "ours", "to reach", "real Nova"):
        made.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        made.add_row(*row)
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--computes", type=int, default=10, help="compute processes (10)")
    parser.add_argument("--hosts-per-compute", type=int, default=1, help="hosts that each of them stands for (1)")
    parser.add_argument("--singles", type=int, default=50, help="servers booted one at a time (50)")
    parser.add_argument("--storm", type=int, default=200, help="servers booted at once (200)")
    parser.add_argument("--clients", type=int, default=16, help="clients of the storm (16)")
    args = parser.parse_args()
    found = measure(args.computes, args.hosts_per_compute, args.singles, args.storm, args.clients)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    computes = f"{args.computes} computes of {args.hosts_per_compute} hosts"
    title = f"{computes}; storm of {args.storm} servers, {args.clients} clients; {machine}"
    Console().print(table(found, title))


if __name__ == "__main__":
    main()
