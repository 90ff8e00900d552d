"""Host aggregates over HTTP, for administrators: hosts with something in common, and the zones that users choose."""

import re
from typing import Any

from mininova import errors
from mininova.api.request import ComputeRequest
from mininova.api.schemas import aggregates as schemas
from mininova.api.validation import takes
from mininova.api.views.times import bare
from mininova.db import aggregates
from mininova.db.aggregates import ZONE, Aggregate
from mininova.wsgi import Reply

Json = dict[str, Any]


def index(request: ComputeRequest) -> Json:
    """List host aggregates."""
    request.require("os-aggregates:index")
    with request.cloud.db.read() as tx:
        return {"aggregates": [_shown(request, aggregate) for aggregate in aggregates.search(tx)]}


def show(request: ComputeRequest, id: str) -> Json:
    """Show a host aggregate."""
    request.require("os-aggregates:show")
    with request.cloud.db.read() as tx:
        return {"aggregate": _shown(request, aggregates.get(tx, _number(id)))}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> Json:
    """Make a host aggregate; with a zone, its hosts will be in that."""
    request.require("os-aggregates:create")
    body = request.body_of("aggregate")
    with request.cloud.db.write() as tx:
        made = aggregates.create(tx, body["name"].strip(), _zone(body))
    shown = _shown(request, made)
    return {"aggregate": {name: shown[name] for name in shown if name not in ("hosts", "metadata")}}


@takes(body=schemas.UPDATE)
def update(request: ComputeRequest, id: str) -> Json:
    """Change a host aggregate's name, or the zone of its hosts."""
    request.require("os-aggregates:update")
    body = request.body_of("aggregate")
    with request.cloud.db.write() as tx:
        aggregate = aggregates.get(tx, _number(id))
        if "name" in body:
            aggregate = aggregates.rename(tx, aggregate, body["name"].strip())
        if ZONE in body:
            aggregate = aggregates.describe(tx, aggregate, {ZONE: _zone(body)})
    return {"aggregate": _shown(request, aggregate)}


def delete(request: ComputeRequest, id: str) -> Reply:
    """Delete a host aggregate that has no hosts."""
    request.require("os-aggregates:delete")
    with request.cloud.db.write() as tx:
        try:
            aggregates.delete(tx, aggregates.get(tx, _number(id)))
        except errors.InvalidAggregateAction as reason:
            raise errors.InvalidInput(str(reason)) from reason
    return Reply(200)


@takes(body=schemas.ADD_HOST)
def add_host(request: ComputeRequest, id: str) -> Json:
    """Put a host into a host aggregate."""
    request.require("os-aggregates:add_host")
    with request.cloud.db.write() as tx:
        changed = aggregates.add_host(tx, aggregates.get(tx, _number(id)), request.document["add_host"]["host"])
    return {"aggregate": _shown(request, changed)}


@takes(body=schemas.REMOVE_HOST)
def remove_host(request: ComputeRequest, id: str) -> Json:
    """Take a host out of a host aggregate."""
    request.require("os-aggregates:remove_host")
    with request.cloud.db.write() as tx:
        changed = aggregates.remove_host(tx, aggregates.get(tx, _number(id)), request.document["remove_host"]["host"])
    return {"aggregate": _shown(request, changed)}


@takes(body=schemas.SET_METADATA)
def set_metadata(request: ComputeRequest, id: str) -> Json:
    """Say more of the hosts of a host aggregate; a value of null removes what was said."""
    request.require("os-aggregates:set_metadata")
    said = request.document["set_metadata"]["metadata"]
    with request.cloud.db.write() as tx:
        aggregate = aggregates.get(tx, _number(id))
        try:
            changed = aggregates.describe(tx, aggregate, said)
        except errors.InvalidAggregateAction as reason:
            raise errors.InvalidInput(str(reason)) from reason
    return {"aggregate": _shown(request, changed)}


@takes(body=schemas.CACHE_IMAGES)
def cache_images(request: ComputeRequest, id: str) -> Reply:
    """Have images on the hosts of a host aggregate before the first server is made of them; it goes on after this."""
    request.require("compute:aggregates:images")
    number, image_ids = _number(id), [each["id"] for each in request.document["cache"]]
    if len(set(image_ids)) < len(image_ids):
        raise errors.InvalidInput("Duplicate images in request")
    with request.cloud.db.read() as tx:
        aggregate = aggregates.get(tx, number)
    request.cloud.questions.cache_images(request.context, aggregate, image_ids)
    return Reply(202)


def _zone(body: Json) -> str | None:
    zone: str | None = body.get(ZONE)
    return zone.strip() if zone else None


def _number(text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,9}", text):
        raise errors.InvalidInput(reason="id must be an integer")
    return int(text)


def _shown(request: ComputeRequest, aggregate: Aggregate) -> Json:
    shown: Json = {
        "id": aggregate.id,
        "name": aggregate.name,
        "availability_zone": aggregate.zone,
        "hosts": aggregate.hosts,
        "metadata": aggregate.metadata,
        "created_at": bare(aggregate.created_at),
        "updated_at": bare(aggregate.updated_at),
        "deleted": False,
        "deleted_at": None,
    }
    return shown | ({"uuid": aggregate.uuid} if request.api_version >= (2, 41) else {})
