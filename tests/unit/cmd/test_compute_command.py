"""What the process of a compute node loads.

In a process of its own: importing anything of mininova.cmd patches the process that does.
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
    """Nothing that mininova-compute imports, directly or through anything, can reach a database."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "mininova.compute.manager" in loaded
    assert [name for name in loaded if f"{name}.".startswith(tuple(f"{database}." for database in DATABASES))] == []
