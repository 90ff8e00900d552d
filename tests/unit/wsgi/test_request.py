"""What a handler can ask of a request."""

import pytest

from mininova import errors
from mininova.context import RequestContext
from mininova.wsgi import Request
from mininova.wsgi.request import CONTEXT


def post(body: bytes, content_type: str = "application/json") -> Request:
    return Request.blank("/", method="POST", body=body, content_type=content_type)


def test_body_of_gives_the_object_under_the_key() -> None:
    """The body's one object is what handlers work with."""
    assert post(b'{"server": {"name": "x"}}').body_of("server") == {"name": "x"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"server": 1}', b'{"image": {}}'])
def test_body_of_refuses_anything_else(body: bytes) -> None:
    """A body without that object is 400, and the answer names the key."""
    with pytest.raises(errors.InvalidInput, match="server"):
        post(body).body_of("server")


@pytest.mark.parametrize("body", [b"{", b"nope", b"\xff", b"[" * 100_000])
def test_malformed_json_is_400(body: bytes) -> None:
    """What is no JSON is the client's fault, however deep it is nested."""
    with pytest.raises(errors.InvalidInput, match="Malformed request body"):
        _ = post(body).document


@pytest.mark.parametrize("content_type", ["application/xml", "application/x-www-form-urlencoded"])
def test_another_content_type_is_415(content_type: str) -> None:
    """A body that says it is something else is not even looked at."""
    with pytest.raises(errors.UnsupportedMediaType):
        _ = post(b"{}", content_type).document


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/openstack-images-v2.1-json-patch"])
def test_some_clients_do_not_say_json(content_type: str) -> None:
    """No content type, plain text and JSON's relatives are all read as JSON."""
    assert post(b"{}", content_type).document == {}


def test_without_a_context_nobody_asks() -> None:
    """A handler that needs to know who asks answers 401 to nobody."""
    with pytest.raises(errors.Unauthorized):
        _ = Request.blank("/").context


def test_context_is_what_the_middleware_found() -> None:
    """The context travels in the environment."""
    ctxt = RequestContext(user_id="u")
    assert Request.blank("/", environ={CONTEXT: ctxt}).context is ctxt
