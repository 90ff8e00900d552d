"""What load() gives, and how it answers the command line."""

from pathlib import Path

import pytest

from mininova import conf, errors
from mininova.conf import groups, values


def test_the_later_file_wins(tmp_path: Path):
    """Of two files the later one decides; for settings that it leaves out, the earlier one does."""
    first, second = tmp_path / "1.conf", tmp_path / "2.conf"
    first.write_text("[api]\nport = 1\nmax_limit = 10\n")
    second.write_text("[api]\nport = 2\n")
    loaded = conf.load("api", ["--config-file", str(first), "--config-file", str(second)], version="0.1.0")
    assert (loaded.api.port, loaded.api.max_limit) == (2, 10)


def test_the_command_line_wins(tmp_path: Path):
    """The few settings of the command line win over the file."""
    path = tmp_path / "a.conf"
    path.write_text("[DEFAULT]\nhost = host-1\ndebug = false\n")
    loaded = conf.load("compute", ["--config-file", str(path), "--host", "host-2", "--debug"], version="0.1.0")
    assert (loaded.host, loaded.debug) == ("host-2", True)


def test_a_setting_may_refer_to_another(tmp_path: Path):
    """$state_path in a value stands for the folder of the service's state."""
    path = tmp_path / "a.conf"
    path.write_text("[DEFAULT]\nstate_path = /srv/mininova\n")
    loaded = conf.load("api", ["--config-file", str(path)], version="0.1.0")
    assert loaded.database.connection == "sqlite:////srv/mininova/mininova.sqlite"
    assert loaded.flow.directory == "/srv/mininova/flow"


def test_the_environment_is_no_source(monkeypatch: pytest.MonkeyPatch):
    """oslo.config's variables are not read: a setting comes from a file or the command line."""
    monkeypatch.setenv("OS_API__PORT", "1")
    assert conf.load("api", [], version="0.1.0").api.port == 8774


@pytest.mark.parametrize("argv", [["--hots", "a"], ["--config-file"], ["--host", "a b"], ["stray"]])
def test_a_bad_command_line_is_a_config_error(argv: list[str]):
    """A command line that cannot be understood raises ConfigError; it never exits."""
    with pytest.raises(errors.ConfigError):
        conf.load("api", argv, version="0.1.0")


def test_version(capsys: pytest.CaptureFixture[str]):
    """--version answers with the program's name and version."""
    with pytest.raises(SystemExit) as left:
        conf.load("api", ["--version"], version="0.1.0")
    assert (left.value.code, capsys.readouterr().out) == (0, "mininova-api 0.1.0\n")


def test_help(capsys: pytest.CaptureFixture[str]):
    """--help lists every setting of the service, with its default."""
    with pytest.raises(SystemExit):
        conf.load("compute", ["--help"], version="0.1.0")
    told = capsys.readouterr().out
    for group in groups.of("compute"):
        assert f"[{group.name}]" in told
        assert all(f"    {option.name} =" in told for option in group.options)
    assert "[database]" not in told


def test_for_tests():
    """A test names settings by group and option; others have their default."""
    made = conf.for_tests("conductor", **{"host": "ctl-1", "DEFAULT.report_interval": 3, "network.cidr": "10.1.0.0/24"})
    assert (made.host, made.report_interval, made.network.cidr, made.network.label) == (
        "ctl-1",
        3,
        "10.1.0.0/24",
        "flat",
    )


def test_for_tests_refuses_a_bad_value():
    """A value that the option does not allow is refused there as well."""
    with pytest.raises(errors.ConfigError):
        conf.for_tests("api", **{"api.port": "x"})


@pytest.mark.parametrize("service", sorted(values.EVERYONE))
def test_each_service_reads_its_own_groups(service: str):
    """Each service has the groups of the table, and compute has no [database]."""
    made = conf.for_tests(service)
    assert all(group.name == "DEFAULT" or group.name in made for group in groups.of(service))
    assert ("database" in made) == (service in values.CONTROLLER)


def test_every_option_is_explained():
    """Each option has a help text that ends as a sentence does."""
    for group in groups.GROUPS:
        assert not group.is_ours or all(option.help and option.help.endswith(".") for option in group.options)
