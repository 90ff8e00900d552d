"""openstacksdk as others have it pinned: the tests of test_sdk.py with an older release of it.

CI leaves this out, for it installs that release: ``.venv/bin/pytest tests/clients/test_old_sdk.py``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).with_name("test_sdk.py")


@pytest.mark.parametrize("release", ["4.4.0"])
def test_the_same_calls(tmp_path, release):
    """The older library works as the one in .venv does, on a cloud in one process."""
    wanted = [f"openstacksdk=={release}", "requestsexceptions"]  # which newer ones do without
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, *wanted]
    subprocess.run(pip, check=True, stdin=subprocess.DEVNULL, timeout=300)
    told = [sys.executable, "-c", "import openstack.version as it; print(it.__version__)"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = subprocess.run(told, env=environment, capture_output=True, text=True, check=True).stdout
    ran = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--one-process", TESTS]
    done = subprocess.run(ran, env=environment, capture_output=True, text=True, timeout=600)

    assert found.strip() == release
    assert done.returncode == 0, done.stdout
