"""mininova-flow as a process: what it prints, and its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mininova.flow.reports import SERVICES
from mininova.flow.store import Writer
from mininova.rpc.watch.flow import MessageEvent

REQUEST = "req-11111111-2222-3333-4444-555555555555"


@pytest.fixture
def flow(tmp_path: Path):
    """Run mininova-flow with one kept request, and give the result."""
    writer = Writer(tmp_path / "flow", keep=10)
    http = {"kind": "http", "pattern": "http", "method": "POST /v2.1/servers", "payload": {"status": 202}}
    about = {"request_id": REQUEST, "message_id": REQUEST, "receiver": "api.ctl-1"}
    writer.add({SERVICES: [MessageEvent(at=1.0, duration=0.1, **about, **http)]})
    writer.close()
    settings = tmp_path / "mininova.conf"
    settings.write_text(f"[DEFAULT]\nstate_path = {tmp_path}\n")

    def run(*argv: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MININOVA_CONFIG_FILE": str(settings)}
        command = [sys.executable, "-W", "ignore", "-m", "mininova.cmd.flow", *argv]
        return subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)

    return run


def test_list_and_show(flow):
    """A kept request is listed, and shown by the beginning of its id."""
    assert REQUEST in flow("list").stdout
    shown = flow("show", "req-1111")
    assert (shown.returncode, "POST /v2.1/servers" in shown.stdout) == (0, True)


def test_a_reader_that_goes_is_no_failure(flow):
    """A pipe that is closed at its other end, as head(1) closes it, ends the command with 0 and without a word."""
    (read, write) = os.pipe()
    os.close(read)
    for words in (["list"], ["show", "req-1111"], ["show", "req-1111", "--diagram"], ["list", "-f", "json"]):
        done = flow(*words, stdout=write)
        assert (done.returncode, done.stderr) == (0, ""), words
    os.close(write)


@pytest.mark.parametrize("said", ["0", "-2", "many"])
def test_how_many_are_listed_is_a_number(flow, said: str):
    """At least one is; -2 would have been all but the first two."""
    done = flow("list", f"--last={said}")
    assert done.returncode == 2
    assert f"--last: it must be a number from 1 up, not {said}" in done.stderr


def test_json(flow):
    """-f json is data for programs, of a list and of what is shown."""
    (listed,), (shown,) = (json.loads(flow(*words, "-f", "json").stdout) for words in (["list"], ["show", REQUEST]))
    assert listed["request_id"] == shown["request_id"] == REQUEST
    assert [message["method"] for message in shown["messages"]] == ["POST /v2.1/servers"]


def test_a_request_as_a_file(flow):
    """-f svg and -f mermaid print one request as a diagram, and nothing else."""
    assert flow("show", REQUEST, "-f", "svg").stdout.startswith("<svg ")
    assert flow("show", REQUEST, "-f", "mermaid").stdout.startswith("sequenceDiagram\n")


def test_a_picture_shows_one_request(flow, tmp_path: Path):
    """A server that several requests touched has no picture: the requests are named, for a choice."""
    writer, uuid = Writer(tmp_path / "flow", keep=10), "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    http = {"kind": "http", "pattern": "http", "method": f"DELETE /v2.1/servers/{uuid}", "receiver": "api.ctl-1"}
    writer.add({SERVICES: [MessageEvent(at=1.0, request_id=f"req-{name}", message_id=name, **http) for name in "ab"]})
    writer.close()
    done = flow("show", uuid, "-f", "svg")
    assert (done.returncode, done.stdout) == (2, "")
    assert "stands for req-a, req-b: name one of these" in done.stderr


def test_a_terminal_that_lacks_letters(flow, monkeypatch: pytest.MonkeyPatch):
    """A letter that the terminal's encoding does not have is shown as its number."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    shown, missed = flow("show", REQUEST), flow("show", "雲")
    assert (shown.returncode, "\\u2192 api" in shown.stdout, shown.stderr) == (0, True, "")
    assert (missed.returncode, r"known of \u96f2." in missed.stderr) == (2, True)


def test_a_complaint_is_one_line(flow):
    """An unknown request is one line on standard error, and exit code 2."""
    done = flow("show", "nothing-like-it")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "mininova-flow: Nothing is known of nothing-like-it. mininova-flow list shows what there is."
    ]


def test_the_command_line_wins_over_the_environment(flow, tmp_path: Path):
    """--config-file, before or after the command, counts more than the environment's file."""
    for argv in (["--config-file", "/none.conf", "list"], ["list", "--config-file", "/none.conf"]):
        assert "there is no configuration file /none.conf" in flow(*argv).stderr


def test_version(flow):
    """--version answers with the program's name and version."""
    assert flow("--version").stdout == "mininova-flow 0.1.0\n"


def test_watch_needs_a_terminal(flow):
    """Where the output goes elsewhere, watch says what prints the same."""
    done = flow("watch")
    assert (done.returncode, done.stdout) == (2, "")
    assert "mininova-flow tail" in done.stderr
