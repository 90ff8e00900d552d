"""The example of a project whose tests start a cloud runs as its reader would run it: by pytest, in its folder."""

import subprocess
import sys
from pathlib import Path

from documentation import ROOT

DEADLINE = 240  # seconds; half a minute when nothing else runs


def test_the_tests_of_the_example_pass():
    told = [Path(sys.executable).with_name("pytest"), "-q", "-c", "pytest.ini", "."]
    done = subprocess.run(told, cwd=ROOT / "examples/pytest", capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stdout
    assert "22 passed" in done.stdout
