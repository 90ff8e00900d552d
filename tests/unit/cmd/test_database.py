"""When a green thread of a command waits for the database, the others run on (mininova/cmd/database.py)."""

import subprocess
import sys

import pytest

from tests.fixtures.private_databases import MARIADB, POSTGRESQL

LOCKS = {
    POSTGRESQL: ("SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"),
    MARIADB: ("SELECT get_lock('a', 60)", "SELECT release_lock('a')"),
}

PROGRAM = """
import sys
from types import SimpleNamespace
from mininova.cmd.database import open_database
import eventlet
from sqlalchemy import text

url, lock, unlock = sys.argv[1:]
db = open_database(SimpleNamespace(database=SimpleNamespace(connection=url, connect_retry=60, answer_timeout=60)))
with db.read() as first, db.read() as second:
    first.execute(text(lock))
    other = eventlet.spawn(lambda: second.execute(text(lock)))
    eventlet.sleep(0)
    first.execute(text(unlock))
    other.wait()
"""

# A connection of psycopg's, played by a pair of sockets: what is left to the hub is noted, and is ready by then.
LOOKS = """
import mininova.cmd
import socket
from psycopg import waiting
from psycopg.waiting import READY_W, WAIT_R, WAIT_RW, WAIT_W
from mininova.service.concurrency import green_psycopg

left = []
def hub(asking, fileno, *args, **how):
    try:
        wanted = next(asking)
        while True:
            left.append(wanted)
            wanted = asking.send(wanted)
    except StopIteration as end:
        return end.value

def asking(*wanted):
    found = []
    for each in wanted:
        found.append((yield each))
    return found

waiting.wait_select = hub
green_psycopg.install()
ours, theirs = socket.socketpair()
assert waiting.wait(asking(), ours.fileno(), interval=0.1) == [] == left
assert waiting.wait(asking(WAIT_W, WAIT_RW), ours.fileno()) == [READY_W, READY_W] and left == []
assert waiting.wait(asking(WAIT_W, WAIT_R), ours.fileno()) == [WAIT_W, WAIT_R] and left == [WAIT_R]
theirs.send(b"an answer")
assert waiting.wait(asking(WAIT_R, WAIT_RW), ours.fileno()) == [WAIT_R, WAIT_RW] and left == [WAIT_R]
"""


def test_a_green_thread_looks_before_it_waits():
    """What PostgreSQL has answered, or can be sent, is found without the hub; what takes longer is left to it."""
    subprocess.run([sys.executable, "-c", LOOKS], check=True, timeout=60)


@pytest.mark.parametrize("kind", [POSTGRESQL, MARIADB])
def test_a_green_thread_waits_alone(migrated, kind):
    """One green thread waits for a database lock, while another one, which holds it, goes on and releases it."""
    subprocess.run([sys.executable, "-c", PROGRAM, migrated(kind), *LOCKS[kind]], check=True, timeout=60)
