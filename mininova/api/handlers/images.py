"""Images over HTTP as old clients ask Nova for them: lists until 2.35, metadata until 2.38.

What is asked here is asked of the image service; that has an API of its own, which shows more.
"""

from collections.abc import Callable
from typing import Any

from mininova import errors
from mininova.api import quotas
from mininova.api.paging import limit_of, marker_of, next_page, number
from mininova.api.request import TRUE, ComputeRequest
from mininova.api.schemas import images as schemas
from mininova.api.validation import takes
from mininova.api.views.times import iso
from mininova.objects import ImageQuery, KnownImage
from mininova.wsgi import Reply
from mininova.wsgi.values import moment

Json = dict[str, Any]
Properties = dict[str, str]

# status of the image service → status here, and how much of the data is there, in percent
STATUS = {"queued": ("SAVING", 25), "saving": ("SAVING", 50), "active": ("ACTIVE", 100)}
UNKNOWN = ("UNKNOWN", 0)

PROPERTY = "property-"
MISSING, NO_KEY = "Image not found.", "Invalid metadata key"


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List images."""
    return _list(request, "images", _summary)


@takes(query=schemas.LIST)
def detail(request: ComputeRequest) -> Json:
    """List images with all their fields."""
    return _list(request, "images/detail", _shown)


def show(request: ComputeRequest, id: str) -> Json:
    """Show one image."""
    return {"image": _shown(request, _find(request, id))}


def delete(request: ComputeRequest, id: str) -> Reply:
    """Delete an image."""
    try:
        request.cloud.images.delete(request.context, id)
    except errors.ImageNotFound as reason:
        raise errors.NotFound(MISSING) from reason
    return Reply(204)


# ---- what its owner says of an image


def metadata(request: ComputeRequest, image_id: str) -> Json:
    """List an image's metadata."""
    return {"metadata": _find(request, image_id).meta.properties}


def meta(request: ComputeRequest, image_id: str, key: str) -> Json:
    """Show one item of an image's metadata."""
    found = _find(request, image_id).meta.properties
    if key not in found:
        raise errors.NotFound()
    return {"meta": {key: found[key]}}


@takes(body=schemas.METADATA_BODY)
def add_metadata(request: ComputeRequest, image_id: str) -> Json:
    """Set several items of an image's metadata; the others stay."""
    return {"metadata": _write(request, image_id, lambda old: old | request.document["metadata"])}


@takes(body=schemas.METADATA_BODY)
def replace_metadata(request: ComputeRequest, image_id: str) -> Json:
    """Replace an image's metadata."""
    return {"metadata": _write(request, image_id, lambda _: request.document["metadata"])}


@takes(body=schemas.META_BODY)
def set_meta(request: ComputeRequest, image_id: str, key: str) -> Json:
    """Set one item of an image's metadata."""
    said: Properties = request.document["meta"]
    if key not in said:
        raise errors.InvalidInput("Request body and URI mismatch")
    _write(request, image_id, lambda old: old | said)
    return {"meta": said}


def remove_meta(request: ComputeRequest, image_id: str, key: str) -> Reply:
    """Remove one item of an image's metadata."""

    def without(old: Properties) -> Properties:
        if key not in old:
            raise errors.NotFound(NO_KEY)
        return {name: value for name, value in old.items() if name != key}

    _write(request, image_id, without)
    return Reply(204)


# ---- the image service


def _find(request: ComputeRequest, image_id: str) -> KnownImage:
    found = request.cloud.images.search(request.context, ImageQuery(id=image_id))
    if not found:
        raise errors.NotFound(MISSING)
    return found[0]


def _write(request: ComputeRequest, image_id: str, change: Callable[[Properties], Properties]) -> Properties:
    """Change an image's metadata, as far as the quota goes, and give it."""
    ctxt, new = request.context, change(_find(request, image_id).meta.properties)
    with request.cloud.db.read() as tx:
        quota = quotas.read(tx, request.cloud.conf, ctxt.project_id, ctxt.user_id, count=False)
    quotas.require_few_items(quota, new)
    request.cloud.images.describe(ctxt, image_id, new)
    return new


def _list(request: ComputeRequest, path: str, show_one: Callable[[ComputeRequest, KnownImage], Json]) -> Json:
    limit = limit_of(request)
    found = request.cloud.images.search(request.context, _wanted(request, limit))
    answer: Json = {"images": [show_one(request, image) for image in found]}
    if links := next_page(request, path, found, limit, found[-1].meta.id if found else ""):
        answer["images_links"] = links
    return answer


def _wanted(request: ComputeRequest, limit: int) -> ImageQuery:
    """Read what a query asks for.

    :raises errors.InvalidInput: when a number or a moment is none
    """
    query = request.query
    properties = {name.removeprefix(PROPERTY): value for name, value in query.items() if name.startswith(PROPERTY)}
    if "server" in query:
        properties["instance_uuid"] = query["server"].rsplit("/", 1)[-1]
    if "type" in query:
        properties["image_type"] = query["type"]
    try:
        since = moment(query["changes-since"]) if "changes-since" in query else None
    except ValueError as reason:
        raise errors.InvalidInput(f"Invalid changes-since filter [{query['changes-since']}]") from reason
    return ImageQuery(
        name=query.get("name"),
        status=query["status"].lower() if "status" in query else None,
        min_ram=number(request, "minRam") if "minRam" in query else None,
        min_disk=number(request, "minDisk") if "minDisk" in query else None,
        changed_since=since,
        properties=properties,
        limit=limit,
        marker=marker_of(request),
    )


# ---- how an image looks


def _summary(request: ComputeRequest, image: KnownImage) -> Json:
    own = {"rel": "alternate", "type": "application/vnd.openstack.image"}
    own["href"] = f"{request.endpoint}/image/images/{image.meta.id}"
    return {"id": image.meta.id, "name": image.meta.name, "links": [*request.links.to("images", image.meta.id), own]}


def _shown(request: ComputeRequest, image: KnownImage) -> Json:
    properties = image.meta.properties
    status, progress = STATUS.get(image.meta.status, UNKNOWN)
    shown = _summary(request, image) | {
        "minRam": image.meta.min_ram,
        "minDisk": image.meta.min_disk,
        "metadata": properties,
        "created": iso(image.created_at),
        "updated": iso(image.updated_at),
        "status": status,
        "progress": progress,
        "OS-EXT-IMG-SIZE:size": image.meta.size or 0,  # Nova has 0 for one without data
    }
    if server := properties.get("instance_uuid"):
        shown["server"] = {"id": server, "links": request.links.to("servers", server)}
    if (chosen := properties.get("auto_disk_config")) is not None:
        shown["OS-DCF:diskConfig"] = "AUTO" if chosen.lower() in TRUE else "MANUAL"
    return shown
