"""How long a cloud in one process takes to be reset, saved and loaded over its control API.

    .venv/bin/python benchmarks/control.py [--servers 10000] [--rounds 20]

A cloud boots one server and is saved.  In the saved file that server is written down as often as wanted, with its
guest, its port, its claim and its history; this is what is loaded and saved again.  The resets are those of small
tests: each finds three servers, of which the last one may be under way.
"""

import argparse
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import openstack
from rich.console import Console
from rich.table import Table

from mininova.control.client import Control

#: The tables that have rows of a server, and the columns that name it there; a row's own id is made anew.
OF_SERVER = {
    "instances": "uuid",
    "instance_actions": "instance_uuid",
    "request_specs": "instance_uuid",
    "allocations": "instance_uuid",
    "ports": "instance_uuid",
}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", type=int, default=10_000, help="in the file (%(default)s)")
    parser.add_argument("--rounds", type=int, default=20, help="resets (%(default)s)")
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "mininova", "--port", "0", "--state", name]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as cloud:
            try:
                assert cloud.stdout is not None
                cloud.stdout.readline()
                found = measure(folder, parsed.servers, parsed.rounds)
            finally:
                cloud.terminate()
    table = Table(title=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for title in found:
        table.add_column(title)
    table.add_row(*found.values())
    Console().print(table)


def measure(folder: Path, servers: int, rounds: int) -> dict[str, str]:
    """Reset, load and save the cloud of a folder."""
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(folder / "clouds.yaml")
    control = Control.of_file(folder / "control.json")
    connection = openstack.connect(cloud="mininova")
    image, flavor = connection.image.find_image("cirros").id, connection.compute.find_flavor("m1.tiny").id

    def boot(name: str, *, wait: bool) -> None:
        server = connection.compute.create_server(name=name, image_id=image, flavor_id=flavor, networks="auto")
        if wait:
            connection.compute.wait_for_server(server, interval=0.05)

    resets = []
    for _ in range(rounds):
        for number in range(3):
            boot(f"server-{number}", wait=number < 2)
        resets.append(seconds(control.reset))
    boot("seed", wait=True)
    seed, saved = folder / "seed", folder / "saved"
    control.save(seed)
    multiply(seed, servers)
    loaded = seconds(lambda: control.load(seed))
    kept = seconds(lambda: control.save(saved))
    there = sum(1 for _ in connection.compute.servers(details=False))
    assert there == servers, there
    return {
        "median reset, ms": f"{1000 * statistics.median(resets):.0f}",
        "longest, ms": f"{1000 * max(resets):.0f}",
        f"load {servers:,} servers, s": f"{loaded:.2f}",
        "save them, s": f"{kept:.2f}",
        "MiB": f"{saved.stat().st_size / 2**20:.0f}",
        "reset after that, s": f"{seconds(control.reset):.2f}",
    }


def seconds(work: Callable[[], object]) -> float:
    """Give for how long something took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def multiply(seed: Path, servers: int) -> None:
    """Write the one server of a saved cloud down so often."""
    with sqlite3.connect(seed) as file:
        ((first,),) = file.execute("SELECT uuid FROM instances WHERE NOT deleted")
        uuids = [str(uuid4()) for _ in range(servers - 1)]
        for table, column in OF_SERVER.items():
            rows = file.execute(f"SELECT * FROM {table} WHERE {column} = ?", (first,))
            names = [it[0] for it in rows.description]
            for row in rows.fetchall():
                made = (copied(dict(zip(names, row, strict=True)), column, uuid, n) for n, uuid in enumerate(uuids, 1))
                file.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})", made)
        ((host, guest),) = file.execute("SELECT host, guest FROM control_guests")
        guests = ((host, guest.replace(first.encode(), uuid.encode())) for uuid in uuids)
        file.executemany("INSERT INTO control_guests VALUES (?, ?)", guests)
    file.close()


def copied(row: dict[str, object], column: str, uuid: str, number: int) -> tuple[object, ...]:
    """Give the row of another server: what must be different is."""
    position = row.get("position")
    own = {
        column: uuid,
        "id": str(uuid4()) if isinstance(row.get("id"), str) else None,
        "mac_address": f"fa:17:3e:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        "position": position + number if isinstance(position, int) else None,
    }
    return tuple(own.get(name, value) for name, value in row.items())


if __name__ == "__main__":
    main()
