"""What the log says about the origin of a refused message."""

import logging
import queue
from collections.abc import Iterator
from typing import Any

import pytest

from mininova import rpc
from mininova.rpc.transports.kombu.brokers import VOUCHES
from tests.fixtures.rpc_bench import Bench, Keeper, needs


def refused(bench: Bench, caplog: pytest.LogCaptureFixture, body: bytes, **properties: Any) -> str:
    """Have a server refuse a message, and give its line of the log."""
    peer, rejections = bench.peer("by hand"), queue.Queue[str]()
    server = bench.peer("lamp.a", watch=rpc.Flow(lambda event: rejections.put(event.kind)))
    bench.serve(Keeper(), peer=server)
    bench.request(peer, body, **{"app_id": "", "reply_to": None, **properties})
    while bench.next(rejections) != "rejected":
        pass
    (line,) = [record.getMessage() for record in caplog.records if record.getMessage().startswith("refused")]
    return line


def test_a_refused_message_is_logged_with_its_origin(bench: Bench, caplog):
    """A client of oslo.messaging need not name itself: its context, reply queue, exchange and key are logged, too."""
    context = {"_context_user_id": "u-1", "_context_project_id": "p-1", "_context_request_id": "req-7"}
    body = bench.payload("dance", {}, **context, _reply_q="reply_8f", _msg_id="m-1")

    line = refused(bench, caplog, body, app_id="nova-api")

    assert line.startswith("refused 'dance': 'LampAPI declares no method dance'; from ")
    for told in ("application 'nova-api'", "reply queue 'reply_8f'", "user 'u-1'", "project 'p-1'", "request 'req-7'"):
        assert told in line
    assert line.endswith(f"exchange {bench.exchange!r}, key {bench.topic!r}")


@needs(VOUCHES)
def test_the_broker_user_of_a_refused_message_is_named_first(bench: Bench, caplog):
    """The broker vouches for the user."""
    line = refused(bench, caplog, b"[]")

    assert "refused 'what cannot be read': 'a message is a JSON object, not list'" in line
    assert "; from broker user 'mininova', exchange" in line


def test_a_sender_forges_no_line_of_the_log(bench: Bench, caplog):
    """The sender's words are quoted and cut: they begin no new line, and a long name is not written whole."""
    forged = "x\n2026-11-29 ERROR parked everything \u202e\x1b[2J"
    context = {"_context_user_id": forged, "_context_request_id": "r" * 5_000, "_context_project_id": {"a": "b"}}

    line = refused(bench, caplog, bench.payload(forged, {}, **context, _reply_q=forged), app_id=forged)

    assert line.isprintable()
    assert len(line) < 1_200


@pytest.fixture
def lines() -> Iterator["queue.Queue[str]"]:
    """Give what an inbox logs, as it comes."""
    came = queue.Queue[str]()
    handler, logger = logging.Handler(), logging.getLogger("mininova.rpc.inbox")
    handler.emit = lambda record: came.put(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield came
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


def test_a_cast_that_is_too_long_to_come_back_is_refused_all_the_same(bench: Bench, lines):
    """The log of its sender says why, and the server does not try for ever to send it back."""
    peer = bench.peer("by hand")
    bench.serve(Keeper())

    bench.request(peer, bench.payload("switch", {"lamp": {"name": "x" * 900_000}}, version="9.0"))

    assert "cannot run switch 9.0" in bench.next(lines)
