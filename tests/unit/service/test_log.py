"""The log of a process: one line for each record, whatever text is in it, and limited repetition."""

import logging

import pytest

from mininova import conf, rpc
from mininova.rpc.trust import denials
from mininova.service import log


@pytest.fixture
def written(tmp_path):
    """Set up a process's log; give a function that reads what was written."""
    path = tmp_path / "service.log"
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    log.setup(conf.for_tests("conductor", log_file=str(path)))
    yield lambda: path.read_text().splitlines()
    for handler in set(root.handlers) - set(before[0]):
        handler.close()
    root.handlers[:], root.level = before
    log.working_for("-")


def test_a_foreign_text_cannot_forge_a_line(written):
    """A message with line ends and escapes is one line; a traceback has lines that begin as no other does."""
    log.working_for("req-1\n2026-01-02 forged")
    logging.getLogger("mininova").error("it said: %s", "no\n2026-01-02 INFO all is well\r\x1b[2J\u2028\u202eé")
    try:
        raise ValueError("why\n2026-01-02 INFO forged \x1b[2J")
    except ValueError:
        logging.getLogger("mininova").exception("it failed")
    said, failed, *traceback = written()
    assert said.endswith(r"[req-1\n2026-01-02 forged] it said: no\n2026-01-02 INFO all is well\r\x1b[2J\u2028\u202eé")
    assert failed.endswith("it failed")
    assert traceback[0] == "  Traceback (most recent call last):"
    assert traceback[-1] == r"  2026-01-02 INFO forged \x1b[2J"


def test_half_a_character_is_written_as_its_number(written):
    """No file takes it.  It goes past pytest's own capture of logs, which xdist could not send on."""
    (handler,) = (each for each in logging.getLogger().handlers if isinstance(each, logging.FileHandler))
    handler.handle(logging.makeLogRecord({"name": "mininova", "levelname": "ERROR", "msg": "half \udc80"}))
    (line,) = written()
    assert line.endswith(r"half \udc80")


def test_a_flood_of_denials_is_one_line(written):
    """A thousand equal denials do not fill the disk; another caller's denial has its own line."""
    for caller, times in ("compute.host-1", 1000), ("compute.host-2", 1):
        denial = rpc.Denial(caller=caller, method="get_instance", object="u-1", reason="no", at=0.0)
        for _ in range(times):
            denials.tell(denial, None)
    assert [line.partition(" to ")[2].partition(" on ")[0] for line in written()] == [
        "'compute.host-1'", "'compute.host-2'",
    ]  # fmt: skip


def test_a_line_names_its_host(written):
    """Lines about work for one host have its name, and others do not."""
    log.working_for("req-1")
    speak = logging.getLogger("mininova").error
    log.on_host("host-1")(speak)("booting")
    with log.on_host("host-2"):
        speak("booting")
    speak("resting")
    said = [line.partition(" mininova ")[2] for line in written()]
    assert said == ["[req-1 host-1] booting", "[req-1 host-2] booting", "[req-1] resting"]
