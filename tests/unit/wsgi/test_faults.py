"""Errors as answers."""

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
    """The Compute API names an error by its status."""
    assert list(respond(error, "compute", ENVIRON).json) == [key]


@pytest.mark.parametrize("form", FORMATS)
def test_a_401_has_one_form_before_every_service(form: str) -> None:
    """keystonemiddleware's, which answers it wherever the real one stands."""
    words = "The request you have made requires authentication."
    assert respond(errors.Unauthorized(), form, ENVIRON).json == {
        "error": {"code": 401, "title": "Unauthorized", "message": words}
    }


def test_what_the_hypervisor_cannot_do_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """501 is no failure of ours: the client reads the words, and no line in the log blames anything."""
    response = respond(errors.NotSupported(), "compute", ENVIRON)
    assert response.json == {
        "notImplemented": {"code": 501, "message": "The requested functionality is not supported."}
    }
    assert caplog.text == ""


def test_identity_and_image_have_their_own_forms() -> None:
    """Keystone's and Glance's clients find the words where they look for them."""
    assert respond(errors.NotFound("gone"), "identity", ENVIRON).json["error"]["message"] == "gone"
    assert respond(errors.NotFound("gone"), "image", ENVIRON).json["message"] == "gone"
    assert set(FORMATS) == {"compute", "identity", "image"}


def test_what_is_our_fault_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    """A user hears that the service is not ready; which database is away is in the log."""
    response = respond(errors.DatabaseNotReady(problem="at db.internal is away"), "compute", ENVIRON)
    assert (response.status_int, "db.internal" in response.text) == (503, False)
    assert "db.internal" in caplog.text


def test_headers_go_with_an_error() -> None:
    """A 401 says where to get a token."""
    error = errors.Unauthorized(headers={"WWW-Authenticate": "Keystone uri='http://x'"})
    assert respond(error, "compute", ENVIRON).headers["WWW-Authenticate"] == "Keystone uri='http://x'"


def test_faultwrap_answers_for_what_is_below() -> None:
    """An exception in the pipeline becomes an answer."""

    def broken(environ, start_response):
        raise errors.Unauthorized()

    response = Request.blank("/").get_response(FaultWrap(broken, "compute"))
    assert (response.status_int, response.json["error"]["code"]) == (401, 401)
