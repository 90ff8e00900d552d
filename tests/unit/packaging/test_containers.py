"""The files in container/ agree with each other, and with what mininova takes.  Containers are tried by hand."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from documentation import ROOT

from mininova import conf

FOLDER = ROOT / "container"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
OURS = {
    name: shlex.split(service["command"])
    for name, service in COMPOSE["services"].items()
    if service.get("command", "").startswith("mininova-")
}


def test_each_service_is_made_by_a_stage():
    """What compose.yaml builds is in the Containerfile, and what that copies is not left out of the context."""
    stages = {
        line.split()[-1] for line in (FOLDER / "Containerfile").read_text().splitlines() if line.startswith("FROM")
    }
    assert {service["build"]["target"] for service in COMPOSE["services"].values()} == stages
    kept = {line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", (FOLDER / "Containerfile").read_text(), re.MULTILINE)
    assert {name.partition("/")[0] for names in copied for name in names.split()} == kept


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"tables"}))
def test_the_settings_of_a_service(name):
    """Its file is mounted there, and has only options that it knows, with values that they may have."""
    program, option, path = OURS[name]
    assert (program, option) == (f"mininova-{name}", "--config-file")
    mounted = dict(each.split(":")[:2][::-1] for each in COMPOSE["services"][name]["volumes"])
    conf.read_files(name, [str(FOLDER / mounted[path])])


def test_the_tables_are_made_before():
    """The command of the first container is one, and the services wait for it."""
    program, *words = OURS["tables"]
    program = str(Path(sys.executable).with_name(program))
    said = subprocess.run([program, "bootstrap", "--help"], capture_output=True, text=True, check=True).stdout
    assert [word for word in words if word.startswith("--") and word not in said] == []
    assert all(
        COMPOSE["services"][name]["depends_on"]["tables"]["condition"] == "service_completed_successfully"
        for name in OURS.keys() - {"tables"}
    )
