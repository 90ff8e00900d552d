"""What a handler can read from a request."""

import pytest

from mininova import errors
from mininova.context import RequestContext
from mininova.wsgi import Request
from mininova.wsgi.request import CONTEXT


def post(body: bytes, content_type: str = "application/json") -> Request:
    return Request.blank("/", method="POST", body=body, content_type=content_type)


def test_body_of_gives_the_object_under_the_key() -> None:
    """A handler gets the one object in the body."""
    assert post(b'{"server": {"name": "x"}}').body_of("server") == {"name": "x"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"server": 1}', b'{"image": {}}'])
def test_body_of_refuses_anything_else(body: bytes) -> None:
    """A body without that object is 400, and the error names the key."""
    with pytest.raises(errors.InvalidInput, match="server"):
        post(body).body_of("server")


@pytest.mark.parametrize("body", [b"{", b"nope", b"\xff", b"[" * 100_000])
def test_malformed_json_is_400(body: bytes) -> None:
    """A body that is not JSON is the client's mistake, at any depth."""
    with pytest.raises(errors.InvalidInput, match="Malformed request body"):
        _ = post(body).document


@pytest.mark.parametrize("content_type", ["application/xml", "application/x-www-form-urlencoded"])
def test_another_content_type_is_415(content_type: str) -> None:
    """A body of another content type is not read."""
    with pytest.raises(errors.UnsupportedMediaType):
        _ = post(b"{}", content_type).document


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/openstack-images-v2.1-json-patch"])
def test_some_clients_do_not_say_json(content_type: str) -> None:
    """No content type, plain text and JSON's relatives are all read as JSON."""
    assert post(b"{}", content_type).document == {}


def test_without_a_context_the_caller_is_unauthorized() -> None:
    """A handler that needs the context answers 401 without one."""
    with pytest.raises(errors.Unauthorized):
        _ = Request.blank("/").context


def test_context_is_what_the_middleware_found() -> None:
    """The middleware puts the context into the environment."""
    ctxt = RequestContext(user_id="u")
    assert Request.blank("/", environ={CONTEXT: ctxt}).context is ctxt


@pytest.mark.parametrize("body", [b"[" * 66 + b"]" * 66, b'{"a":' * 65 + b"1" + b"}" * 65])
def test_a_body_has_so_many_levels(body: bytes) -> None:
    """A body that is nested too deep is refused before it is decoded."""
    with pytest.raises(errors.InvalidInput, match="64 levels"):
        _ = post(body).document


def test_as_many_levels_as_may_be() -> None:
    """The last allowed level may hold values."""
    assert post(b"[" * 64 + b"1" + b"]" * 64).document


@pytest.mark.parametrize("body", [rb'{"a": "\u0000"}', rb'{"\u0000": 1}', rb'"\\\u0000"'])
def test_the_character_nul_is_refused(body: bytes) -> None:
    """Databases do not store NUL, in any notation."""
    with pytest.raises(errors.InvalidInput, match="NUL"):
        _ = post(body).document


def test_an_escaped_backslash_is_not_nul() -> None:
    """An escaped backslash before u0000 is text."""
    assert post(rb'"\\u0000"').document == r"\u0000"


def test_a_long_body_is_in_no_file() -> None:
    """A body that is read whole is held in memory."""
    request = post(b'"' + b"x" * 100_000 + b'"')
    request.is_body_seekable = False
    assert len(request.document) == 100_000
    assert type(request.body_file_raw).__name__ == "BytesIO"


@pytest.mark.parametrize("path", ["/%ff", "/%00", "/a%ed%a0%80"])
def test_a_path_that_is_no_text_is_not_found(path: str) -> None:
    """A path that is not UTF-8 is not found."""
    with pytest.raises(errors.NotFound):
        Request.blank(path).require_text()


@pytest.mark.parametrize("query", ["a=%ff", "%ff", "a=%00", "\xff"])
def test_a_query_that_is_no_text_is_refused(query: str) -> None:
    """A query must be UTF-8 without NUL."""
    with pytest.raises(errors.InvalidInput, match="query"):
        Request.blank("/", environ={"QUERY_STRING": query}).require_text()


@pytest.mark.parametrize(
    ("scheme", "name", "port", "endpoint"),
    [
        ("http", "10.0.0.1", "8774", "http://10.0.0.1:8774"),
        ("http", "10.0.0.1", "80", "http://10.0.0.1"),
        ("https", "::1", "443", "https://[::1]"),
    ],
)
def test_the_endpoint_is_where_the_request_came_in(scheme: str, name: str, port: str, endpoint: str) -> None:
    """No Host of a client is in it; a default port is left out, and an IPv6 address has its brackets."""
    request = Request.blank("/compute", headers={"Host": "evil.example"})
    request.environ.update({"wsgi.url_scheme": scheme, "SERVER_NAME": name, "SERVER_PORT": port})
    assert request.endpoint == endpoint
