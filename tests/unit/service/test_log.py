"""What the log of a process has in it: one line for each, whoever's words are in it, and none too many."""

import logging

import pytest

from mininova import conf, rpc
from mininova.rpc.trust import denials
from mininova.service import log


@pytest.fixture
def written(tmp_path):
    """Set the log of a process up; give a function that reads what was written."""
    path = tmp_path / "service.log"
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    log.setup(conf.for_tests("conductor", log_file=str(path)))
    yield lambda: path.read_text().splitlines()
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
    root.handlers[:], root.level = before
    log.working_for("-")


def test_words_of_others_cannot_pass_for_lines_of_ours(written):
    """A message with line ends and escapes is written as one line, and a traceback as it is."""
    log.working_for("req-1\n2026-01-02 forged")
    logging.getLogger("mininova").error("it said: %s", "no\n2026-01-02 INFO all is well\r\x1b[2J\u2028é")
    try:
        raise ValueError("why")
    except ValueError:
        logging.getLogger("mininova").exception("it failed")
    said, failed, *traceback = written()
    assert said.endswith(r"[req-1\n2026-01-02 forged] it said: no\n2026-01-02 INFO all is well\r\x1b[2J\u2028é")
    assert failed.endswith("it failed")
    assert traceback[0].startswith("Traceback")


def test_a_flood_of_denials_is_one_line(written):
    """Whoever is denied the same thing a thousand times fills no disk; another's denial has its own line."""
    for caller, times in ("compute.host-1", 1000), ("compute.host-2", 1):
        denial = rpc.Denial(caller=caller, method="get_instance", object="u-1", reason="no", at=0.0)
        for _ in range(times):
            denials.tell(denial, None)
    assert [line.partition(" to ")[2].partition(" on ")[0] for line in written()] == [
        "'compute.host-1'", "'compute.host-2'",
    ]  # fmt: skip


def test_a_line_names_the_host_that_it_is_about(written):
    """Where something is done for a host, and nowhere else."""
    log.working_for("req-1")
    speak = logging.getLogger("mininova").error
    log.on_host("host-1")(speak)("booting")
    with log.on_host("host-2"):
        speak("booting")
    speak("resting")
    said = [line.partition(" mininova ")[2] for line in written()]
    assert said == ["[req-1 host-1] booting", "[req-1 host-2] booting", "[req-1] resting"]
