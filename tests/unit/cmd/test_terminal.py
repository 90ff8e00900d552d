"""No command prints what a terminal would obey, wherever the words are from."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mininova
from tests.fixtures import forked

ROOT = Path(mininova.__file__).parent
ESCAPE = "\x1b]0;planted\x07\n\x9b31m"


def started(program: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start a program that refuses to."""
    code = f"import sys; sys.argv[0] = '{program}'; import {program} as it; sys.exit(it.main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, env=environ
    )


@pytest.mark.parametrize("service", ["api", "scheduler", "conductor", "compute"])
@pytest.mark.parametrize("where", ["argument", "file name", "setting", "section"])
def test_a_service_that_does_not_start(tmp_path: Path, service: str, where: str):
    """Its one line quotes the word that is wrong, and nothing in it reaches the terminal as it is."""
    file = tmp_path / "mininova.conf"
    shown = ESCAPE.replace("\n", "")
    file.write_text(
        {"setting": f"[DEFAULT]\nrpc_response_timeout = {shown}\n", "section": f"[{shown}]\n"}.get(where, ""), "utf-8"
    )
    named = str(file) if where in ("setting", "section") else f"{file}{ESCAPE}"
    words = [ESCAPE] if where == "argument" else ["--config-file", named]
    done = forked.run(f"mininova-{service}", words, {})
    refused_in_one_printable_line(done)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("manage", [ESCAPE]), ("manage", ["db", "check", ESCAPE]),
        ("manage", ["--config-file", f"/no{ESCAPE}", "check"]),
        ("flow", [ESCAPE]), ("flow", ["list", ESCAPE]), ("flow", ["--config-file", f"/no{ESCAPE}", "list"]),
    ],
    ids=["manage-no-command", "manage-a-word", "manage-a-file", "flow-no-command", "flow-a-word", "flow-a-file"],
)  # fmt: skip
def test_a_tool_that_does_not_understand(tool: str, words: list[str]):
    """What argparse quotes is quoted so, too."""
    done = forked.run(f"mininova-{tool}", words, {})
    assert done.returncode == 2
    assert done.stderr
    assert all(line.isprintable() for line in done.stderr.split("\n"))


def test_a_concurrency_that_there_is_not():
    """It is refused before anything else is imported."""
    refused_in_one_printable_line(started("mininova.cmd.api", MININOVA_CONCURRENCY=ESCAPE))


def refused_in_one_printable_line(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 2
    (line,) = done.stderr.removesuffix("\n").split("\n")
    assert line.startswith("mininova")
    assert "planted" in line
    assert line.isprintable()


def test_one_module_prints():
    """What a module prints goes by flow/output.py, which makes it printable; rich's consoles are screen.py's."""
    printing = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.stdout.write", "sys.stderr.write")
    }
    assert printing == {"flow/output.py"}
