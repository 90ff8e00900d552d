"""How long the long lists take: 1,000 servers, with and without details, in a small database and in a large one.

    .venv/bin/python benchmarks/lists.py [--servers 1000 100000] [--rounds 30]
    .venv/bin/python benchmarks/lists.py --quick

In one process: requests go into the api's application and come back as bytes, without HTTP, a token or a broker.  So
this is what the database and the api itself take.  SQLite.  Other programs disturb the times, and the CPU time least.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tools")]

from mininova import states  # noqa: E402
from mininova.db import instances  # noqa: E402
from mininova.db.schema import NOVA  # noqa: E402
from mininova.db.session import Database  # noqa: E402
from mininova.objects import FixedIP, Flavor, Instance  # noqa: E402
from mininova.wsgi import Request  # noqa: E402
from tests.fixtures.api_harness import IMAGE, USERS, Api, seed  # noqa: E402

PAGE = 1000
BATCH = 5000  # instances that are inserted at once
MAC = "fa:16:3e:00:00:01"
FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)

#: What is asked, and the milliseconds to reach.
LISTS = ((f"/servers/detail?limit={PAGE}", 60), (f"/servers?limit={PAGE}", 20))


def fill(db: Database, count: int) -> None:
    """Insert so many active instances, with an address each."""
    project = USERS["member"][0]
    for first in range(0, count, BATCH):
        with db.write() as tx:
            instances.create(tx, [_active(project, number) for number in range(first, min(first + BATCH, count))])


def _active(project: str, number: int) -> Instance:
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return Instance(
        uuid=str(uuid4()), project_id=project, user_id="bench", display_name=f"server-{number}", hostname=f"s-{number}",
        vm_state=states.ACTIVE, power_state=1, host="host-1", node="host-1", flavor=FLAVOR, image_ref=IMAGE,
        metadata={"role": "web"}, addresses=(FixedIP(network="private", address=address, mac_address=MAC),),
    )  # fmt: skip


def milliseconds(api: Api, path: str, rounds: int) -> list[list[float]]:
    """Ask so many times; give how long the answers took, and how long the CPU was used for them, each sorted."""
    project, roles = USERS["member"]
    headers = {
        "X-Identity-Status": "Confirmed", "X-User-Id": "member", "X-Project-Id": project, "X-Roles": roles,
        "OpenStack-API-Version": "compute 2.96",
    }  # fmt: skip
    times = []
    for _ in range(rounds + 1):
        began, used = time.perf_counter(), time.process_time()
        response = Request.blank(f"/v2.1{path}", headers=headers).get_response(api.bare)
        assert response.status_int == 200, response.body
        assert response.body.count(b'"id"') >= PAGE
        times.append(((time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000))
    return [sorted(each) for each in zip(*times[1:], strict=True)]


def measure(count: int, rounds: int) -> list[tuple[str, int, list[list[float]]]]:
    """Measure each list in a database of so many servers."""
    with tempfile.TemporaryDirectory(prefix="db-") as folder, closing(Database(f"sqlite:///{folder}/it.sqlite")) as db:
        NOVA.upgrade(db)
        seed(db)
        fill(db, count)
        api = Api(db)
        return [(path, goal, milliseconds(api, path, rounds)) for path, goal in LISTS]


def table(found: Sequence[tuple[int, str, int, list[list[float]]]], title: str) -> Table:
    """Print a line for each list."""
    made = Table(title=title)
    for column in ("servers", "list", "median ms", "p95 ms", "its CPU ms", "to reach"):
        made.add_column(column, justify="left" if column == "list" else "right")
    for count, path, goal, (walls, cpus) in found:
        shown = (statistics.median(walls), walls[int(0.95 * len(walls))], statistics.median(cpus))
        made.add_row(f"{count:,}", path, *(f"{each:.1f}" for each in shown), f"{goal}")
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--servers", nargs="+", type=int, default=[1000, 100_000], help="in the database")
    parser.add_argument("--rounds", type=int, default=30, help="requests for each list (30)")
    parser.add_argument("--quick", action="store_true", help="a few requests, to see that it runs")
    sizes = parser.parse_args()
    if sizes.quick:
        sizes.servers, sizes.rounds = [PAGE], 3
    found = [(count, *line) for count in sizes.servers for line in measure(count, sizes.rounds)]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    title = f"lists of {PAGE:,} servers; {machine}; load {os.getloadavg()[0]:.1f} at the end"
    Console(width=None if sys.stdout.isatty() else 110).print(table(found, title))


if __name__ == "__main__":
    main()
