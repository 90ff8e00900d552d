"""Version discovery: what a client asks first, without a token."""

from typing import Any

from mininova.standins.keystone.service import Service
from mininova.wsgi import Reply, Request


class Versions:
    """Says that there is one version, and where."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def index(self, request: Request) -> Reply:
        """Answer 300 with every version there is, as Keystone does."""
        return Reply(300, {"versions": {"values": [self._version(request)]}})

    def show(self, request: Request) -> dict[str, Any]:
        """Answer with the one version."""
        return {"version": self._version(request)}

    def _version(self, request: Request) -> dict[str, Any]:
        return {
            "id": "v3.14",
            "status": "stable",
            "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": self._service.link(request, "/")}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }
