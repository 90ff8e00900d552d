"""How things look in the Identity API: each with a link to itself, a list with links to its pages."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from mininova.standins.keystone import catalog
from mininova.standins.keystone.db.identity import CatalogEndpoint, Domain, Project, Role, User
from mininova.standins.keystone.service import Service
from mininova.wsgi import Request

# Fields of a document that its thing does not have, by the kind of thing.
_BESIDE: dict[type, Callable[[Any], dict[str, Any]]] = {
    Domain: lambda domain: {"tags": [], "options": {}},
    Project: lambda project: {"is_domain": False, "parent_id": project.domain_id, "tags": [], "options": {}},
    User: lambda user: {"password_expires_at": None, "options": {}},
    Role: lambda role: {"domain_id": None, "options": {}},
    CatalogEndpoint: lambda endpoint: {"region": endpoint.region_id},
}
_SECRET = ("extra", "password_hash", "token_generation")


def document(service: Service, request: Request, collection: str, thing: Any) -> dict[str, Any]:
    """Write one thing down.

    :param collection: the part of the URL that it is under, ``projects``
    """
    own = {name: value for name, value in msgspec.structs.asdict(thing).items() if name not in _SECRET}
    if isinstance(thing, CatalogEndpoint):
        own["url"] = catalog.fill(thing.url, {"public_endpoint": request.endpoint})
    beside = _BESIDE.get(type(thing), lambda _: {})(thing)
    links = {"self": service.link(request, f"/{collection}/{thing.id}")}
    return {**beside, **getattr(thing, "extra", {}), **own, "links": links}


def listed(
    service: Service, request: Request, collection: str, things: Sequence[Any], limit: int | None = None
) -> dict[str, Any]:
    """Write a list of things down; a page that is full links to the next one."""
    here, following = service.link(request, f"/{collection}"), None
    if limit is not None and len(things) == limit:
        following = f"{here}?{urlencode({**request.GET, 'marker': things[-1].id})}"
    documents = [document(service, request, collection, thing) for thing in things]
    return {collection: documents, "links": list_links(here, following)}


def list_links(here: str, following: str | None = None) -> dict[str, str | None]:
    """Write the links of a list down."""
    return {"self": here, "previous": None, "next": following}
