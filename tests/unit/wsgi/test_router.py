"""How the router finds a handler."""

import pytest

from mininova import errors
from mininova.wsgi import Microversion, Request, Route, Router
from mininova.wsgi.request import API_VERSION


def handler(name: str):
    def answer(request: Request, **variables: str) -> str:
        return name

    return answer


ROUTES = (
    Route("GET", "/things", handler("list")),
    Route("GET", "/things/detail", handler("detail")),
    Route("GET", "/things/<id>", handler("show")),
    Route("GET", "/old", handler("old"), until="2.9"),
    Route("GET", "/old", handler("new"), since="2.10"),
    Route("POST", "/things/<id>/action", handler("start"), action="start"),
    Route("POST", "/things/<id>/action", handler("stop"), action="stop", since="2.5"),
)


def match(method: str, path: str, body: bytes = b"", version: str = "2.1"):
    request = Request.blank(path, method=method, body=body)
    request.environ[API_VERSION] = Microversion.parse(version)
    found, variables = Router(ROUTES).match(request, path)
    return found(request), variables


def test_fixed_words_come_before_variables() -> None:
    """/things/detail is not the thing with the id detail."""
    assert match("GET", "/things/detail") == ("detail", {})
    assert match("GET", "/things/x") == ("show", {"id": "x"})


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PUT", "/things"), ("GET", "/things/x/y")])
def test_a_url_outside_the_table_is_not_found(method: str, path: str) -> None:
    """An unknown URL is 404, and so is a method that a URL does not take."""
    with pytest.raises(errors.NotFound):
        match(method, path)


def test_a_row_serves_its_microversions() -> None:
    """Of two rows for one URL, the microversion chooses."""
    assert match("GET", "/old", version="2.9")[0] == "old"
    assert match("GET", "/old", version="2.10")[0] == "new"


def test_an_action_is_named_by_the_body() -> None:
    """The one key of the body chooses the row."""
    assert match("POST", "/things/x/action", b'{"start": null}') == ("start", {"id": "x"})


def test_an_action_has_microversions_too() -> None:
    """An action of a later microversion is 404."""
    assert match("POST", "/things/x/action", b'{"stop": null}', "2.5")[0] == "stop"
    with pytest.raises(errors.NotFound):
        match("POST", "/things/x/action", b'{"stop": null}', "2.4")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"jump": null}', "There is no such action: jump"),
        (b"{}", "Malformed request body"),
        (b'{"start": 1, "stop": 2}', "Malformed request body"),
        (b"[1]", "Malformed request body"),
        (b"{", "Malformed request body"),
    ],
)
def test_refuses_a_body_that_names_no_action(body: bytes, words: str) -> None:
    """A body without exactly one known key is 400, and the error says why."""
    with pytest.raises(errors.InvalidInput, match=words):
        match("POST", "/things/x/action", body)


@pytest.mark.parametrize("method", ["get", "", "GETS"])
def test_a_methods_case_counts(method: str) -> None:
    """Methods are compared with their case."""
    with pytest.raises(errors.NotFound):
        match(method, "/things")
