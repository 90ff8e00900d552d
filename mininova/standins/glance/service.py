"""What every handler of the image service works with, put together once."""

from dataclasses import dataclass

from mininova.db.session import Database
from mininova.standins.glance.store import Store
from mininova.wsgi import Request


@dataclass(frozen=True)
class Service:
    """The database, the folder with the data, and the limits.

    :param max_limit: the most images that one page of a list has
    :param public_endpoint: ``[api] public_endpoint``; without it the cloud is called what the caller called it
    """

    db: Database
    store: Store
    max_limit: int = 1000
    public_endpoint: str | None = None

    def link(self, request: Request, path: str) -> str:
        """Make a whole link to something of the Image API, ``/v2/``."""
        return f"{(self.public_endpoint or request.host_url).rstrip('/')}{request.script_name}{path}"
