"""The application: one table of routes, and the headers that keep what a page may do small.

Names, arguments and errors come from users, and from computes that may be taken over.  So all of them leave here as
JSON, which no browser takes for a page; and the page itself may load nothing but its own files from this server.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from mininova import __version__, errors
from mininova.web import handlers
from mininova.web.requests import Requests, switch
from mininova.web.stream import MOST_LISTENERS, Listeners
from mininova.wsgi import Application, Reply, Request, Response, Route

PAGE = files("mininova.flow") / "page"
KINDS = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png",
    ".json": "application/json",
}  # fmt: skip
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})

#: A page may run its own scripts, show its own pictures, ask this server, and no more.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Site(Application):
    """Answers the page and its API.

    :param requests: what was, from the store
    :param world: gives the whole world as it is now
    :param listeners: to what happens; None where a store is shown that nothing is added to
    :param names: what a browser may call this server; None for anything
    :param play: what the page may do
    """

    def __init__(
        self,
        requests: Requests,
        world: Callable[[], dict[str, Any]],
        listeners: Listeners | None,
        *,
        names: Collection[str] | None,
        play: Sequence[Route] = (),
    ) -> None:
        self._world, self._listeners, self._names, self._plays = world, listeners, names, bool(play)
        super().__init__(
            [
                Route("GET", "/", self.page),
                Route("GET", "/page/<path:name>", self.page),
                Route("GET", "/api", self.about),
                Route("GET", "/api/world", self.world),
                Route("GET", "/api/live", self.live),
                Route("GET", "/api/tours", self.tours),
                Route("GET", "/api/requests", requests.index),
                Route("GET", "/api/requests/<wanted>", requests.show),
                Route("GET", "/api/handlers/<interface>/<method>", handlers.show),
                Route("GET", "/api/instances/<uuid>", requests.instance),
                *play,
            ],
            "identity",
        )

    def open(self, request: Request) -> str:
        """Refuse a name that is not ours: a page of another site may have its own name lead to this address."""
        name = _without_port(request.headers.get("Host", ""))
        if self._names is not None and name not in self._names:
            raise errors.NotItsName(name=name)
        return super().open(request)

    def close(self, request: Request, response: Response) -> None:
        """Say in each answer what a page may do."""
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)

    def about(self, request: Request) -> dict[str, Any]:
        """Say what this server can do."""
        live = self._listeners is not None
        return {"version": __version__, "live": live, "play": self._plays, "recorded": not live}

    def world(self, request: Request) -> dict[str, Any]:
        """Give the services, queues and instances."""
        return self._world()

    def live(self, request: Request) -> Reply:
        """Tell what happens, until the client goes; ``all=1`` is with heartbeats."""
        everything = switch(request, "all")
        if self._listeners is None:
            raise errors.NotFound()
        if (listener := self._listeners.join(everything=everything)) is None:
            words = {"code": 503, "message": f"{MOST_LISTENERS} browsers listen already."}
            return Reply(503, {"error": words}, {"Retry-After": "5"})
        request.environ["eventlet.minimum_write_chunk_size"] = 1  # else eventlet gathers 4 KiB before it sends any
        return Reply(200, listener, content_type="text/event-stream")

    def tours(self, request: Request) -> Reply:
        """Give the guided tours, which are data of the page."""
        return self.page(request, "tours.json")

    def page(self, request: Request, name: str = "index.html") -> Reply:
        """Give a file of the page, those that are there and no other."""
        if name not in _names(PAGE):
            raise errors.NotFound()
        return Reply(200, PAGE.joinpath(name).read_bytes(), content_type=KINDS[Path(name).suffix])


def names_of(listen: str) -> Collection[str] | None:
    """Give the names of a server by its address: where only this machine reaches it, no other site's name is one."""
    return LOCAL if listen in LOCAL else None


def _without_port(host: str) -> str:
    """Give the name in a Host header; an IPv6 address is in brackets."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()


def _names(folder: Traversable, before: str = "") -> Iterator[str]:
    """Name the files of the page, as URLs do."""
    for found in folder.iterdir():
        if found.is_dir():
            yield from _names(found, f"{before}{found.name}/")
        elif Path(found.name).suffix in KINDS:
            yield f"{before}{found.name}"
