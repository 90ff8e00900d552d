"""``/v2.0/networks``, ``/subnets``, ``/ports``, ``/routers`` and ``/floatingips``: the same routes of each."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mininova import errors
from mininova.context import RequestContext
from mininova.standins.neutron import query
from mininova.standins.neutron.documents import Json, Retag
from mininova.standins.neutron.handlers import tags
from mininova.wsgi import Reply, Request, Route


class Things(Protocol):
    """What may be done with one kind of thing."""

    def search(self, ctxt: RequestContext, filters: Any = None) -> list[Json]:
        """List those that a caller sees."""
        ...

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one."""
        ...

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make one."""
        ...

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change one."""
        ...

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete one."""
        ...

    def tag(self, ctxt: RequestContext, id: str, change: Retag) -> None:
        """Change the tags of one."""
        ...


def routes(path: str, things: Things) -> Sequence[Route]:
    """Give the routes of one kind of thing."""
    member = path.removesuffix("s")
    all_of, one = f"/v2.0/{path}", f"/v2.0/{path}/<id>"

    def index(request: Request) -> Json:
        return query.answer(request, path, things.search(request.context, request.GET))

    def show(request: Request, id: str) -> Json:
        return {member: query.fields(request, things.get(request.context, id))}

    def create(request: Request) -> Reply:
        return Reply(201, {member: things.create(request.context, request.body_of(member))})

    def update(request: Request, id: str) -> Json:
        return {member: things.update(request.context, id, request.body_of(member))}

    def delete(request: Request, id: str) -> None:
        things.delete(request.context, id)

    return (
        Route("GET", all_of, index),
        Route("POST", all_of, create),
        Route("GET", one, show),
        Route("PUT", one, update),
        Route("DELETE", one, delete),
        *tags.routes(path, things.get, things.tag),
    )


def on_one(do: Callable[[RequestContext, str, Json], Json]) -> Callable[..., Json]:
    """Make the handler of what is done to one thing, whose body has no key around it."""

    def handle(request: Request, id: str) -> Json:
        body = request.document
        if not isinstance(body, dict):
            raise errors.InvalidInput("The request body must be a JSON object.")
        return do(request.context, id, body)

    return handle
