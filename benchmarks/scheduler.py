"""How long the scheduler takes to choose a host and claim its room, by the number of hosts and on each database.

    .venv/bin/python benchmarks/scheduler.py [--databases sqlite postgresql] [--hosts 10 100 1000 5000 10000]
                                             [--requests 200] [--many 200]
    .venv/bin/python benchmarks/scheduler.py --quick

No broker and no other process: a SchedulerManager of real parts, with every filter and every weigher that there is, and
a database with so many hosts.  Between two requests, hosts send heartbeats and one reports other figures, as in a cloud
that lives; that is not measured.  On one host of five, builds have failed lately.  The requests differ: some name a
zone, have hints or an image with properties, or ask for traits.  The last column places ``--many`` instances by one
request.  PostgreSQL is a private server that does not sync to the disk, and has seen the rows that it plans for, as its
autovacuum does within a minute.  Other programs disturb the times, and the CPU time of the scheduler least.
"""

import argparse
import itertools
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert, text

sys.path[:0] = [str(Path(__file__).parents[1] / "tools")]

from storm import database as databases  # noqa: E402

from mininova import conf, plugins, states  # noqa: E402
from mininova.context import RequestContext  # noqa: E402
from mininova.db import actions, aggregates, hosts, instances, request_specs, server_groups, services  # noqa: E402
from mininova.db.models import aggregate_hosts  # noqa: E402
from mininova.db.schema import NOVA  # noqa: E402
from mininova.db.session import Database  # noqa: E402
from mininova.objects import ComputeNode, Flavor, ImageMeta, Instance, RequestSpec, Service  # noqa: E402
from mininova.scheduler.manager import SchedulerManager  # noqa: E402
from mininova.virt import fake  # noqa: E402

CTXT = RequestContext(request_id="req-benchmark")
HOSTS = (10, 100, 1000, 5000, 10000)
DATABASES = ("sqlite", "postgresql", "mariadb")
BEATS = 20  # heartbeats of other hosts between two requests
WARM_UP = 5  # requests that do not count
RACK = 40  # hosts in an aggregate

SPECS = ({}, {"capabilities:hypervisor_type": "fake"}, {"trait:HW_CPU_X86_CLFLUSH": "required"})
FLAVORS = [
    Flavor(flavor_id=f"{n}", name=f"m1.{n}", memory_mb=256 * n, vcpus=n, root_gb=n, extra_specs=specs)
    for n, specs in enumerate(SPECS, 1)
]
IMAGES = [
    ImageMeta(id="plain"),
    ImageMeta(id="particular", properties={"hw_architecture": "x86_64", "img_hv_type": "fake", "hw_vm_mode": "hvm"}),
]


class Deaf:
    """A notifier that tells nobody."""

    def info(self, *_: object) -> None:
        """Do nothing."""


class World:
    """A cloud of so many hosts in an empty database."""

    def __init__(self, db: Database, count: int) -> None:
        self.db, self.dice = db, random.Random(count)
        self.names = [f"host-{number:05}" for number in range(count)]
        with db.write() as tx:
            for name in self.names:
                services.report(tx, self._service(name), datetime.now(UTC))
                hosts.report(tx, self._node(name).replace(failed_builds=self._failed()))
            for number, first in enumerate(range(0, count, RACK)):
                rack = aggregates.create(tx, f"rack-{number}", None)
                aggregates.describe(tx, rack, {"rack": str(number)})
                there = [{"aggregate_id": rack.id, "host": name} for name in self.names[first : first + RACK]]
                tx.execute(insert(aggregate_hosts), there)
            group = server_groups.ServerGroup(
                uuid=str(uuid4()), name="apart", project_id="demo", user_id="ann",
                policy=server_groups.SOFT_ANTI_AFFINITY,
            )  # fmt: skip
            server_groups.create(tx, group)
        self.asks = self._asks(group.uuid)

    def live(self) -> None:
        """Have some hosts send heartbeats, and one report another number of guests."""
        for name in self.dice.choices(self.names, k=BEATS):
            with self.db.write() as tx:
                services.report(tx, self._service(name), datetime.now(UTC))
        with self.db.write() as tx:
            changed = {"running_vms": self.dice.randrange(100), "failed_builds": self._failed()}
            hosts.report(tx, self._node(self.dice.choice(self.names)).replace(**changed))

    def _failed(self) -> int:
        return self.dice.choice((0, 0, 0, 0, self.dice.randint(1, 5)))

    def ask(self, count: int = 1) -> tuple[RequestSpec, list[str]]:
        """Make a request, and the instances that wait for a host."""
        spec = next(self.asks).replace(num_instances=count)
        who = {"project_id": "demo", "user_id": "ann", "display_name": "vm", "flavor": spec.flavor}
        state = {"vm_state": states.BUILDING, "task_state": states.SCHEDULING}
        with self.db.write() as tx:
            made = instances.create(tx, [Instance(uuid=str(uuid4()), **who, **state) for _ in range(count)])
            request_specs.create(tx, [each.uuid for each in made], spec)
            actions.start(tx, CTXT, made, "build", due_after=60)
        return spec, [each.uuid for each in made]

    @staticmethod
    def _asks(group: str) -> Iterator[RequestSpec]:
        extras: list[dict[str, Any]] = [
            {}, {"availability_zone": "nova"}, {"scheduler_hints": {"group": group}},
            {"scheduler_hints": {"query": '[">=", "$free_ram_mb", 1024]'}},
        ]  # fmt: skip
        for flavor, image, extra in itertools.cycle(itertools.product(FLAVORS, IMAGES, extras)):
            yield RequestSpec(flavor=flavor, image=image, project_id="demo", **extra)

    @staticmethod
    def _service(host: str) -> Service:
        return Service(binary="nova-compute", host=host, topic="compute", availability_zone="nova")

    def _node(self, host: str) -> ComputeNode:
        return ComputeNode(
            host=host, hypervisor_hostname=host, vcpus=64, memory_mb=2**18, local_gb=2**12,
            cpu_info=fake.CPU_INFO, image_properties=fake.IMAGE_PROPERTIES,
        )  # fmt: skip


def a_scheduler(db: Database) -> SchedulerManager:
    """Make a scheduler with all filters and weighers that are registered."""
    everything = {
        f"filter_scheduler.enabled_{kind}s": sorted(entry_points(group=plugins.KINDS[kind]).names)
        for kind in ("filter", "weigher")
    }
    enough = {f"filter_scheduler.max_{what}_per_host": 2**20 for what in ("instances", "io_ops")}
    options = conf.for_tests("scheduler", service_down_time=3600, **everything, **enough)  # to make hosts takes a while
    return SchedulerManager(options, db, Deaf())  # type: ignore[arg-type]


def measure(kind: str, count: int, sizes: argparse.Namespace) -> list[float]:
    """Give the milliseconds of the first request, the median, the 95th percentile, the CPU's, a multi-create's."""
    with tempfile.TemporaryDirectory(prefix="db-") as folder, closing(databases.Database(Path(folder), kind)) as server:
        db = Database(server.url or f"sqlite:///{folder}/mininova.sqlite")
        NOVA.upgrade(db)
        with closing(db):
            world, scheduler = World(db, count), a_scheduler(db)
            if kind == "postgresql":
                with db.write() as tx:
                    tx.execute(text("ANALYZE"))
            first, *rest = (one(scheduler, world) for _ in range(WARM_UP + sizes.requests))
            many = one(scheduler, world, min(sizes.many, 20 * count))
    walls, cpus = (sorted(times) for times in zip(*rest[WARM_UP - 1 :], strict=True))
    return [first[0], statistics.median(walls), walls[int(0.95 * len(walls))], statistics.median(cpus), many[0]]


def one(scheduler: SchedulerManager, world: World, instances: int = 1) -> tuple[float, float]:
    """Place instances by one request; give the milliseconds, and those of them that this process used the CPU."""
    world.live()
    spec, uuids = world.ask(instances)
    began, used = time.perf_counter(), time.process_time()
    scheduler.select_destinations(CTXT, spec, uuids)
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


def table(found: Sequence[tuple[str, int, list[float]]], title: str, many: int) -> Table:
    """Print a line for each database and number of hosts."""
    made = Table(title=title, caption="to reach: a median of 10 ms with 5,000 hosts")
    for column in ("database", "hosts", "first ms", "median ms", "p95 ms", "its CPU ms", f"{many} at once, ms"):
        made.add_column(column, justify="left" if column == "database" else "right")
    for kind, count, times in found:
        made.add_row(kind, f"{count:,}", *(f"{each:.1f}" for each in times))
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES[:2], help="SQLite, PostgreSQL")
    parser.add_argument("--hosts", nargs="+", type=int, default=HOSTS, help="numbers of hosts (10 … 10,000)")
    parser.add_argument("--requests", type=int, default=200, help="requests for one instance each (200)")
    parser.add_argument("--many", type=int, default=200, help="instances of the last request (200)")
    parser.add_argument("--quick", action="store_true", help="a few requests on SQLite, to see that it runs")
    sizes = parser.parse_args()
    if sizes.quick:
        sizes.databases, sizes.hosts, sizes.requests, sizes.many = ["sqlite"], [10, 1000], 20, 20
    found = [(kind, count, measure(kind, count, sizes)) for kind in sizes.databases for count in sizes.hosts]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    title = f"select and claim; {machine}; load {os.getloadavg()[1]:.1f} at the end"
    Console(width=None if sys.stdout.isatty() else 110).print(table(found, title, sizes.many))


if __name__ == "__main__":
    main()
