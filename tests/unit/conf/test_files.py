"""Configuration files that a service must refuse, and the errors that say why."""

from pathlib import Path

import pytest

from mininova import conf, errors


@pytest.fixture
def refusal(tmp_path: Path):
    """Load a file and give the error."""

    def load(text: str, service: str = "api") -> str:
        path = tmp_path / "a.conf"
        path.write_text(text)
        with pytest.raises(errors.ConfigError) as refused:
            conf.load(service, ["--config-file", str(path)], version="0.1.0")
        return str(refused.value)

    return load


def test_unknown_option(refusal):
    """The error quotes the unknown name with its file, and suggests the nearest known one."""
    said = refusal("[DEFAULT]\nreport_intervall = 5\n")
    assert "`[DEFAULT] report_intervall`" in said
    assert "a.conf" in said
    assert "did you mean report_interval?" in said


def test_option_in_the_wrong_section(refusal):
    """The error says in which section the name belongs."""
    assert "did you mean it to be in [scheduler]?" in refusal("[DEFAULT]\nmax_attempts = 5\n")


def test_unknown_section(refusal):
    """The error suggests the nearest known section."""
    said = refusal("[apii]\nport = 1\n")
    assert "unknown section [apii]" in said
    assert "did you mean [api]?" in said


def test_file_mates(tmp_path: Path):
    """The services of a controller share a file: each accepts what the others read."""
    path = tmp_path / "a.conf"
    path.write_text("[api]\nport = 1\n[scheduler]\nmax_attempts = 5\n[database]\nconnection = sqlite:///a.db\n")
    for service in ("api", "scheduler", "conductor", "manage", "flow"):
        conf.read_files(service, [str(path)])


def test_compute_has_no_database(refusal):
    """A compute node with a [database] section refuses to start; the error quotes it, and says why and what to do."""
    said = refusal("[database]\nconnection = sqlite:///a.db\n", "compute")
    assert "[database]" in said
    assert "conductor" in said
    assert "Remove the section" in said


def test_compute_reads_nothing_of_the_controllers(refusal):
    """A section of another service is refused on a compute node, where it would have no effect."""
    assert "mininova-compute does not read" in refusal("[scheduler]\nmax_attempts = 1\n", "compute")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[api]\nport = 70000", "`[api] port = 70000`"),
        ("[DEFAULT]\nreport_interval = soon", "no whole number"),
        ("[compute]\nram_allocation_ratio = much", "no number"),
        ("[DEFAULT]\nreport_interval = 0", "greater than or equal to 1"),
        ("[upgrade_levels]\ncompute = grizzly", "`[upgrade_levels] compute = grizzly`"),
        ("[api]\npublic_endpoint = ftp://a", "public_endpoint = ftp://a"),
        ("[network]\ncidr = 10.0.0.0/33", "write it like 10.0.0.0/16"),
        ("[DEFAULT]\nreport_interval = $host", "`[DEFAULT] report_interval`"),
    ],
)
def test_bad_value(refusal, line: str, said: str):
    """The error quotes a value that the option does not allow, with those that it allows."""
    assert said in refusal(line + "\n")


def test_not_a_configuration_file(refusal, tmp_path: Path):
    """The error has the line that cannot be read."""
    assert "line 2" in refusal("[api]\nport\n")


def test_missing_file(tmp_path: Path):
    """A missing file is an error, also if another file exists."""
    with pytest.raises(errors.ConfigError, match="there is no configuration file"):
        conf.load("api", ["--config-file", str(tmp_path / "none.conf")], version="0.1.0")


def test_a_password_is_not_repeated(refusal):
    """The error quotes the URL without its password."""
    said = refusal("[database]\nconnection = mysql://nova:hush@host/mininova\n")
    assert "hush" not in said
    assert "write mysql+pymysql:// instead" in said
