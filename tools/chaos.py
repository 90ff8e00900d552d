"""Run a storm against a real stack of its own: clients ask, processes are killed, and in the end all must agree.

``.venv/bin/python tools/chaos.py --seed 1 --operations 500 --kills 25`` prints what happened and what is wrong, and
ends with 1 if anything is.  The package tools/storm is how.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from stack.brokers import KINDS, RABBITMQ
from storm.run import run


def main(words: list[str]) -> int:
    """Run the storms that are asked for, and give 1 if any left something wrong."""
    asked = _parser().parse_args(words)
    good = [_one(asked, seed) for seed in range(asked.seed, asked.seed + asked.repeat)]
    return 0 if all(good) else 1


def _one(asked: argparse.Namespace, seed: int) -> bool:
    """Run the storm of a seed in a home of its own, which is kept if anything is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=asked.home))  # a short path, for the sockets in it
    shape = asked.operations, asked.kills, asked.computes, asked.database, asked.concurrency, asked.broker
    report = run(folder / "home", seed, *shape)
    short = asked.repeat > 1 and report.is_good and not asked.long
    print(*([report.row] if short else report.lines()), sep="\n", flush=True)
    if report.is_good:
        shutil.rmtree(folder)
    else:
        (folder / "report.txt").write_text("\n".join(report.lines()))
        print(f"\nIts logs and its database: {folder / 'home'}", flush=True)
    return report.is_good


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/chaos.py", description="Run a storm against a stack of its own.")
    parser.add_argument("--seed", type=int, default=1, help="what the storm is drawn from (1)")
    parser.add_argument("--repeat", type=int, default=1, help="how many seeds, from this one up (1)")
    parser.add_argument("--long", action="store_true", help="say all of a good seed, too, when there are several")
    parser.add_argument("--operations", type=int, default=500, help="how many requests clients make (500)")
    parser.add_argument("--kills", type=int, default=25, help="how often something breaks meanwhile (25)")
    parser.add_argument("--computes", type=int, default=5, help="how many computes there are (5)")
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, mariadb, or the URL of an empty one")
    parser.add_argument("--concurrency", default="eventlet", help="eventlet or threads, for the services (eventlet)")
    parser.add_argument("--broker", default=RABBITMQ, choices=KINDS, help="rabbitmq or qpid (rabbitmq)")
    parser.add_argument("--home", type=Path, default=None, metavar="DIR", help="where stacks have their homes (/tmp)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
