"""Errors become answers."""

import pytest

from mininova import errors
from mininova.wsgi import Request
from mininova.wsgi.faults import FORMATS, FaultWrap, respond

ENVIRON = Request.blank("/x").environ


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (errors.InvalidInput("no"), "badRequest"),
        (errors.NotAllowed(action="x"), "forbidden"),
        (errors.NotFound(), "itemNotFound"),
        (errors.NotAcceptable(version="3.0", minimum="2.1", maximum="2.96"), "computeFault"),
        (errors.Conflict(), "conflictingRequest"),
        (errors.RequestTooLarge(max_bytes=1), "overLimit"),
        (errors.UnsupportedMediaType(), "badMediaType"),
        (errors.DatabaseNotReady(problem="is empty"), "serviceUnavailable"),
        (RuntimeError(), "computeFault"),
    ],
)
def test_compute_has_a_key_for_each_status(error: Exception, key: str) -> None:
    """The Compute API names an error by a key for its status."""
    assert list(respond(error, "compute", ENVIRON).json) == [key]


@pytest.mark.parametrize("form", FORMATS)
def test_a_401_has_one_form_before_every_service(form: str) -> None:
    """It is keystonemiddleware's form, which a client of the real one gets."""
    words = "The request you have made requires authentication."
    assert respond(errors.Unauthorized(), form, ENVIRON).json == {
        "error": {"code": 401, "title": "Unauthorized", "message": words}
    }


def test_an_unsupported_operation_is_explained(caplog: pytest.LogCaptureFixture) -> None:
    """A 501 is not our failure: the client reads the text, and the log has no error."""
    response = respond(errors.NotSupported(), "compute", ENVIRON)
    assert response.json == {
        "notImplemented": {"code": 501, "message": "The requested functionality is not supported."}
    }
    assert caplog.text == ""


def test_identity_image_and_network_have_their_own_forms() -> None:
    """The clients of Keystone, Glance and Neutron find the text where they look for it."""
    assert respond(errors.NotFound("gone"), "identity", ENVIRON).json["error"]["message"] == "gone"
    assert respond(errors.NotFound("gone"), "image", ENVIRON).json["message"] == "gone"
    found = respond(errors.NotFound("gone"), "network", ENVIRON).json["NeutronError"]
    assert found == {"type": "NotFound", "message": "gone", "detail": ""}
    assert set(FORMATS) == {"compute", "identity", "image", "network"}


def test_our_own_failure_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    """A user reads that the service is not ready; the log says which database is away."""
    response = respond(errors.DatabaseNotReady(problem="at db.internal is away"), "compute", ENVIRON)
    assert (response.status_int, "db.internal" in response.text) == (503, False)
    assert response.headers["Retry-After"] == "5"
    assert "db.internal" in caplog.text


def test_headers_go_with_an_error() -> None:
    """A 401 has the URL for a token in a header."""
    error = errors.Unauthorized(headers={"WWW-Authenticate": "Keystone uri='http://x'"})
    assert respond(error, "compute", ENVIRON).headers["WWW-Authenticate"] == "Keystone uri='http://x'"


def test_faultwrap_answers_for_what_is_below() -> None:
    """An exception below it in the pipeline becomes an answer."""

    def broken(environ, start_response):
        raise errors.Unauthorized()

    response = Request.blank("/").get_response(FaultWrap(broken, "compute"))
    assert (response.status_int, response.json["error"]["code"]) == (401, 401)
