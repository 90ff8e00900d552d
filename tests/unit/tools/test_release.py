"""Releases: what CHANGELOG.md and git say of them."""

import subprocess

import pytest
import releases

import mininova
from mininova.service.releases import RELEASES

UNRELEASED = "# Changelog\n\n## [Unreleased]\n"
CUT = f"{UNRELEASED}\n## [0.1.0] acrux, 2026-11-29\n\n- all\n"


@pytest.fixture
def checkout(tmp_path):
    """Make a checkout of three commits: before a release, the release, and a change after it; give it and their ids."""

    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", *who, *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    commits = []
    for text in (UNRELEASED, CUT, CUT.replace("[Unreleased]\n", "[Unreleased]\n\n- more\n")):
        (tmp_path / releases.CHANGELOG).write_text(text)
        git("add", releases.CHANGELOG)
        git("commit", "-q", "-m", "a change")
        commits.append(git("rev-parse", "HEAD"))
    return tmp_path, commits


def test_the_revision_of_a_release_is_the_commit_that_cut_it(checkout):
    """Neither the one before, nor a later one that changes the same file."""
    root, (_, cut, _) = checkout
    acrux = releases.release("acrux", root)
    assert (acrux.number, acrux.day) == ("0.1.0", "2026-11-29")
    assert releases.revision(acrux, root) == cut


def test_an_unknown_release_is_refused_with_those_that_there_are(checkout):
    """The message is for a person who mistyped the name."""
    root, _ = checkout
    with pytest.raises(releases.UnknownRelease, match=r"no release 'becrux'\. Releases: acrux\."):
        releases.release("becrux", root)


def test_a_release_that_is_not_committed_has_no_revision(checkout):
    """Its heading is in the file only."""
    root, _ = checkout
    (root / releases.CHANGELOG).write_text(CUT.replace("acrux", "becrux"))
    with pytest.raises(releases.UnknownRelease, match="no commit here has its heading"):
        releases.revision(releases.release("becrux", root), root)


def test_the_command_says_in_one_line_what_is_wrong(capsys):
    """No traceback reaches a terminal."""
    assert releases.main(["show", "nothing"]) == 1
    assert capsys.readouterr().err.startswith("There is no release 'nothing'. Releases: ")


def test_the_table_of_versions_has_a_row_for_each_release():
    """Only what comes after the last release may have a row more; the newest release is the one that pip installs."""
    names = [each.name for each in reversed(releases.releases())]
    assert list(RELEASES)[: len(names)] == names
    assert len(RELEASES) - len(names) <= 1
    assert releases.releases()[0].number == mininova.__version__
