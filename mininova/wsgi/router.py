"""The URL space of a service as a table of rows, and the look-up in it.

A row may be limited to a range of microversions, and it may name an *action*: the one key of the body that
``POST /servers/{id}/action`` is dispatched by.  Nothing here knows what a handler does.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound as NoSuchUrl
from werkzeug.routing import Map, MapAdapter, Rule

from mininova import errors
from mininova.wsgi.microversion import Microversion
from mininova.wsgi.request import Request

Handler = Callable[..., Any]


@dataclass(frozen=True)
class Route:
    """One row: what is called for a method and a URL.

    :param template: the path with its variables, ``/servers/<id>``
    :param handler: called with the request and the template's variables by name
    :param action: the key of the body that this row answers to, where several rows share a URL
    :param since: the first microversion that has it
    :param until: the last one
    """

    method: str
    template: str
    handler: Handler
    action: str | None = None
    since: str = "0.0"
    until: str = "999.999"

    def serves(self, version: Microversion) -> bool:
        """Tell whether the row exists in a microversion."""
        return _version(self.since) <= version <= _version(self.until)


class Router:
    """Finds the row for a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._rows: dict[str, list[Route]] = {}
        for route in routes:
            self._rows.setdefault(f"{route.method} {route.template}", []).append(route)
        self._methods = {rows[0].method for rows in self._rows.values()} | {"HEAD"}
        self._urls = _urls(tuple(self._rows))

    def match(self, request: Request, path: str) -> tuple[Handler, dict[str, str]]:
        """Give the handler for a request and the variables in its path.

        :raises errors.NotFound: when there is no such URL, or not in this microversion
        :raises errors.InvalidInput: when the URL takes actions, and the body names none or an unknown one
        """
        if request.method not in self._methods:  # whose letters count (RFC 9110), though not to Werkzeug
            raise errors.NotFound()
        try:
            key, variables = self._urls.match(path, request.method)
        except (NoSuchUrl, MethodNotAllowed) as reason:
            # Nova answers 404 for a method that a URL does not take, too.
            raise errors.NotFound() from reason
        rows = self._rows[key]
        if rows[0].action is not None:
            rows = _of_action(rows, request)
        serving = [row for row in rows if row.serves(request.api_version)]
        if not serving:
            raise errors.NotFound()
        return serving[0].handler, dict(variables)


class _Found(Rule):
    """A rule by which URLs are looked up and never made: Werkzeug would compile two functions for each that make them.

    Without them the rows of Nova's URLs are ready in 0.01 s of CPU, and not in 0.11; an api has twice as many.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Any]:
        return _no_builder


def _no_builder(rule: Rule, **values: object) -> NoReturn:
    raise NotImplementedError(f"no URL is made of {rule.rule}")


@cache
def _urls(keys: tuple[str, ...]) -> MapAdapter:
    """Make what looks URLs up in a table, once for each table: it takes longer than all else that an application does.

    :param keys: method and template of each row
    """
    rows = [(key, *key.split(" ", 1)) for key in keys]
    rules = [_Found(template, methods=[method], endpoint=key) for key, method, template in rows]
    return Map(rules, strict_slashes=False, merge_slashes=False).bind("")


def _of_action(rows: list[Route], request: Request) -> list[Route]:
    """Keep the rows whose action is the one key of the body."""
    body = request.document
    if not isinstance(body, dict) or len(body) != 1:
        raise errors.InvalidInput("Malformed request body: it must be an object with one key, the action's name.")
    (action,) = body
    named = [row for row in rows if row.action == action]
    if not named:
        raise errors.InvalidInput(f"There is no such action: {action}")
    return named


@cache
def _version(text: str) -> Microversion:
    major, minor = text.split(".")
    return Microversion(int(major), int(minor))
