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
import mininova.cmd.database
import eventlet
from sqlalchemy import text
from mininova.db.session import Database

url, lock, unlock = sys.argv[1:]
db = Database(url)
with db.read() as first, db.read() as second:
    first.execute(text(lock))
    other = eventlet.spawn(lambda: second.execute(text(lock)))
    eventlet.sleep(0)
    first.execute(text(unlock))
    other.wait()
"""


@pytest.mark.parametrize("kind", [POSTGRESQL, MARIADB])
def test_a_green_thread_waits_alone(migrated, kind):
    """One green thread waits for a database lock, while another one, which holds it, goes on and releases it."""
    subprocess.run([sys.executable, "-c", PROGRAM, migrated(kind), *LOCKS[kind]], check=True, timeout=60)
