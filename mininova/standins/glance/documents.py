"""How images and their members look in the Image API (flat, properties and all), and how they are read back from it."""

from datetime import datetime
from typing import Any

import msgspec

from mininova.standins.glance.db.images import UPLOADING, Image, ImageMember
from mininova.standins.glance.schemas import WRITABLE


def image_document(image: Image) -> dict[str, Any]:
    """Write an image down."""
    attributes = msgspec.structs.asdict(image)
    del attributes["location"], attributes["properties"]
    if image.status == UPLOADING:  # what is staged is not the image's yet
        attributes |= dict.fromkeys(("checksum", "os_hash_algo", "os_hash_value"))
    return {
        **image.properties,
        **attributes,
        "tags": list(image.tags),
        "created_at": moment(image.created_at),
        "updated_at": moment(image.updated_at),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }


def said(image: Image) -> dict[str, Any]:
    """Give the attributes that clients may change, as they are now."""
    return {**image.properties, **{name: getattr(image, name) for name in WRITABLE}, "tags": list(image.tags)}


def columns(values: dict[str, Any]) -> dict[str, Any]:
    """Turn attributes that a client sent, and that were checked, into columns."""
    known = {name: value for name, value in values.items() if name in WRITABLE}
    if "tags" in known:
        known["tags"] = tuple(dict.fromkeys(known["tags"]))
    return {**known, "properties": {name: value for name, value in values.items() if name not in WRITABLE}}


def member_document(member: ImageMember) -> dict[str, Any]:
    """Write down that an image is shared with a project."""
    return {
        "image_id": member.image_id,
        "member_id": member.member,
        "status": member.status,
        "created_at": moment(member.created_at),
        "updated_at": moment(member.updated_at),
        "schema": "/v2/schemas/member",
    }


def moment(when: datetime) -> str:
    """Write a moment to the second, as Glance does."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
