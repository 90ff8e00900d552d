"""What a storm's report finds in the logs."""

from storm.report import tracebacks

FAILED = """\
2026-11-29 09:35:27.430 ERROR mininova.rpc.server [-] build_instance failed, delivery 1: {error}
  Traceback (most recent call last):
    File "/mininova/rpc/server.py", line 175, in _serve
      result, reply = self._answer(request, method, run())
  {error}
2026-11-29 09:35:27.440 INFO mininova.rpc.server [-] and so on
"""


def logged(tmp_path, text):
    """Count the tracebacks of a log."""
    log = tmp_path / "mininova-api.log"
    log.write_text(text)
    return dict(tracebacks([log]))


def test_a_bug_is_counted_by_its_last_line(tmp_path):
    """Each time that it is logged."""
    text = FAILED.format(error="KeyError: 'host'")
    assert logged(tmp_path, text * 2) == {("mininova-api.log", "KeyError: 'host'"): 2}


def test_what_a_storm_brings_about_is_expected(tmp_path):
    """A message fails while the broker or the database is away, and SQLAlchemy throws a connection away."""
    away = FAILED.format(error="mininova.rpc.errors.MessagingTimeout: the broker is away")
    gone = FAILED.format(error="mininova.errors.DatabaseAway: it gave a transaction up")
    thrown = FAILED.format(error="pymysql.err.OperationalError: (2013, 'Lost connection')")
    assert logged(tmp_path, away + gone) == {}
    assert logged(tmp_path, thrown.replace("build_instance failed", "Exception during reset or similar")) == {}
    assert logged(tmp_path, thrown)
