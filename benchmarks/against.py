"""How a boot of this checkout compares with one of another checkout, such as the commit before a change.

    git worktree add ../before COMMIT; (cd ../before; tools/run-tests.sh lint)  # which makes its virtual environment
    .venv/bin/python benchmarks/against.py ../before [--rounds 12] [--storm 120] [--clients 8] [--computes 5]

A single run says little: the same code boots 69 and 84 servers a second within ten minutes, as the machine's
neighbours have it.  So both clouds run at once, each by its own Python and its own tools, and their storms alternate;
the table shows the median of each figure over all rounds, and the ratio.  The processor's time of a boot, by process,
is disturbed least.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parents[1]
SINGLES = 12  # servers booted one at a time, in each round
TICKS = os.sysconf("SC_CLK_TCK")
UNITS = {"boots": "/s", "deletes": "/s"}  # all others are milliseconds

Figures = dict[str, float]


# ---- what plays a round: run by each checkout's own Python


def play(sizes: argparse.Namespace) -> None:
    """Run a stack, and play a round for each line of the input; print its figures as JSON."""
    import boot  # of the checkout in which this process was started, as cloud
    from cloud import Client, Ears, stack

    with stack(sizes.computes) as running, Ears(running.home) as ears:
        crowd = [Client(running.home) for _ in range(sizes.clients)]
        image = crowd[0].request("GET", "/image/v2/images")[1]["images"][0]["id"]

        def delete(uuids: list[str]) -> None:
            for uuid in uuids:
                crowd[0].request("DELETE", f"/compute/v2.1/servers/{uuid}")
            ears.wait(uuids, "deleted")

        boot.storm(crowd, ears, image, sizes.storm)  # to warm up
        print(flush=True)
        for _ in sys.stdin:
            before = processor_time(running.home)
            boots, deletes = boot.storm(crowd, ears, image, sizes.storm)
            spent = {name: 1000 * (s - before.get(name, 0)) for name, s in processor_time(running.home).items()}
            posts, actives, uuids = boot.one_at_a_time(crowd[0], ears, image, SINGLES)
            delete(uuids)
            cpu = {f"CPU, {name}": ms / sizes.storm for name, ms in sorted(spent.items())}
            found = {"boots": boots, "deletes": deletes, "POST": statistics.median(posts)}
            found |= {"POST to ACTIVE": statistics.median(actives), "CPU of a boot and a delete": sum(cpu.values())}
            print(json.dumps(found | cpu), flush=True)


def processor_time(home: Path) -> dict[str, float]:
    """Give the seconds of processor time that each kind of process of a stack has used."""
    from boot import NAMES

    used: dict[str, float] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
            mine = str(home) in command or str(home) in (folder / "environ").read_text()
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended, or is not ours
        if mine and (name := next((name for name in NAMES if name in command), None)):
            used[name] = used.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS
    return used


# ---- what has two of them play in turn


class Player:
    """A process that plays rounds on a stack of a checkout."""

    def __init__(self, checkout: Path, sizes: list[str]) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{checkout / 'benchmarks'}{os.pathsep}{checkout / 'tools'}"}
        command = [checkout / ".venv/bin/python", "-P", HERE / "benchmarks/against.py", "--play", *sizes]
        self._process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def heard(self) -> str:
        """Wait for its next line: the first says that its stack is up, each other one how a round went."""
        assert self._process.stdout
        if not (line := self._process.stdout.readline()):
            raise SystemExit("a stack did not start, or a round failed: see above")
        return line

    def round(self) -> Figures:
        """Have it play a round."""
        assert self._process.stdin
        print(file=self._process.stdin, flush=True)
        figures: Figures = json.loads(self.heard())
        return figures

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def compare(other: Path, rounds: int, sizes: list[str]) -> tuple[list[Figures], list[Figures]]:
    """Play rounds on both checkouts in turn; the one that begins is the other one each time."""
    with Player(other, sizes) as before, Player(HERE, sizes) as after:
        found: dict[Player, list[Figures]] = {before: [], after: []}
        for player in found:
            player.heard()
        for number in range(rounds):
            for player in list(found)[:: 1 if number % 2 else -1]:
                found[player].append(player.round())
        return found[before], found[after]


def table(before: list[Figures], after: list[Figures], title: str) -> Table:
    """Print the medians side by side."""
    made = Table(title=title)
    for column in ("median", "other", "this", "ratio"):
        made.add_column(column, justify="left" if column == "median" else "right")
    for name in before[0]:
        was, now = (statistics.median(figures.get(name, 0.0) for figures in rows) for rows in (before, after))
        unit = UNITS.get(name, " ms")
        made.add_row(name, f"{was:.2f}{unit}", f"{now:.2f}{unit}", f"{now / was:.3f}" if was else "")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "checkout", nargs="?", type=Path, default=HERE, help="the other one; this one, to see the noise"
    )
    parser.add_argument("--rounds", type=int, default=12, help="of a storm and some single boots (12)")
    parser.add_argument("--storm", type=int, default=120, help="servers booted at once (120)")
    parser.add_argument("--clients", type=int, default=8, help="clients of the storm (8)")
    parser.add_argument("--computes", type=int, default=5, help="compute processes (5)")
    parser.add_argument("--quick", action="store_true", help="one small round, to see that it runs")
    parser.add_argument("--play", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.storm, args.clients, args.computes = 1, 10, 2, 1
    if args.play:
        play(args)
        return
    sizes = [f"--{name}={getattr(args, name)}" for name in ("storm", "clients", "computes")]
    began = time.monotonic()
    found = compare(args.checkout.resolve(), args.rounds, sizes)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    title = f"{args.rounds} rounds in {time.monotonic() - began:.0f} s; {args.computes} computes; {machine}"
    Console(width=None if sys.stdout.isatty() else 110).print(table(*found, title))


if __name__ == "__main__":
    main()
