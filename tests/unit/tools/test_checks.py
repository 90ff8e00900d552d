"""How tools/run-tests.sh runs the checks and what it reports."""

import re

import checks


def test_everything_is_run_and_a_failure_is_reported(monkeypatch, capfd):
    """After a failure the other checks still run, the exit code says so, and the last line counts."""
    monkeypatch.setattr(checks, "CHECKS", {"one": (("python", "-c", "exit(3)"),), "two": (("python", "-c", ""),)})

    assert checks.main([]) == 1

    printed = capfd.readouterr().out.splitlines()
    assert re.match(r"one +FAILED .* python -c exit\(3\)", printed[-4])
    assert re.match(r"two +ok ", printed[-3])
    assert printed[-1] == "1 passed, 1 failed, 0 skipped"


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
    assert "lint, types" in capfd.readouterr().err
