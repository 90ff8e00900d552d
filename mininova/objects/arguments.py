"""What an operation was asked with, beside its instance."""

import msgspec

from mininova.objects.image_meta import ImageMeta


class Arguments(msgspec.Struct, frozen=True, kw_only=True):
    """What the record of an operation keeps for its command; each command takes what it needs.

    :param image: what to rebuild the instance from, or to rescue it with
    """

    image: ImageMeta = ImageMeta(id="")


#: Of most operations.
NO_ARGUMENTS = Arguments()
