"""How long a cloud in one process takes to start, and what it weighs, beside a server that people test AWS tools with.

    .venv/bin/python benchmarks/start.py [--rounds 5]
    .venv/bin/python benchmarks/start.py --quick

``pip install -e '.[bench]'`` brings moto's server; without it its column is left out.  All start in turns, so what else
runs on the machine disturbs them alike.  A start ends with the first answer over HTTP.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from rich.console import Console
from rich.table import Table

BIN = Path(sys.executable).parent
#: What is measured → its command; each says its URL when it listens.
SERVERS = {
    "mininova-cloud": [BIN / "mininova-cloud", "--port", "0"],
    "with 1,000 hosts": [BIN / "mininova-cloud", "--port", "0", "--hosts", "1000"],
    "moto_server": [BIN / "moto_server", "--port", "0"],
}
URL = re.compile(r"http://[\w.]+:\d+")


@dataclass
class Started:
    """One start: its seconds, and the MiB (PSS) of the process after it; the seconds of its end."""

    ready: float
    memory: float
    stopped: float


def start(command: list[object]) -> Started:
    """Start a server, ask it once, and stop it."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    began = time.monotonic()
    server = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    assert server.stdout is not None
    url = next(found.group() for line in server.stdout if (found := URL.search(line)))
    urlopen(url, timeout=60).close()
    ready = time.monotonic() - began
    rollup = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
    began = time.monotonic()
    server.terminate()
    server.wait(60)
    server.stdout.close()
    return Started(ready, int(pss.split()[1]) / 1024, time.monotonic() - began)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="starts of each (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one start of the small ones, to see that it runs")
    parsed = parser.parse_args()
    there = {name: command for name, command in SERVERS.items() if Path(str(command[0])).exists()}
    if parsed.quick:
        there.pop("with 1,000 hosts")
    found = {name: list[Started]() for name in there}
    for _ in range(1 if parsed.quick else parsed.rounds):
        for name, command in there.items():
            found[name].append(start(command))
    table = Table(
        "median", *there, title=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    for title, part in ("seconds to start", "ready"), ("MiB", "memory"), ("seconds to stop", "stopped"):
        medians = (statistics.median(getattr(one, part) for one in runs) for runs in found.values())
        table.add_row(title, *(f"{median:.2f}" for median in medians))
    Console().print(table)


if __name__ == "__main__":
    main()
