"""What was: requests and instances, from the store of the flow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mininova import errors
from mininova.flow import diagram, export, life, screen
from mininova.flow.message import Line, messages
from mininova.flow.output import as_json
from mininova.flow.store import Reader
from mininova.flow.summary import Summary
from mininova.web import handlers
from mininova.wsgi import Reply, Request, values

MOST = 1_000  # requests of one answer
USUAL = 100
MOST_OF_A_LIFE = 500  # requests of one instance: the newest


class Requests:
    """Answers from the store.

    :param directory: of the store; there need be none yet
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)

    def index(self, request: Request) -> dict[str, Any]:
        """List the newest requests; ``search`` has words, each of which one must have somewhere."""
        words = request.GET.get("search", "").lower().split()
        limit, everything = _number(request, "limit", USUAL, MOST), switch(request, "all")
        try:
            found = Reader(self._directory).requests(everything=everything)
        except errors.FlowNotKept:
            found = []
        fitting = (
            [one for one in reversed(found) if all(word in _text(one) for word in words)] if words else found[::-1]
        )
        return {"requests": [screen.summary_data(one) for one in fitting[:limit]]}

    def show(self, request: Request, wanted: str) -> dict[str, Any] | Reply:
        """Show a request: its lanes and its messages; or, when its id has an ending, the same as a file."""
        name, _, ending = wanted.rpartition(".")
        if ending in EXPORTS:
            found, made = self._read(name)
            content_type, write = EXPORTS[ending]
            as_a_file = {"Content-Disposition": f'attachment; filename="{found.request_id}.{ending}"'}
            return Reply(200, write(found, made).encode(), as_a_file, content_type)
        return _shown(*self._read(wanted))

    def instance(self, request: Request, uuid: str) -> dict[str, Any]:
        """Tell an instance's life: the states it had, and the requests that caused them."""
        reader = Reader(self._directory)
        found = [one for one in reader.requests(everything=True) if uuid in one.servers][-MOST_OF_A_LIFE:]
        if not found:
            raise errors.NoSuchRequest(wanted=uuid, hint="")
        events = [event for one in found for event in reader.events(one.request_id)]
        name = next((name for one in reversed(found) if (name := one.servers[uuid])), "")
        return screen.life_data(uuid, name, life.steps(uuid, events, found), found)

    def _read(self, wanted: str) -> tuple[Summary, list[Line]]:
        """Find a request, the newest of those that are meant.

        :raises errors.NoSuchRequest: when there is none
        """
        reader = Reader(self._directory)
        found = reader.find(wanted)[-1]
        return found, messages(reader.events(found.request_id))


def _shown(found: Summary, made: Sequence[Line]) -> dict[str, Any]:
    start = made[0].at if made else found.began
    return {
        "request": screen.summary_data(found),
        "lanes": [asdict(lane) for lane in diagram.lanes(made)],
        "messages": [{**screen.line_data(line, start), "handler": handlers.link(line)} for line in made],
    }


#: A request as a file: by the ending of its name, what it is and who writes it.
EXPORTS: Mapping[str, tuple[str, Callable[[Summary, Sequence[Line]], str]]] = {
    "svg": ("image/svg+xml", export.svg),
    "mmd": ("text/plain", export.mermaid),
    "json": ("application/json", lambda found, made: as_json(_shown(found, made))),
}


def _text(found: Summary) -> str:
    """Give all that a request is found by."""
    status = "" if found.status is None else str(found.status)
    return " ".join((found.request_id, found.what, status, *found.servers, *found.servers.values())).lower()


def _number(request: Request, name: str, usual: int, most: int) -> int:
    """Read a parameter that is a number from 1 on; more than ``most`` is ``most``.

    :raises errors.InvalidInput: that names it
    """
    try:
        number = values.whole(request.GET.get(name, usual))
    except ValueError:
        number = 0
    if number < 1:
        raise errors.InvalidInput(f"{name} must be a number from 1 to {most}.")
    return min(number, most)


def switch(request: Request, name: str) -> bool:
    """Read a parameter that is 0 or 1.

    :raises errors.InvalidInput: that names it
    """
    said = request.GET.get(name, "0")
    if said not in ("0", "1"):
        raise errors.InvalidInput(f"{name} must be 0 or 1.")
    return bool(said == "1")
