"""Requests become events of the flow."""

import pytest

from mininova.rpc.watch.flow import MessageEvent
from mininova.wsgi import Request
from mininova.wsgi.flow import Flow
from mininova.wsgi.request import CONTEXT, REQUEST_ID


def send(method: str, events: list[MessageEvent], app=None) -> None:
    def accept(environ, start_response):
        # An application moves the part of the path that it has used.
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/v2.1", "/servers"
        environ[CONTEXT] = "who it is"
        start_response("202 Accepted", [])
        return [b""]

    request = Request.blank("/v2.1/servers", method=method, environ={REQUEST_ID: "req-1"})
    request.get_response(Flow(app or accept, events.append, "api.ctl-1"))


def test_a_write_is_an_event_with_its_status() -> None:
    """A request that changes something is an event, with its user, its URL and its status."""
    events: list[MessageEvent] = []
    send("POST", events)
    (event,) = events
    assert (event.kind, event.request_id, event.receiver) == ("http", "req-1", "api.ctl-1")
    assert (event.method, event.payload) == ("POST /v2.1/servers", {"status": 202})
    assert event.duration is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_read_is_no_event(method: str) -> None:
    """A read is not an event."""
    events: list[MessageEvent] = []
    send(method, events)
    assert events == []


def test_a_request_that_breaks_is_an_event_with_500() -> None:
    """An exception below is an event with the status 500."""

    def broken(environ, start_response):
        environ[CONTEXT] = "who it is"
        raise RuntimeError

    events: list[MessageEvent] = []
    with pytest.raises(RuntimeError):
        send("DELETE", events, broken)
    assert events[0].payload == {"status": 500}


def test_a_request_of_an_unknown_sender_is_no_event() -> None:
    """A request whose sender no filter found out leaves nothing, whatever it is answered with."""

    def refuse(environ, start_response):
        start_response("401 Unauthorized", [])
        return [b""]

    events: list[MessageEvent] = []
    send("POST", events, refuse)
    assert events == []
