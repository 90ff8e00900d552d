"""A broker on this machine: found, or installed, or said how."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stack.brokers import Kind
from stack.errors import StackError
from stack.progress import Progress
from stack.settings import CHECKOUT


def broker(kind: Kind, environ: Mapping[str, str], progress: Progress) -> Path:
    """Give where a broker is, installing it if it is nowhere.

    :raises StackError: with the command to run, when that may not or cannot be done here
    """
    if found := kind.find(environ):
        return found
    sudo = "sudo " if kind.by_root else ""
    by_hand = f"Run: {sudo}{shlex.quote(str(kind.script))}, or name a broker that runs in MININOVA_BROKER_URL."
    if (as_root := _as_root()) is None and kind.by_root:
        raise StackError(f"{kind.title} is not installed, and installing it takes root.  {by_hand}")
    progress.say(f"{kind.title} is not installed: installing it ({kind.script.relative_to(CHECKOUT)}).")
    command = [*(as_root or ()), str(kind.script)] if kind.by_root else [str(kind.script)]
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
        raise StackError(f"{kind.title} could not be installed; the complaint is above.  {by_hand}")
    if found := kind.find(environ):
        return found
    raise StackError(f"{kind.title} was installed, but it is nowhere usual: say where in {kind.named}.")


def _as_root() -> list[str] | None:
    """Give the words that make a command root's, without asking for a password; None when there are none."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True).returncode == 0:
        return [sudo, "-n"]
    return None
