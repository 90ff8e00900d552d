"""The commands on a Python that eventlet does not support (mininova/cmd/__init__.py)."""

import subprocess
import sys

import pytest

PRETENDED = """
import sys
sys.argv[0], sys.version_info = "/usr/bin/mininova-api", {version}
import mininova.cmd
"""


@pytest.mark.parametrize("version", [(3, 10, 13, "final", 0), (3, 15, 0, "final", 0)])
def test_another_python_is_refused(version: tuple[object, ...]):
    """The command prints which Python it found and which it needs, and ends with 2."""
    done = subprocess.run(
        [sys.executable, "-c", PRETENDED.format(version=version)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"mininova-api: Python 3.{version[1]} will not do: use one from 3.11 to 3.14, as eventlet does\n"
    )
