"""RabbitMQ on this machine: found, or installed with apt, or said how."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stack import broker
from stack.errors import StackError
from stack.progress import Progress
from stack.settings import CHECKOUT

SCRIPT = CHECKOUT / "tools/install-rabbitmq.sh"

_BY_HAND = (
    f"Run: sudo {shlex.quote(str(SCRIPT))} (or sudo apt-get install rabbitmq-server), or name a broker that runs "
    "in MININOVA_BROKER_URL."
)


def rabbitmq(environ: Mapping[str, str], progress: Progress) -> Path:
    """Give the rabbitmq-server program, installing Debian's package if there is none.

    :raises StackError: with the command to run, when that may not or cannot be done here
    """
    if found := broker.find_server(environ):
        return found
    if (as_root := _as_root()) is None:
        raise StackError(f"RabbitMQ is not installed, and installing it takes root.  {_BY_HAND}")
    progress.say(f"RabbitMQ is not installed: installing Debian's package ({SCRIPT.relative_to(CHECKOUT)}).")
    if subprocess.run([*as_root, str(SCRIPT)], stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        raise StackError(f"RabbitMQ could not be installed; the complaint is above.  {_BY_HAND}")
    if found := broker.find_server(environ):
        return found
    raise StackError("RabbitMQ was installed, but its rabbitmq-server is nowhere usual: name it in RABBITMQ_SERVER.")


def _as_root() -> list[str] | None:
    """Give the words that make a command root's, without asking for a password; None when there are none."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None
