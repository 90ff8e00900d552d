"""Ansible's openstack.cloud modules: a play that is run twice changes nothing the second time.

CI leaves this out, for installing Ansible takes a minute: ``.venv/bin/pytest tests/clients/test_ansible.py``.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PLAY = Path(__file__).with_name("ansible.yml")
INSTALLED = ("ansible>=12,<13", "openstacksdk==4.4.0")


@pytest.fixture(scope="module")
def ansible(tmp_path_factory):
    """Install Ansible, and the oldest SDK that its modules are used with, into an environment of its own."""
    home = tmp_path_factory.mktemp("ansible")
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run([home / "bin/pip", "install", "--quiet", *INSTALLED], check=True)
    return home / "bin"


def test_a_play_changes_nothing_the_second_time(ansible, local_stack):
    """Ansible finds each thing as its play wants it: key pair, security group with a rule, server."""
    environment = {
        **os.environ,
        "OS_CLIENT_CONFIG_FILE": str(local_stack.home.clouds),
        "OS_CLOUD": "mininova",
        "ANSIBLE_PYTHON_INTERPRETER": str(ansible / "python"),
    }
    command = [ansible / "ansible-playbook", "-i", "localhost,", "-c", "local", PLAY]

    def changed():
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return int(re.search(r"changed=(\d+)", done.stdout)[1])

    assert (changed(), changed()) == (4, 0)
