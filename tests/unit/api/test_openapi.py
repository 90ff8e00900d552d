"""The description of the API in OpenAPI is valid and complete."""

import re
from typing import Any, get_args, get_type_hints

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mininova.api import microversions, openapi
from mininova.api.routes import ROUTES
from mininova.wsgi import Reply


def operation(method: str, path: str) -> Any:
    return openapi.document()["paths"][path][method]


def test_it_can_be_read_without_a_token(api: Any) -> None:
    """A client gets it without a token."""
    answer = api("GET", "//openapi.json", user=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body == openapi.document()


def test_it_is_valid() -> None:
    """The specification's validator finds no error."""
    assert list(OpenAPIV31SpecValidator(openapi.document()).iter_errors()) == []


@pytest.mark.parametrize("row", ROUTES, ids=lambda row: f"{row.method} {row.template} {row.action or ''}")
def test_every_route_is_in_it(row: Any) -> None:
    """Each row of the table is described: its variables, its parameters, its body or its action, its success."""
    it = operation(row.method.lower(), re.sub(r"<(\w+)>", r"{\1}", row.template))
    named = {(parameter["in"], parameter["name"]) for parameter in it["parameters"]}
    version = openapi._newest(row)
    query = row.handler.query.schema(version)["properties"] if getattr(row.handler, "query", None) else {}
    variables = re.findall(r"<(\w+)>", row.template)
    assert named == {
        ("header", microversions.HEADER), *(("path", name) for name in variables), *(("query", name) for name in query)
    }  # fmt: skip
    body = row.handler.body.schema(version) if getattr(row.handler, "body", None) else openapi.NOTHING
    said = it.get("requestBody", {"content": {"application/json": {"schema": openapi.NOTHING}}})
    schema = said["content"]["application/json"]["schema"]
    assert schema == body if row.action is None else row.action in [one["title"] for one in schema["oneOf"]]
    for status, content in openapi.ANSWERS.get(row.handler, openapi.OTHERWISE).items():
        assert it["responses"][str(status)].items() >= content.items()


def test_nothing_else_is_in_it() -> None:
    """It has as many operations as the table has methods of URLs, each with a name of its own."""
    all_ = [it for methods in openapi.document()["paths"].values() for it in methods.values()]
    assert len(all_) == len({(row.method, row.template) for row in ROUTES})
    assert len({it["operationId"] for it in all_}) == len(all_)


def test_a_removed_operation_is_described_as_it_was_last() -> None:
    """An operation that the newest microversion lacks is described as in the newest that has it, and is deprecated."""
    gone, present = operation("get", "/os-networks"), operation("get", "/servers")
    assert (gone["deprecated"], present["deprecated"]) == (True, False)
    assert [parameter["schema"] for parameter in gone["parameters"]] == [{"const": "compute 2.35"}]


def test_answers_that_are_no_plain_json_are_described() -> None:
    """Each handler that returns a Reply or no body has its row in the table of answers."""
    returns = {row.handler: get_type_hints(row.handler)["return"] for row in ROUTES}
    unlike = {it for it, hint in returns.items() if hint is type(None) or Reply in (hint, *get_args(hint))}
    assert unlike == openapi.ANSWERS.keys()
