"""What every handler of the image service works with, put together once."""

from dataclasses import dataclass

from mininova.db.session import Database
from mininova.standins.glance.store import Store
from mininova.wsgi import Request


@dataclass(frozen=True)
class Service:
    """The database, the folder with the data, and the limits.

    :param max_limit: the most images that one page of a list has
    """

    db: Database
    store: Store
    max_limit: int = 1000

    def link(self, request: Request, path: str) -> str:
        """Make a whole link to something of the Image API, ``/v2/``."""
        return f"{request.service_endpoint}{path}"
