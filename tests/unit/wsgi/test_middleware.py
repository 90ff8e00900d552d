"""Request ids, traces and the limit of a body's length."""

import io

import pytest

from mininova import errors
from mininova.rpc.watch import tracing
from mininova.wsgi import Request
from mininova.wsgi.middleware import RequestId, SizeLimit, Trace
from mininova.wsgi.request import GLOBAL_REQUEST_ID, REQUEST_ID

THEIRS = "req-11111111-2222-3333-4444-555555555555"


def echo(environ, start_response):
    """Answer with the ids, or with the length of the body."""
    body = Request(environ).body
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ.get(REQUEST_ID)} {environ.get(GLOBAL_REQUEST_ID)} {len(body)}".encode()]


@pytest.fixture
def log_lines_carry() -> list[str]:
    """The ids that log lines were told to carry."""
    return []


@pytest.fixture
def ask(log_lines_carry: list[str]):
    """Give a function that asks, with some headers."""
    app = RequestId(echo, ("x-openstack-request-id", "x-compute-id"), log_lines_carry.append)
    return lambda headers: Request.blank("/", headers=headers).get_response(app)


def test_every_request_gets_an_id(ask, log_lines_carry) -> None:
    """The id is in the environment, in each of the response headers, and in the log lines of the request."""
    response = ask({})
    own, theirs, _ = response.text.split()
    assert own.startswith("req-")
    assert response.headers["x-openstack-request-id"] == response.headers["x-compute-id"] == own
    assert theirs == "None"
    assert log_lines_carry == [own]


def test_the_callers_id_becomes_the_global_one(ask) -> None:
    """A well-formed id of the caller is stored beside our own."""
    own, theirs, _ = ask({"X-OpenStack-Request-ID": THEIRS}).text.split()
    assert theirs == THEIRS != own


def test_a_malformed_id_is_dropped(ask) -> None:
    """An invented text does not get into the logs."""
    assert ask({"X-OpenStack-Request-ID": "req-\tnope"}).text.split()[1] == "None"


TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("traceparent", "worked_for"), [(f"00-{TRACE}-b7ad6b7169203331-01", TRACE), ("00-nonsense", None), ("", None)]
)
def test_a_request_is_handled_in_its_callers_trace(traceparent: str, worked_for: str | None) -> None:
    """Messages sent for the request belong to its trace; without a valid one, to none."""

    def app(environ, start_response):
        start_response("204 No Content", [])
        traces.append(tracing.current())
        return []

    traces: list[tracing.Trace | None] = []
    Request.blank("/", headers={"traceparent": traceparent}).get_response(Trace(app, None))

    assert [trace and trace.trace_id for trace in traces] == [worked_for]
    assert tracing.current() is None


def limited(body: bytes, declared: bool = True):
    request = Request.blank("/", method="POST")
    if declared:
        request.body = body
    else:
        request.environ["wsgi.input"] = io.BytesIO(body)
        request.environ["wsgi.input_terminated"] = True
        request.environ.pop("CONTENT_LENGTH", None)
        request.is_body_readable = True
    return request.get_response(SizeLimit(echo, 10))


def test_a_body_of_the_allowed_length_passes() -> None:
    """The limit itself is allowed."""
    assert limited(b"x" * 10).text.endswith(" 10")


def test_a_declared_length_over_the_limit_is_refused() -> None:
    """A declared length over the limit is refused before a byte is read."""
    with pytest.raises(errors.RequestTooLarge, match="At most 10 bytes"):
        limited(b"x" * 11)


def test_a_chunked_body_over_the_limit_is_refused_as_well() -> None:
    """A chunked body is counted while it is read."""
    with pytest.raises(errors.RequestTooLarge):
        limited(b"x" * 11, declared=False)


def test_a_malformed_length_is_refused() -> None:
    """A content length that is no number is refused."""
    with pytest.raises(errors.RequestTooLarge):
        Request.blank("/", environ={"CONTENT_LENGTH": "-1"}).get_response(SizeLimit(echo, 10))


def test_a_body_in_chunks_is_read_to_its_end() -> None:
    """A body without a length is read to its end."""
    request = Request.blank("/", environ={"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"12345")})
    request.environ.pop("CONTENT_LENGTH", None)
    assert request.get_response(SizeLimit(echo, 5)).text.endswith(" 5")


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "+5", "1e3", "٣"])
def test_an_enormous_length_is_too_long(length: str) -> None:
    """A length beyond all bounds is refused at once."""
    with pytest.raises(errors.RequestTooLarge):
        SizeLimit(echo, 5)({"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO()}, lambda *_: None)


@pytest.mark.parametrize("failure", [OSError("gone"), TimeoutError(), ValueError("no chunk")])
def test_a_body_that_does_not_come_is_400(failure: Exception) -> None:
    """A body that breaks off, or has malformed chunks, is the client's mistake."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise failure

    request = Request.blank("/", environ={"CONTENT_LENGTH": "5", "wsgi.input": Broken()})
    with pytest.raises(errors.InvalidInput, match="body"):
        request.get_response(SizeLimit(echo, 5))
