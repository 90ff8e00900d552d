"""How tools/run-tests.sh runs the checks and what it reports."""

import os
import re

import checks


def test_everything_is_run_and_a_failure_is_reported(monkeypatch, capfd):
    """After a failure the other checks still run, the exit code says so, and the last line counts."""
    monkeypatch.setattr(checks, "CHECKS", {"one": (("python", "-c", "exit(3)"),), "two": (("python", "-c", ""),)})

    assert checks.main([]) == 1

    printed = capfd.readouterr().out.splitlines()
    assert re.match(r"one +FAILED .* python -c exit\(3\)", printed[-5])
    assert re.match(r"two +ok ", printed[-4])
    assert re.fullmatch(r"\d+ s in all", printed[-2])
    assert printed[-1] == "1 passed, 1 failed, 0 skipped"


def test_two_run_at_a_time_and_each_prints_in_one_piece(monkeypatch, capfd, tmp_path):
    """Each opens one end of a pipe here, which waits for the other; and what measures comes after both."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = "import signal; signal.alarm(20); print('begin', {0!r}); open({1!r}, {0!r}).close(); print('end', {0!r})"
    both = [("python", "-c", script.format(mode, str(pipe))) for mode in "rw"]
    last = ("python", "-c", "print('last')")
    monkeypatch.setattr(checks, "ALONE", (last,))
    monkeypatch.setattr(checks, "CHECKS", {"measures": (last,), "waits": tuple(both)})

    assert checks.main([]) == 0

    printed = capfd.readouterr().out.splitlines()
    for mode in "rw":
        assert printed[printed.index(f"begin {mode}") + 1] == f"end {mode}"
    assert printed.index("last") > max(printed.index(f"end {mode}") for mode in "rw")
    assert [line.split()[0] for line in printed[-6:-3]] == ["measures", "waits", "waits"]


def test_tests_are_counted(tmp_path):
    """The tests of a run count one each, an error in a fixture as a failure."""
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>')

    assert checks._count(report, 1) == (5, 2, 2)


def test_a_run_that_breaks_off_has_failed(tmp_path):
    """A run that found no test, or could not begin, is a failure."""
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="0" failures="0" errors="0" skipped="0"/></testsuites>')

    assert checks._count(report, 5) == (0, 1, 0)


def test_a_name_that_is_none_is_refused(capfd):
    """An unknown check is refused, with the names of the checks."""
    assert checks.main(["linting"]) == 2
    assert ", ".join(checks.CHECKS) in capfd.readouterr().err
