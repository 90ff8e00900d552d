"""What an operation was asked with, beside its instance."""

import msgspec

from mininova.objects.flavor import Flavor
from mininova.objects.image_meta import ImageMeta


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """What the record of an operation keeps for its command; each command takes what it needs.

    :param image: what to rebuild the instance from, to rescue it with, or to make it of when it is unshelved
    :param host: where it is to be done; None means anywhere
    :param force: do it there even if the scheduler's filters would not
    :param stopped: leave it stopped there
    :param makes: the id of the image that is made of the instance
    :param backup_type: of a backup, such as ``daily``
    :param rotation: how many backups of this type are kept; None keeps all
    :param flavor: what to resize the instance to
    :param has_volumes: whether the instance has volumes, for which its host asks the conductor
    :param reimages: whether the volume that it boots from gets the image's data
    """

    image: ImageMeta = ImageMeta(id="")
    host: str | None = None
    force: bool = False
    stopped: bool = False
    makes: str = ""
    backup_type: str = ""
    rotation: int | None = None
    flavor: Flavor | None = None
    has_volumes: bool = False
    reimages: bool = False

    def making(self, image_id: str) -> "Arguments":
        """Give them for an operation that makes this image."""
        return msgspec.structs.replace(self, makes=image_id)


#: Of most operations.
NO_ARGUMENTS = Arguments()
