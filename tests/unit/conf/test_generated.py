"""tools/update and tools/verify: what they print."""

import subprocess
import sys

import generated


def test_verify_agrees():
    """tools/verify prints nothing and leaves with 0 when each generated file is up to date."""
    done = subprocess.run(
        [sys.executable, generated.ROOT / "tools" / "verify"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
