"""A line of the log is one line, whoever's words are in it."""

import logging

from mininova import conf, log


def test_words_of_others_cannot_pass_for_lines_of_ours(tmp_path):
    """A message with line ends and escapes is written as one line, and a traceback as it is."""
    path = tmp_path / "service.log"
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        log.setup(conf.for_tests("conductor", log_file=str(path)))
        log.working_for("req-1\n2026-01-02 forged")
        logging.getLogger("mininova").error("it said: %s", "no\n2026-01-02 INFO all is well\r\x1b[2J\u2028é")
        try:
            raise ValueError("why")
        except ValueError:
            logging.getLogger("mininova").exception("it failed")
    finally:
        for handler in set(root.handlers) - set(before[0]):
            handler.close()
        root.handlers[:], root.level = before
        log.working_for("-")
    said, failed, *traceback = path.read_text().splitlines()
    assert said.endswith(r"[req-1\n2026-01-02 forged] it said: no\n2026-01-02 INFO all is well\r\x1b[2J\u2028é")
    assert failed.endswith("it failed")
    assert traceback[0].startswith("Traceback")
