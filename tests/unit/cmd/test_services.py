"""What the commands give the processes that they make."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from mininova.db import services
from mininova.objects import Service
from tests.fixtures.private_databases import SQLITE

# Stops where the Process would be made, and prints what it would read.
PROGRAM = """
import sys, importlib, json
from mininova import conf

name, url = sys.argv[1:]
command = importlib.import_module(f"mininova.cmd.{name}")

def make(conf, name, **given):
    print(json.dumps(given["registered"]()))
    sys.exit()

command.Process = make
command.build(conf.for_tests(name, **{"database.connection": url}))
"""

# Prints whether garbage is looked for: while modules are imported, in a command, and in a service.
GARBAGE = """
import gc, sys
from types import SimpleNamespace
from mininova.cmd import arguments, launch

def show(*_):
    print(gc.isenabled())

show()
arguments.run("mininova-manage", show)
gc.disable()
launch.launch("scheduler", lambda settings: SimpleNamespace(run=show))
"""


def test_garbage_is_looked_for_once_all_is_imported():
    """A process that runs for months would keep it otherwise."""
    ran = subprocess.run([sys.executable, "-c", GARBAGE], check=True, timeout=60, capture_output=True, text=True)
    assert ran.stdout.split() == ["False", "True", "True"]


@pytest.mark.parametrize("command", ["api", "conductor", "scheduler"])
def test_a_service_with_a_database_reads_itself_what_the_others_speak(empty_database, command: str):
    """It may have to send its first message before its first heartbeat."""
    host = Service(binary="nova-compute", host="host-1", topic="compute", versions={"compute": "1.7"})
    db = empty_database(SQLITE)
    with db.write() as tx:
        services.report(tx, host, datetime.now(UTC))

    url = str(db.engine.url)
    read = subprocess.run([sys.executable, "-c", PROGRAM, command, url], check=True, timeout=60, capture_output=True)
    assert json.loads(read.stdout) == {"compute": ["1.7"]}
