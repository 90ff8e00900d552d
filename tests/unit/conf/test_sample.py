"""The samples under etc/: fresh, whole, and fit to start from."""

from pathlib import Path

import generated
import pytest

from mininova.conf import files, groups, sample

SAMPLES = {"controller": sample.controller, "compute": sample.compute}


def test_nothing_generated_is_stale():
    """What is printed from the code is as the code prints it; tools/update mends it when not."""
    assert [path.name for path, _, _ in generated.stale()] == []


@pytest.mark.parametrize(("kind", "service"), [("controller", "api"), ("compute", "compute")])
def test_a_sample_can_be_used(kind: str, service: str, tmp_path: Path):
    """A sample is a configuration file that its service accepts, also with every line switched on."""
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
    for module in groups.READERS:
        assert all(f"\n#{option.name} =" in whole for option in module.OPTIONS)


def test_the_compute_sample_has_no_database():
    """A compute node's sample does not even mention how a database would be reached."""
    assert "\n[database]" not in sample.compute()
