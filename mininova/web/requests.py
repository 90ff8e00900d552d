"""What was: requests and instances, from the store of the flow."""

from pathlib import Path
from typing import Any

from mininova import errors
from mininova.flow import screen
from mininova.flow.message import Line, messages
from mininova.flow.store import Reader
from mininova.flow.summary import Summary
from mininova.rpc.watch.flow import MessageEvent
from mininova.web import handlers
from mininova.wsgi import Request, values

MOST = 1_000  # requests of one answer
USUAL = 100
_KINDS = ("client", "api", "conductor", "scheduler", "compute", "other", "notifications")


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

    def show(self, request: Request, wanted: str) -> dict[str, Any]:
        """Show a request, by its id: its lanes and its messages."""
        found, events = self._read(wanted)
        made = messages(events)
        start = made[0].at if made else found.began
        return {
            "request": screen.summary_data(found),
            "lanes": _lanes(made),
            "messages": [{**screen.line_data(line, start), "handler": handlers.link(line)} for line in made],
        }

    def instance(self, request: Request, uuid: str) -> dict[str, Any]:
        raise errors.NotFound()

    def _read(self, wanted: str) -> tuple[Summary, list[MessageEvent]]:
        reader = Reader(self._directory)
        found = reader.find(wanted)[-1]
        return found, reader.events(found.request_id)


def _lanes(made: list[Line]) -> list[dict[str, str]]:
    names = dict.fromkeys(name for line in made for name in (line.source, line.target))
    kinds = {name: kind if (kind := name.partition(".")[0]) in _KINDS else "other" for name in names}
    return [{"name": name, "kind": kinds[name]} for name in sorted(names, key=lambda name: _KINDS.index(kinds[name]))]


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
