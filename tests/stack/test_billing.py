"""examples/billing.py on a real stack: its bill equals the database to the second, although processes are killed."""

import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

import pytest
from stack.readiness import Readiness
from stack.settings import CHECKOUT

from tests.fixtures.local_stack import run
from tests.fixtures.programs import Program

BILLING = CHECKOUT / "examples/billing.py"


class Billing:
    """The listener of a stack, which a test kills and starts again."""

    def __init__(self, stack, folder):
        self._stack, self._folder, self.database = stack, folder, folder / "billing.sqlite"
        self._programs = []

    def start(self):
        """Start a listener, and return when it listens."""
        command = [sys.executable, BILLING, "--database", self.database, "listen"]
        config = {"MININOVA_CONFIG_FILE": str(self._stack.home.etc / "mininova.conf")}
        self._programs.append(Program(command, self._folder, {**os.environ, **config}))
        self._programs[-1].wait_for("listening")

    def kill(self):
        """Kill the listener in the middle of its work."""
        self._programs[-1].kill()

    def wait_for(self, event, server):
        """Wait until this listener, or one before it, has recorded an event."""
        said = f"compute.instance.{event} {server.id}"
        if not any(said in line for program in self._programs for line in program.lines):
            self._programs[-1].wait_for(said)

    def end(self):
        """End the listener as a service is ended."""
        assert self._programs[-1].end() == 0

    def stop(self):
        """Stop the listener, if it runs."""
        for program in self._programs:
            program.kill()


@pytest.fixture
def billing(local_stack, tmp_path):
    """Give a running listener."""
    made = Billing(local_stack, tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def kill(local_stack):
    """Give a function that kills a program of the stack, does something, and returns when the program is back."""

    def kill(name, meanwhile):
        supervisor = int((local_stack.home.run / "supervisord.pid").read_text())
        with Readiness(local_stack.home.run, [name]) as readiness:
            os.kill(local_stack.pids()[name], signal.SIGKILL)
            meanwhile()
            list(readiness.wait({name: supervisor}, 60))

    return kill


def rows(database, query):
    """Read from an SQLite file."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def seconds_of_the_database(stack, uuids, until):
    """Add up the seconds in the rows of these instances, by project."""
    totals = Counter()
    for uuid, project, *moments in rows(
        stack.home.database, "SELECT uuid, project_id, launched_at, terminated_at FROM instances"
    ):
        launched, terminated = (
            moment and int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) for moment in moments
        )
        if uuid in uuids and launched is not None:
            totals[project] += (terminated or until) - launched
    return totals


def seconds_of_the_bill(billing, until):
    """Add up the seconds in the report, by project."""
    moment = datetime.fromtimestamp(until, UTC).isoformat()
    report = run([sys.executable, BILLING, "--database", billing.database, "report", "--until", moment], os.environ)
    assert report.returncode == 0, report.stderr
    totals = Counter()
    for line in report.stdout.splitlines()[1:-1]:
        project, _flavor, _instances, _running, seconds, _hours = line.split()
        totals[project] += int(seconds)
    return totals


def test_the_bill_is_the_databases(local_stack, billing, kill, boot, cloud, admin):
    """Boots and deletes go on while listener, conductor and compute are killed; nothing is lost or billed twice."""
    first, second, third = boot("billed", min_count=3, max_count=3)
    billing.wait_for("create.end", first)

    billing.kill()
    kill("mininova-conductor", lambda: cloud.compute.delete_server(first))
    (fourth,) = boot("billed-late")

    billing.start()
    host = admin.compute.get_server(second.id).compute_host
    kill(f"mininova-compute-{host}", lambda: cloud.compute.delete_server(second))
    billing.kill()
    for server in (first, second):
        cloud.compute.wait_for_delete(server, interval=0.1, wait=60)
    billing.start()

    for event, server in [("delete.end", first), ("delete.end", second), ("create.end", fourth)]:
        billing.wait_for(event, server)
    until = int(time.time())
    billed = {uuid for (uuid,) in rows(billing.database, "SELECT uuid FROM instances")}
    assert {server.id for server in (first, second, third, fourth)} <= billed
    assert seconds_of_the_bill(billing, until) == seconds_of_the_database(local_stack, billed, until)
    billing.end()
