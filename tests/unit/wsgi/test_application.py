"""What a handler returns becomes a response."""

import msgspec
import pytest

from mininova import errors
from mininova.wsgi import Application, Reply, Request, Route


def get(result: object):
    def handler(request: Request) -> object:
        if isinstance(result, Exception):
            raise result
        return result

    return Request.blank("/").get_response(Application([Route("GET", "/", handler)], "compute"))


def test_a_dict_is_json() -> None:
    """A dict is a 200 with JSON."""
    response = get({"a": [1]})
    assert (response.status_int, response.content_type, response.json) == (200, "application/json", {"a": [1]})


def test_none_is_no_content() -> None:
    """None is a 204, with neither body nor content type."""
    response = get(None)
    assert (response.status_int, response.body) == (204, b"")
    assert "Content-Type" not in response.headers


def test_a_reply_is_what_it_says() -> None:
    """A Reply sets the status and headers."""
    response = get(Reply(202, {"a": 1}, headers={"Location": "http://x/"}))
    assert (response.status_int, response.headers["Location"], response.json) == (202, "http://x/", {"a": 1})


def test_bytes_are_sent_as_they_are() -> None:
    """Bytes are sent as they are."""
    response = get(Reply(200, b"\x00\x01"))
    assert (response.content_type, response.body) == ("application/octet-stream", b"\x00\x01")


def test_pieces_are_sent_one_by_one() -> None:
    """The pieces of an iterator are sent one by one, so the body is never whole in memory."""
    assert get(Reply(200, iter([b"a", b"b"]))).body == b"ab"


def test_an_error_is_answered_by_its_class() -> None:
    """An error of mininova has a status and a sentence."""
    response = get(errors.InstanceNotFound(instance_uuid="x"))
    assert response.status_int == 404
    assert response.json == {"itemNotFound": {"code": 404, "message": "Instance x could not be found."}}


def test_an_unexpected_error_is_500_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error says nothing of itself to the user, and is whole in the log."""
    response = get(RuntimeError("the secret inside"))
    assert response.status_int == 500
    assert "secret" not in response.text
    assert "the secret inside" in caplog.text


def test_an_unknown_url_is_answered_in_the_services_words() -> None:
    """A 404 has the form of the service."""
    application = Application([], "identity")
    response = Request.blank("/nowhere").get_response(application)
    assert msgspec.json.decode(response.body)["error"]["code"] == 404
