"""gophercloud, the library below Terraform's provider and Kubernetes' cloud provider: a small program in Go.

CI leaves this out, for it needs Go and builds for some time: ``.venv/bin/pytest tests/clients/test_gophercloud.py``.
"""

import os
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).with_name("gophercloud")


def test_the_life_of_a_server(local_stack, login, tmp_path):
    """It boots a server with a key on the flat network, finds its port, and deletes it."""
    built = tmp_path / "life"
    subprocess.run(["go", "build", "-o", built, "."], cwd=PROGRAM, check=True, timeout=600)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
        "OS_AUTH_URL": login.auth_url,
        "OS_USERNAME": login.username,
        "OS_PASSWORD": login.password,
        "OS_PROJECT_NAME": login.project_name,
        "OS_DOMAIN_NAME": login.user_domain_name,
        "OS_REGION_NAME": login.region,
    }
    done = subprocess.run([built], env=environment, capture_output=True, text=True, timeout=150)

    assert done.returncode == 0, done.stderr
    booted, gone = done.stdout.splitlines()
    assert booted.startswith("by-gophercloud ACTIVE of-gophercloud 10.")
    assert gone == "by-gophercloud is gone"
