"""What mininova-compute imports.

The tests run it in a process of its own, since importing mininova.cmd patches the process.
"""

import subprocess
import sys

DATABASES = ("sqlalchemy", "alembic", "sqlite3", "pymysql", "psycopg", "mininova.db")

LOADED = """
import sys
import mininova.cmd.compute
print(*sorted(sys.modules), sep="\\n")
"""


def test_a_compute_node_loads_no_database():
    """mininova-compute imports no module, directly or through others, that can reach a database."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "mininova.compute.manager" in loaded
    assert [name for name in loaded if f"{name}.".startswith(tuple(f"{database}." for database in DATABASES))] == []
