"""What every handler of the volume service works with, put together once."""

from collections.abc import Callable
from dataclasses import dataclass

from mininova.context import RequestContext
from mininova.db.session import Database
from mininova.objects import ImageMeta


@dataclass(frozen=True)
class Service:
    """The database, and what finds an image by its id for who asks."""

    db: Database
    image: Callable[[RequestContext, str], ImageMeta]
