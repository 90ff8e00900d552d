"""The application over a store with a boot, asked in this process."""

from pathlib import Path
from typing import Any

import pytest

from mininova.flow.reports import SERVICES
from mininova.flow.store import Reader, Writer
from mininova.flow.world import World
from mininova.flow.world.past import replay
from mininova.web.app import LOCAL, Site
from mininova.web.requests import Requests
from mininova.wsgi import Request


class Asked:
    """Asks a site as a browser would.

    :ivar headers: of each request
    """

    def __init__(self, site: Site) -> None:
        self.site, self.headers = site, {"Host": "127.0.0.1:8780"}

    def get(self, path: str, **options: Any) -> Any:
        """Give the whole response."""
        return Request.blank(path, headers=self.headers, **options).get_response(self.site)

    def json(self, path: str, status: int = 200) -> Any:
        """Give what was answered, once that is JSON with this status."""
        response = self.get(path)
        assert (response.status_int, response.content_type) == (status, "application/json")
        return response.json


@pytest.fixture
def store(tmp_path: Path, boot, requests):
    """Keep three small requests and a boot."""
    writer = Writer(tmp_path, keep=10)
    for events in (*requests(3), boot):
        writer.add({SERVICES: events})
    writer.close()
    return tmp_path


@pytest.fixture
def asked(store):
    """Give what asks a site that shows the store."""
    world = World()
    replay(world, Reader(store))
    return Asked(Site(Requests(store), lambda: world.rows(world.last), None, names=LOCAL))
