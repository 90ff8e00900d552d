"""A stack as its user has it: the two scripts, and the real openstack client."""

import json
import os
import subprocess
from pathlib import Path

from stack.home import Home
from stack.settings import CHECKOUT
from stack.supervisor import Supervisor
from stack.up import client_environment

VENV = CHECKOUT / ".venv/bin"
LONGEST = 120


class LocalStack:
    """One stack with a home and ports of its own.

    :param variables: MININOVA_ variables, without that beginning
    """

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self.home = Home(home)
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("MININOVA_", "OS_"))}
        mine = {f"MININOVA_{name}": value for name, value in variables.items()}
        self.environment = {**plain, **mine, "MININOVA_HOME": str(home)}
        self.first_output = ""

    # ---- the tool

    def sh(self, *words, **variables):
        """Run tools/stack.sh with these words."""
        return self._run("stack.sh", words, variables)

    def unstack(self, *words):
        """Run tools/unstack.sh with these words."""
        return self._run("unstack.sh", words, {})

    def _run(self, script, words, variables):
        environment = {**self.environment, **{f"MININOVA_{name}": value for name, value in variables.items()}}
        return run([CHECKOUT / "tools" / script, *words], environment)

    # ---- clients

    def openstack(self, *words, cloud="mininova"):
        """Run the openstack client, which must succeed, and give what it prints."""
        done = self.try_openstack(*words, cloud=cloud)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def openstack_json(self, *words, cloud="mininova"):
        """Run the openstack client, and give what it prints as data."""
        return json.loads(self.openstack(*words, "-f", "json", cloud=cloud))

    def try_openstack(self, *words, cloud="mininova"):
        """Run the openstack client, and give how that went."""
        return self.tool("openstack", "--os-cloud", cloud, *words)

    def tool(self, name, *words):
        """Run a program of the virtual environment, as somebody would who has sourced openrc."""
        return run([VENV / name, *words], client_environment(self.home, self.environment))

    # ---- processes

    def pids(self):
        """Give the pid of each program that runs, by name."""
        return {status.name: status.pid for status in Supervisor(self.home).all() if status.pid}


def run(command, environment):
    """Run a program to its end, without a terminal."""
    return subprocess.run(
        [str(word) for word in command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
