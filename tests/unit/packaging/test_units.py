"""The systemd units under etc/systemd load, start our programs, and give them only the rights that they need."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from documentation import ROOT

PROGRAMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
UNITS = {path.stem: path for path in sorted((ROOT / "etc/systemd").glob("*.service"))}
SECTIONS = {"Unit", "Service", "Install"}
MOST_EXPOSED = 2.0  # of 10, on the scale of systemd-analyze

each = pytest.mark.parametrize("name", UNITS)


def settings(name: str) -> Iterator[tuple[str, str, str]]:
    """Give the section, the name and the value of each setting of a unit; a name may come several times."""
    section = ""
    for line in UNITS[name].read_text().splitlines():
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1]
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            yield section, key, value


def values(name: str, key: str) -> list[str]:
    """Give each value that a unit has for a setting."""
    return [value for _, found, value in settings(name) if found == key]


def analyze(tmp_path: Path, *words: str) -> str:
    """Run systemd-analyze over copies of the units that start the programs of this environment."""
    for name, path in UNITS.items():
        text = path.read_text().replace("/usr/local/bin/", f"{Path(sys.executable).parent}/")
        (tmp_path / f"{name}.service").write_text(text)
    command = ["systemd-analyze", "--no-pager", *words, *(tmp_path / f"{name}.service" for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_service_has_a_unit():
    """Each program that runs all the time has one; mininova-manage has none, nor has a cloud for a test."""
    assert UNITS.keys() == PROGRAMS.keys() - {"mininova-manage", "mininova-cloud", "mininova-control"}


@each
def test_a_unit_starts_its_program(name: str):
    """It runs the program of its own name, waits until that says that it is up, and restarts it."""
    (command,), (kind,), (again,) = values(name, "ExecStart"), values(name, "Type"), values(name, "Restart")
    assert {section for section, _, _ in settings(name)} == SECTIONS
    assert Path(command.split()[0]).name == name
    assert (kind, again) == ("notify", "always")


@each
def test_a_unit_gives_few_rights(name: str):
    """The program is not root, has no capability, and can write to its own folder only."""
    assert values(name, "User")[0].startswith("mininova")
    assert values(name, "CapabilityBoundingSet") == [""]
    assert (values(name, "ProtectSystem"), values(name, "NoNewPrivileges")) == (["strict"], ["yes"])
    assert values(name, "ReadWritePaths") == []


def test_a_compute_is_kept_from_the_database():
    """It runs as another user than the controller's services, reads none of their files, and sees another folder."""
    assert values("mininova-compute", "User") != values("mininova-api", "User")
    assert values("mininova-compute", "StateDirectory") != values("mininova-api", "StateDirectory")
    assert "/etc/mininova/mininova.conf" not in values("mininova-compute", "ExecStart")[0]
    assert "-/etc/mininova/mininova.conf" in values("mininova-compute", "InaccessiblePaths")
    assert values("mininova-compute", "BindPaths") == ["/var/lib/mininova-compute:/var/lib/mininova"]


if shutil.which("systemd-analyze"):

    def test_systemd_loads_them(tmp_path: Path):
        """systemd-analyze reports no error."""
        assert [line for line in analyze(tmp_path, "verify").splitlines() if "mininova" in line] == []

    def test_systemd_thinks_them_safe(tmp_path: Path):
        """systemd-analyze rates the exposure of each as low."""
        told = analyze(tmp_path, "security", "--offline=true")
        exposed = re.findall(r"exposure level for (\S+)\.service: ([\d.]+)", told)
        assert {name for name, _ in exposed} == UNITS.keys()
        assert [name for name, level in exposed if float(level) > MOST_EXPOSED] == []
