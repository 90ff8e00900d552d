"""A command that Ctrl-C ends while it imports (mininova/cmd/__init__.py)."""

import signal
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [("KeyboardInterrupt", -signal.SIGINT, []), ("ZeroDivisionError", 1, ["ZeroDivisionError"])],
)
def test_ctrl_c_says_nothing(error: str, code: int, said: list[str]):
    """It ends as a program does that Ctrl-C ends, without a traceback; any other error has one."""
    words = [sys.executable, "-c", f"import mininova.cmd; raise {error}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1:]) == (code, said)
