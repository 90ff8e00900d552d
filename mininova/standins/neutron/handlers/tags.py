"""``/v2.0/{things}/{id}/tags``: the tags of a thing, all at once and one by one."""

from collections.abc import Callable, Sequence

from mininova import errors
from mininova.context import RequestContext
from mininova.standins.neutron.documents import Json, Retag
from mininova.standins.neutron.network_schemas import TAG, TAGS
from mininova.standins.neutron.schemas import checked
from mininova.wsgi import Reply, Request, Route

Get = Callable[[RequestContext, str], Json]
Tag = Callable[[RequestContext, str, Retag], None]


def routes(path: str, get: Get, tag: Tag) -> Sequence[Route]:
    """Give the routes of the tags of one kind of thing.

    :param get: reads one
    :param tag: changes the tags of one
    """

    def index(request: Request, id: str) -> Json:
        return {"tags": get(request.context, id)["tags"]}

    def replace(request: Request, id: str) -> Json:
        wanted = checked(request.document, TAGS)["tags"]
        tag(request.context, id, lambda had: sorted(set(wanted)))
        return {"tags": sorted(set(wanted))}

    def clear(request: Request, id: str) -> None:
        tag(request.context, id, lambda had: ())

    def show(request: Request, id: str, name: str) -> None:
        _without(get(request.context, id)["tags"], name)

    def add(request: Request, id: str, name: str) -> Reply:
        checked({"tag": name}, TAG)
        tag(request.context, id, lambda had: sorted({*had, name}))
        return Reply(201)

    def remove(request: Request, id: str, name: str) -> None:
        tag(request.context, id, lambda had: _without(had, name))

    all_of, one = f"/v2.0/{path}/<id>/tags", f"/v2.0/{path}/<id>/tags/<name>"
    return (
        Route("GET", all_of, index),
        Route("PUT", all_of, replace),
        Route("DELETE", all_of, clear),
        Route("GET", one, show),
        Route("PUT", one, add),
        Route("DELETE", one, remove),
    )


def _without(tags: Sequence[str], name: str) -> Sequence[str]:
    """Take a tag away.

    :raises errors.NotFound: when it is not there
    """
    if name not in tags:
        raise errors.NotFound(f"Tag {name} could not be found.")
    return [each for each in tags if each != name]
