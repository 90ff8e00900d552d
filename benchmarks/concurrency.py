"""What native threads cost, and what they give: the same cloud on eventlet and on threads, measured in turns.

    .venv/bin/python benchmarks/concurrency.py [--rounds 3] [--computes 3] [--singles 40] [--storm 120] [--clients 8]
    .venv/bin/python benchmarks/concurrency.py --quick

Each round starts a stack of its own in either mode.  What other programs do on the machine disturbs both alike, so
read the ratios; the CPU time of the services is disturbed least.
"""

import argparse
import os
import platform
import statistics
from collections.abc import Mapping
from pathlib import Path

import boot
from cloud import Client, Ears, stack
from rich.console import Console
from rich.table import Table

from mininova.service import concurrency

Figures = Mapping[str, float]

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
WARM_UP = 5  # boots to warm up, which do not count

#: Each figure: its name, its unit, and how its value is written.
ROWS = (
    ("POST /servers, median", "ms", ".1f"),
    ("POST to ACTIVE, median", "ms", ".1f"),
    ("POST to ACTIVE, p95", "ms", ".1f"),
    ("boots per second in the storm", "", ".1f"),
    ("deletes per second in the storm", "", ".1f"),
    ("CPU of the services for a boot and its delete", "ms", ".1f"),
    ("memory (PSS) of the services", "MiB", ".0f"),
    ("  of mininova-api", "MiB", ".0f"),
    ("  of mininova-conductor", "MiB", ".0f"),
    ("  of one mininova-compute", "MiB", ".0f"),
)


def measure(kind: str, sizes: argparse.Namespace) -> Figures:
    """Run a stack in one mode; give the figures of ROWS."""
    with stack(sizes.computes, **{concurrency.VARIABLE: kind}) as running, Ears(running.home) as ears:
        crowd = [Client(running.home) for _ in range(sizes.clients)]
        image = crowd[0].request("GET", "/image/v2/images")[1]["images"][0]["id"]
        boot.one_at_a_time(crowd[0], ears, image, WARM_UP)
        posts, boots, uuids = boot.one_at_a_time(crowd[0], ears, image, sizes.singles)
        for uuid in uuids:
            crowd[0].request("DELETE", f"/compute/v2.1/servers/{uuid}")
        ears.wait(uuids, "deleted")
        before = cpu_seconds(running.home)
        booted, deleted = boot.storm(crowd, ears, image, sizes.storm)
        cpu = (cpu_seconds(running.home) - before) / sizes.storm * 1000
        memory = {name: sizes for name, sizes in boot.weights(running.home).items() if name.startswith("mininova-")}
    values = (
        statistics.median(posts), statistics.median(boots), boot.percentile(boots, 0.95), booted, deleted, cpu,
        sum(map(sum, memory.values())),
        *(statistics.mean(memory[name]) for name in ("mininova-api", "mininova-conductor", "mininova-compute")),
    )  # fmt: skip
    return {name: value for (name, _, _), value in zip(ROWS, values, strict=True)}


def cpu_seconds(home: Path) -> float:
    """Give the CPU time that all services of a stack have used."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
            if "/mininova-" in command and str(home) in command:
                user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
                ticks += int(user) + int(system)
        except OSError:
            continue
    return ticks / TICKS_PER_S


def table(rounds: Mapping[str, list[Figures]], title: str) -> Table:
    """Print both modes side by side: the median of the rounds, and the ratio of the medians."""
    made = Table(title=title)
    for column in ("what", *concurrency.KINDS, "threads ÷ eventlet", "of each round"):
        made.add_column(column, justify="left" if column == "what" else "right")
    for name, unit, form in ROWS:
        green, native = ([figures[name] for figures in rounds[kind]] for kind in concurrency.KINDS)
        middle = [statistics.median(values) for values in (green, native)]
        each = (f"{after / before:.2f}" for before, after in zip(green, native, strict=True))
        shown = (f"{value:{form}} {unit}".rstrip() for value in middle)
        made.add_row(name, *shown, f"{middle[1] / middle[0]:.2f}", " ".join(each))
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="stacks in each mode (3)")
    parser.add_argument("--computes", type=int, default=3, help="compute processes (3)")
    parser.add_argument("--singles", type=int, default=40, help="servers booted one at a time (40)")
    parser.add_argument("--storm", type=int, default=120, help="servers booted at once (120)")
    parser.add_argument("--clients", type=int, default=8, help="clients of the storm (8)")
    parser.add_argument("--quick", action="store_true", help="one round of a few servers, to see that it runs")
    sizes = parser.parse_args()
    if sizes.quick:
        sizes.rounds, sizes.computes, sizes.singles, sizes.storm, sizes.clients = 1, 1, 5, 10, 2
    rounds: dict[str, list[Figures]] = {kind: [] for kind in concurrency.KINDS}
    for number in range(sizes.rounds):
        for kind in concurrency.KINDS if number % 2 == 0 else reversed(concurrency.KINDS):
            rounds[kind].append(measure(kind, sizes))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    load = f"load {os.getloadavg()[1]:.1f} at the end"
    what = f"{sizes.rounds} rounds; {sizes.computes} computes; storm of {sizes.storm} servers, {sizes.clients} clients"
    Console().print(table(rounds, f"{what}; {machine}; {load}"))


if __name__ == "__main__":
    main()
