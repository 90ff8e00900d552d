"""What this identity service does not have, and clients ask for: an empty list, and a refusal that says what to do."""

from typing import Any

from mininova import errors
from mininova.standins.keystone.authority import Token
from mininova.standins.keystone.handlers import documents
from mininova.standins.keystone.service import Service
from mininova.wsgi import Request


class Absent:
    """Handlers of a collection that stays empty.

    :param path: where clients look for it
    :param why: what one who wants to make such a thing is told
    """

    def __init__(self, service: Service, path: str, why: str) -> None:
        self._service, self.path, self._why = service, path, why

    def index(self, request: Request, caller: Token, **named: str) -> dict[str, Any]:
        """List none."""
        here = self._service.link(request, self.path.replace("<id>", named.get("id", "")))
        return {self.path.rpartition("/")[2]: [], "links": documents.list_links(here)}

    def create(self, request: Request, caller: Token, **named: str) -> None:
        """Refuse to make one."""
        raise errors.NotAllowed(self._why)


def limit_model(request: Request, caller: Token) -> dict[str, Any]:
    """Say how limits of projects would be related: not at all."""
    return {"model": {"name": "flat", "description": "Limits of one project have nothing to do with another's."}}
