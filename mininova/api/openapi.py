"""The Compute API in OpenAPI 3.1: for makers of clients and of pages, and for fuzzers.

It is derived from what the api itself runs on: the rows of routes.py, the schemas that requests are checked against,
and the handlers' own first sentences.  A request is described as the newest microversion that has it takes it, and
the header that it must send says which one that is.  versions.py serves the document, without a token.
"""

import re
from functools import cache
from http import HTTPStatus
from typing import Any, get_type_hints

import msgspec

from mininova.api import microversions
from mininova.api.handlers import (
    aggregates,
    assisted_volume_snapshots,
    flavor_extra_specs,
    flavors,
    floating_ips,
    images,
    keypairs,
    quotas,
    security_groups,
    server_external_events,
    server_groups,
    server_images,
    server_interfaces,
    server_metadata,
    server_migrations,
    server_moves,
    server_password,
    server_snapshots,
    server_tags,
    servers,
    services,
    volume_attachments,
    volumes,
)
from mininova.api.routes import ACTION, ROUTES
from mininova.api.schemas.types import object_of
from mininova.api.validation import Schemas
from mininova.wsgi import Microversion, Reply, Route
from mininova.wsgi.faults import COMPUTE_KEYS
from mininova.wsgi.router import Handler

Json = dict[str, Any]

INFO: Json = {
    "title": "mininova: the Compute API",
    "version": str(microversions.MAX),
    "description": "What OpenStack Nova's API takes and mininova serves. Each request is described in the newest "
    f"microversion that has it, which its {microversions.HEADER} header names; older ones differ as Nova's do.",
}

# ---- answers

JSON: Json = {"content": {"application/json": {"schema": {"type": "object"}}}}
EMPTY: Json = {}

# The answers to success that are not 200 and JSON.
ANSWERS: dict[Handler, dict[int, Json]] = {
    servers.create: {202: JSON},
    servers.delete: {204: EMPTY},
    # An action is accepted, and says no more, unless its handler gives plain data or has a row of its own.
    **{
        row.handler: {202: EMPTY}
        for row in ROUTES
        if row.template == ACTION and get_type_hints(row.handler)["return"] is Reply
    },
    server_images.rebuild: {202: JSON},
    server_moves.confirm_resize: {204: EMPTY},
    server_moves.evacuate: {200: JSON},
    server_snapshots.create_image: {202: JSON},
    server_snapshots.create_backup: {202: JSON},
    server_metadata.delete: {204: EMPTY},
    server_migrations.delete: {202: EMPTY},
    server_migrations.force_complete: {202: EMPTY},
    server_interfaces.delete: {202: EMPTY},
    floating_ips.delete: {202: EMPTY},
    server_tags.show: {204: EMPTY},
    server_tags.update: {201: EMPTY, 204: EMPTY},
    server_tags.delete: {204: EMPTY},
    quotas.delete: {202: EMPTY},
    server_tags.delete_all: {204: EMPTY},
    flavors.delete: {202: EMPTY},
    flavor_extra_specs.delete: {200: EMPTY},
    aggregates.delete: {200: EMPTY},
    aggregates.cache_images: {202: EMPTY},
    assisted_volume_snapshots.delete: {204: EMPTY},
    security_groups.delete: {202: EMPTY},
    security_groups.delete_rule: {202: EMPTY},
    keypairs.create: {201: JSON},
    keypairs.delete: {204: EMPTY},
    services.delete: {204: EMPTY},
    images.delete: {204: EMPTY},
    images.remove_meta: {204: EMPTY},
    server_groups.delete: {204: EMPTY},
    server_external_events.create: {200: JSON, 207: JSON},
    server_password.clear: {204: EMPTY},
    volume_attachments.create: {202: EMPTY},
    volume_attachments.update: {202: EMPTY},
    volume_attachments.delete: {202: EMPTY},
    volumes.create: {200: JSON},
    volumes.delete: {202: EMPTY},
    volumes.delete_snapshot: {202: EMPTY},
}
OTHERWISE = {200: JSON}

ERRORS = {
    400: "The request is malformed, or asks for what cannot be.",
    401: "The token is missing or not valid.",
    403: "The caller may not do this.",
    404: "There is no such thing, or none that the caller may see.",
    406: "The microversion is not one of those that are served.",
    409: "The state of the thing does not allow this.",
    413: "The body is too long.",
    415: "The content type is not JSON.",
    501: "The hypervisor cannot do this.",
    503: "The service is not ready for this now.",
}
FAULT: Json = {
    "description": "An error, under the one key that says which kind it is.",
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {"enum": [*COMPUTE_KEYS.values(), "computeFault"]},
    "additionalProperties": {
        "type": "object",
        "required": ["code", "message"],
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    },
}


NOTHING: Json = {"type": "null"}


@cache
def encoded() -> bytes:
    """Give the document as it is sent: it is made once."""
    return msgspec.json.encode(document())


def document() -> Json:
    """Describe the whole API."""
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "servers": [{"url": "v2.1"}],  # relative to where this document is
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
            "schemas": {"fault": FAULT},
            "responses": {str(status): _error(words) for status, words in ERRORS.items()},
        },
    }


def _paths() -> Json:
    """Describe every path by its methods; rows that share both are the actions of one operation."""
    paths: dict[str, dict[str, list[Route]]] = {}
    for row in ROUTES:
        path = re.sub(r"<(\w+)>", r"{\1}", row.template)
        paths.setdefault(path, {}).setdefault(row.method.lower(), []).append(row)
    return {path: {method: _operation(rows) for method, rows in methods.items()} for path, methods in paths.items()}


def _operation(rows: list[Route]) -> Json:
    first, version = rows[0], _newest(rows[0])
    module = first.handler.__module__.rpartition(".")[2]
    body = _body(rows, version)
    return {
        "operationId": f"{module}.{first.handler.__name__ if first.action is None else 'action'}",
        "summary": _summary(first.handler) if first.action is None else "Do one of several things to it.",
        "tags": [module],
        "deprecated": version < microversions.MAX,
        "parameters": [*_variables(first.template), *_query(first.handler, version), _header(version)],
        **({"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}),
        "responses": {str(status): answer for status, answer in _answers(rows).items()}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in ERRORS},
    }


def _newest(row: Route) -> Microversion:
    """Give the newest microversion that has a row."""
    return min(microversions.MAX, Microversion.parse(row.until))


def _summary(handler: Handler) -> str:
    return (handler.__doc__ or "").partition("\n")[0]


# ---- requests


def _variables(template: str) -> list[Json]:
    """Describe the variables in a path."""
    schema = {"type": "string", "pattern": "^[^/]+$"}
    names = re.findall(r"<(\w+)>", template)
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query(handler: Handler, version: Microversion) -> list[Json]:
    """Describe the parameters of a query, each of which may be there several times."""
    schemas = getattr(handler, "query", None)
    parameters = {} if schemas is None else schemas.schema(version)["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]


def _header(version: Microversion) -> Json:
    """Describe the header that a microversion is asked for with."""
    return {"name": microversions.HEADER, "in": "header", "required": True, "schema": {"const": f"compute {version}"}}


def _body(rows: list[Route], version: Microversion) -> Json | None:
    """Describe the body: of actions, it is one of several; None when there is none."""
    if rows[0].action is not None:
        return {
            "oneOf": [
                {"title": row.action, "description": _summary(row.handler), **_schema(row, version)} for row in rows
            ]
        }
    schema = _schema(rows[0], version)
    return None if schema == NOTHING else schema


def _schema(row: Route, version: Microversion) -> Json:
    schemas: Schemas | None = getattr(row.handler, "body", None)
    if schemas is not None:
        return schemas.schema(version)
    return NOTHING if row.action is None else object_of({row.action: {}}, [row.action])


# ---- responses


def _answers(rows: list[Route]) -> dict[int, Json]:
    """Describe the answers when all goes well: of actions with one status, some may have a body, and others none."""
    described: dict[int, Json] = {}
    for row in rows:
        for status, content in ANSWERS.get(row.handler, OTHERWISE).items():
            described.setdefault(status, {"description": HTTPStatus(status).phrase}).update(content)
    return described


def _error(words: str) -> Json:
    return {"description": words, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/fault"}}}}
