"""tools/update and tools/verify: what they print."""

import subprocess
import sys

import generated


def test_verify_agrees():
    """tools/verify is silent and leaves with 0 when nothing is stale."""
    done = subprocess.run(
        [sys.executable, generated.ROOT / "tools" / "verify"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
