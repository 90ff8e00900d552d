"""The samples under etc/, and that of oslo.config's generator, are complete and can be used."""

import re
import subprocess
import sys
from pathlib import Path

import generated
import pytest

from mininova.conf import files, groups, sample

SAMPLES = {"controller": sample.controller, "compute": sample.compute}


def test_nothing_generated_is_stale():
    """Each generated file is as the code prints it; if not, run tools/update."""
    assert [path.name for path, _, _ in generated.stale()] == []


@pytest.mark.parametrize(("kind", "service"), [("controller", "api"), ("compute", "compute")])
def test_a_sample_can_be_used(kind: str, service: str, tmp_path: Path):
    """A sample is a file that its service accepts, also with every line uncommented."""
    lines = SAMPLES[kind]().splitlines()
    switched_on = [line[1:] if line.startswith("#") and line[1:2].isalpha() else line for line in lines]
    with_values = [line for line in switched_on if not line.endswith("=") and "<" not in line]
    for number, text in enumerate((lines, with_values)):
        path = tmp_path / f"{number}.conf"
        path.write_text("\n".join(text))
        files.check(service, str(path))


def test_every_option_is_in_a_sample():
    """Between them the samples show every option of the services."""
    whole = sample.controller() + sample.compute()
    for group in groups.GROUPS:
        assert not group.is_ours or all(f"\n#{option.name} =" in whole for option in group.options)


def test_the_compute_sample_has_no_database():
    """A compute node's sample does not mention any database setting."""
    assert "\n[database]" not in sample.compute()


@pytest.mark.parametrize(("namespace", "service"), [("mininova", "conductor"), ("mininova.compute", "compute")])
def test_the_fields_generator_knows_our_settings(namespace: str, service: str, tmp_path: Path):
    """oslo-config-generator prints each setting that a file of the service may have, and no other section."""
    made = tmp_path / "mininova.conf"
    generator = Path(sys.executable).with_name("oslo-config-generator")
    subprocess.run([generator, "--namespace", namespace, "--output-file", made], check=True, capture_output=True)
    files.check(service, str(made))
    switched_on = re.sub(r"^#(?=\w+ =)", "", made.read_text(), flags=re.MULTILINE)
    made.write_text(switched_on)
    shown = {section: set(options) for section, options in files.read(str(made)).items()}
    assert shown == {group.name: set(group.by_name) for group in groups.accepted_by(service).values() if group.is_ours}
