"""mininova-manage as a process: its errors and its exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest
from stack import ports

INTERRUPTED = """
import sys
from mininova.cmd import arguments

def command():
    raise KeyboardInterrupt

sys.exit(arguments.run("mininova-manage", command))
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """Run Python, and give the result."""
    command = [sys.executable, "-W", "ignore", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_broker_that_is_not_there(tmp_path: Path):
    """A command that needs the broker prints the broker's address, without the password, and ends with 2."""
    settings, port = tmp_path / "mininova.conf", ports.pick()
    settings.write_text(f"[DEFAULT]\ntransport_url = amqp://nova:secret@127.0.0.1:{port}/\n")

    done = run("-m", "mininova.cmd.manage", "--config-file", settings, "rpc", "parked", "list")

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("mininova-manage: ")
    assert f"127.0.0.1:{port}" in line
    assert "secret" not in line


@pytest.mark.parametrize("words", [["requeue"], ["drop", "0123", "--all"]])
def test_the_messages_to_settle_must_be_named(words: list[str]):
    """A command must name messages, or all of them, and not both."""
    done = run("-m", "mininova.cmd.manage", "rpc", "parked", *words)
    assert done.returncode == 2
    assert "MESSAGE" in done.stderr


def test_an_interrupt_is_no_complaint():
    """Ctrl-C ends a command as a shell expects, without output."""
    done = run("-c", INTERRUPTED)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
