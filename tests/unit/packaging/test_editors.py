"""The settings of editors and pre-commit agree with the checks."""

import configparser
import tomllib

import yaml
from checks import CHECKS
from documentation import ROOT


def test_a_line_is_as_long_as_ruff_has_it():
    """.editorconfig and ruff agree on the longest line."""
    editor = configparser.ConfigParser()
    editor.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert editor["*"].getint("max_line_length") == ruff["line-length"]


def test_the_hooks_are_checks():
    """Each hook of pre-commit runs a command of tools/checks.py, and fetches nothing."""
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    commands = {" ".join(command) for commands in CHECKS.values() for command in commands}
    assert repository["repo"] == "local"
    assert {hook["entry"].removeprefix(".venv/bin/") for hook in repository["hooks"]} <= commands
