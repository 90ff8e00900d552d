"""What the control plane needs to know of an image."""

from mininova.objects.base import Versioned


class ImageMeta(Versioned, frozen=True, kw_only=True):
    """An image as it was when the instance was asked for.

    :param min_ram: MiB of memory it needs
    :param min_disk: GiB of disk it needs
    :param size: bytes of its data; None while it has none
    :param properties: what its owner says of it, such as ``hw_architecture``
    """

    id: str
    name: str = ""
    status: str = "active"
    min_ram: int = 0
    min_disk: int = 0
    size: int | None = None
    properties: dict[str, str] = {}
