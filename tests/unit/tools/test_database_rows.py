"""What the attacks compare of a database: all that does not change by itself."""

import sqlite3
from pathlib import Path

from tests.fixtures.database_rows import Rows


def test_what_a_living_host_tells_at_the_end_of_an_hour_is_left_out(tmp_path: Path):
    """What it says of a period that is not over, or another host of any, may be an attacker's."""
    told = [("host-2", "2020-01-01 01:00:00"), ("host-2", "2099-01-01 01:00:00"), ("host-1", "2020-01-01 01:00:00")]
    with sqlite3.connect(path := tmp_path / "rows.sqlite") as database:
        database.execute("CREATE TABLE task_log (host TEXT, period_ending TEXT)")
        database.executemany("INSERT INTO task_log VALUES (?, ?)", told)
    database.close()

    found = Rows(path, ["host-2"]).all()["task_log"]

    assert [(log["host"], log["period_ending"]) for log in found] == told[1:]
