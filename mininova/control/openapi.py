"""The control API in OpenAPI 3.1, derived from its table of routes, and from the structs that its handlers take."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from mininova import __version__
from mininova.wsgi import Route

Json = dict[str, Any]

ERRORS = {
    400: "The body is not what it should be; the message names the field.",
    401: "The token is missing.",
    403: "The token is another.",
    404: "There is no such thing.",
    409: "This cannot be done here, or not now.",
}


def document(routes: Sequence[Route]) -> Json:
    """Describe the API."""
    bodies = list({body: None for row in routes if (body := _body(row)) is not None})
    schemas, components = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    paths: dict[str, Json] = {}
    for row in routes:
        body = _body(row)
        schema = None if body is None else schemas[bodies.index(body)]
        paths.setdefault(re.sub(r"<(\w+)>", r"{\1}", row.template), {})[row.method.lower()] = _operation(row, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mininova: the control API", "version": __version__},
        "servers": [{"url": "."}],  # relative to where this document is
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Control-Token"}},
            "schemas": components,
        },
    }


def _body(row: Route) -> Any:
    return getattr(row.handler, "body", None)


def _operation(row: Route, schema: Json | None) -> Json:
    summary = (row.handler.__doc__ or "").partition("\n")[0]
    variables = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"<(\w+)>", row.template)
    ]
    taken = {} if schema is None else {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    return {
        "operationId": f"{row.template.split('/')[1]}.{row.handler.__name__}",
        "summary": summary,
        "parameters": variables,
        **taken,
        "responses": {
            "2XX": {"description": "It is done."},
            **{str(status): {"description": words} for status, words in ERRORS.items()},
        },
    }
