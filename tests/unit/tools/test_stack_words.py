"""What the scripts answer before there is a virtual environment, without making one."""

import os
import shutil
import subprocess

import pytest
from stack import cli, words
from stack.settings import CHECKOUT


@pytest.fixture
def fresh(tmp_path):
    """Give a fresh checkout, as far as the scripts look at it."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "tools", tmp_path / "tools", ignore=unwanted)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def run(fresh, script, *typed):
    """Run a script of that checkout; it must not make or install anything."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(fresh)}
    done = subprocess.run([fresh / "tools" / script, *typed], env=environment, capture_output=True, text=True)
    assert {path.name for path in fresh.iterdir()} == {"tools", "pyproject.toml"}
    return done


@pytest.mark.parametrize(
    ("script", "typed"),
    [
        *(("stack.sh", (word,)) for word in ("help", "--help", "-h")),
        *(("unstack.sh", (word,)) for word in ("help", "--help", "-h")),
        ("stack.sh", ("restart", "--help")),
    ],
    ids=str,
)
def test_the_help_installs_nothing(fresh, script, typed):
    """It lists every command and every variable, for both scripts."""
    done = run(fresh, script, *typed)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{words.usage()}\n"
    assert all(f"  {name} " in done.stdout for name in (*words.COMMANDS, *words.VARIABLES))


@pytest.mark.parametrize("word", ["help", "--help", "-h"])
def test_the_help_of_the_checks_installs_nothing(fresh, word):
    """It lists every check with its commands."""
    done = run(fresh, "run-tests.sh", word)

    assert (done.returncode, done.stderr) == (0, "")
    assert "lint      ruff check; ruff format --check" in done.stdout


@pytest.mark.parametrize(
    ("script", "typed"),
    [
        ("stack.sh", ("fly",)), ("stack.sh", ("restart",)), ("stack.sh", ("logs", "api", "-g")),
        ("stack.sh", ("up", "now")), ("stack.sh", ("broker", "start")), ("stack.sh", ("broker", "stop", "it")),
        ("unstack.sh", ("--cleen",)), ("unstack.sh", ("now",)), ("run-tests.sh", ("linting",)),
    ],
    ids=str,
)  # fmt: skip
def test_an_unknown_command_installs_nothing(fresh, script, typed):
    """An unknown command is refused at once, with a line that says where to look."""
    done = run(fresh, script, *typed)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    known = script == "unstack.sh" or typed[0] in words.COMMANDS
    assert (" takes " if known else "there is no") in done.stderr.lower()


@pytest.mark.parametrize(
    "typed",
    [
        (), ("up",), ("logs", "api"), ("logs", "api", "-f"), ("add-compute", "edge-1"), ("rabbitmqctl", "a", "b", "c"),
        ("down",), ("down", "--clean"), ("broker",), ("broker", "stop"), ("broker", "stop", "--clean"),
    ],
    ids=str,
)  # fmt: skip
def test_a_known_command_is_left_to_the_program(typed, capsys):
    """The script prints nothing, and leaves the command to the program."""
    assert words.answer(typed) == words.GO_ON
    assert capsys.readouterr() == ("", "")


def test_each_command_is_done_by_a_function():
    """Only the help has none, for the script prints it."""
    assert cli.RUN.keys() == words.COMMANDS.keys() - {"help"}
