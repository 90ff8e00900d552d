"""What an image service is asked for, and what it answers, beside the image itself: neither travels in a message."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from mininova.objects.image_meta import ImageMeta


class ImageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which images a list has; a field that is left at None asks for nothing.

    :param properties: each of them must be there with this value
    :param limit: how many at most; None means all
    :param marker: the id of the last image of the page before
    """

    id: str | None = None
    name: str | None = None
    status: str | None = None
    min_ram: int | None = None
    min_disk: int | None = None
    changed_since: datetime | None = None
    properties: Mapping[str, str] = {}
    limit: int | None = None
    marker: str | None = None


class KnownImage(msgspec.Struct, frozen=True):
    """An image as it is now."""

    meta: ImageMeta
    created_at: datetime
    updated_at: datetime
