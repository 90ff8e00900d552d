"""Requests as the flow sees them."""

import pytest

from mininova.rpc.watch.flow import MessageEvent
from mininova.wsgi import Request
from mininova.wsgi.flow import Flow
from mininova.wsgi.request import REQUEST_ID


def send(method: str, events: list[MessageEvent], app=None) -> None:
    def accept(environ, start_response):
        # An application moves what it has consumed of the path.
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/v2.1", "/servers"
        start_response("202 Accepted", [])
        return [b""]

    request = Request.blank("/v2.1/servers", method=method, environ={REQUEST_ID: "req-1"})
    request.get_response(Flow(app or accept, events.append, "api.ctl-1"))


def test_a_write_is_told_with_its_status() -> None:
    """What changes something is an event: who was asked what, and how it was answered."""
    events: list[MessageEvent] = []
    send("POST", events)
    (event,) = events
    assert (event.kind, event.request_id, event.receiver) == ("http", "req-1", "api.ctl-1")
    assert (event.method, event.payload) == ("POST /v2.1/servers", {"status": 202})
    assert event.duration is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_read_is_not_told(method: str) -> None:
    """Reading leaves no trace in the flow."""
    events: list[MessageEvent] = []
    send(method, events)
    assert events == []


def test_a_request_that_breaks_is_told_as_500() -> None:
    """Whatever happens below, the event is there."""

    def broken(environ, start_response):
        raise RuntimeError

    events: list[MessageEvent] = []
    with pytest.raises(RuntimeError):
        send("DELETE", events, broken)
    assert events[0].payload == {"status": 500}
