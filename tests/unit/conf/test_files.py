"""Configuration files that a service must refuse, and what it says of them."""

from pathlib import Path

import pytest

from mininova import conf, errors


@pytest.fixture
def refusal(tmp_path: Path):
    """Load a file and give the sentence that refuses it."""

    def load(text: str, service: str = "api") -> str:
        path = tmp_path / "a.conf"
        path.write_text(text)
        with pytest.raises(errors.ConfigError) as refused:
            conf.load(service, ["--config-file", str(path)], version="0.1.0")
        return str(refused.value)

    return load


def test_unknown_option(refusal):
    """A name that no service knows is quoted with its file, and the nearest known one is suggested."""
    said = refusal("[DEFAULT]\nreport_intervall = 5\n")
    assert "`[DEFAULT] report_intervall`" in said
    assert "a.conf" in said
    assert "did you mean report_interval?" in said


def test_option_in_the_wrong_section(refusal):
    """A name that belongs elsewhere is told where."""
    assert "did you mean it to be in [scheduler]?" in refusal("[DEFAULT]\nmax_attempts = 5\n")


def test_unknown_section(refusal):
    """A section that no service knows is refused, and the nearest known one is suggested."""
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
    """A compute node with a [database] section refuses to start, quotes it, and says why and what to do."""
    said = refusal("[database]\nconnection = sqlite:///a.db\n", "compute")
    assert "[database]" in said
    assert "conductor" in said
    assert "Remove the section" in said


def test_compute_reads_nothing_of_the_controllers(refusal):
    """A section of a controller's service is refused on a compute node, where it would do nothing."""
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
    """A value that the option cannot have is quoted, with what it could be."""
    assert said in refusal(line + "\n")


def test_not_a_configuration_file(refusal, tmp_path: Path):
    """A file that is no configuration file is refused with the line that cannot be understood."""
    assert "line 2" in refusal("[api]\nport\n")


def test_missing_file(tmp_path: Path):
    """A file that is not there is an error, whether or not another is."""
    with pytest.raises(errors.ConfigError, match="there is no configuration file"):
        conf.load("api", ["--config-file", str(tmp_path / "none.conf")], version="0.1.0")


def test_a_password_is_not_repeated(refusal):
    """A refusal quotes the URL without its password."""
    said = refusal("[database]\nconnection = mysql://nova:hush@host/mininova\n")
    assert "hush" not in said
    assert "write mysql+pymysql:// instead" in said
