"""Rules by which requests fail, are late, or lose their answer: for people who test clients.

Each of the services has the Paste filter in its pipeline, behind the one that knows the sender; all of them go by one
list of rules, which the control API changes (mininova/control).  Where that API is off, the filter is not there.  A
rule says which requests it is for, and what becomes of them, which ANSWERS has in a table.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import uuid4

import msgspec

from mininova import errors
from mininova.wsgi import faults
from mininova.wsgi.deploy import current_parts
from mininova.wsgi.request import CONTEXT, HANG_UP, REQUEST_ID, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOG = logging.getLogger(__name__)

MOST_RULES = 1000
MAX_DELAY_S = 3600

Positive = Annotated[int, msgspec.Meta(ge=1)]
HeaderName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]+$")]
HeaderValue = Annotated[str, msgspec.Meta(pattern="^[ -~]*$")]

#: Headers that a rule cannot say: the client would take the rest of an answer for the next one.
FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})

# Which limit is said to be reached → the error that says so.
QUOTAS: dict[str, errors.MininovaError] = {
    **{
        overs: errors.TooManyInstances(overs=overs, req=1, used=used, allowed=used)
        for overs, used in (("instances", 10), ("cores", 20), ("ram", 51200))
    },
    "server_groups": errors.TooManyServerGroups(),
    "server_group_members": errors.TooManyInGroup(),
    "key_pairs": errors.TooManyKeyPairs(),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests it is for, all of what is said; and what becomes of them.

    :param method: such as POST
    :param url: a shell pattern of the path, such as ``/compute/v2.1/servers``
    :param action: what the one key of the body is, for ``POST .../action``
    :param project: a shell pattern of the sender's project, by its id or its name
    :param server: a shell pattern of the name that the body gives a server
    :param metadata: for each of these keys of the body's metadata, a shell pattern of its value
    :param nth: the first of the requests that it is for with which it does something
    :param times: with how many it does something; None means with all from there on
    :param delay: seconds that a request waits first
    :param status: answers so, in place of the service, with ``message`` and ``headers``
    :param lost: has the service do what was asked for, and loses its answer: the client gets a 500, or nothing but a
        closed connection
    :param quota: answers as if this limit were reached
    """

    method: str | None = None
    url: str = "*"
    action: str | None = None
    project: str | None = None
    server: str | None = None
    metadata: dict[str, str] = {}
    nth: Positive = 1
    times: Positive | None = None
    delay: Annotated[float, msgspec.Meta(ge=0, le=MAX_DELAY_S)] = 0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    message: str | None = None
    headers: dict[HeaderName, HeaderValue] = {}
    lost: Literal["500", "closed"] | None = None
    quota: Literal["instances", "cores", "ram", "server_groups", "server_group_members", "key_pairs"] | None = None

    def __post_init__(self) -> None:
        said = [name for name in ANSWERS if getattr(self, name) is not None]
        if len(said) > 1 or not (said or self.delay):
            raise ValueError(f"a rule has a delay, or one of {', '.join(ANSWERS)}, or a delay and one of them")
        if self.status is None and (self.message is not None or self.headers):
            raise ValueError("message and headers go with a status")
        if framing := [name for name in self.headers if name.lower() in FRAMING]:
            raise ValueError(f"headers: {framing[0]} says where the answer ends, and the server writes that itself")
        if self.status is not None:
            HTTPStatus(self.status)  # raises ValueError for a number that is none

    def fits(self, request: Request) -> bool:
        """Tell whether the rule is for this request."""
        return (
            self.method in (None, request.method)
            and fnmatchcase(request.path, self.url)
            and (self.project is None or any(fnmatchcase(name, self.project) for name in _projects(request)))
            and (not self._asks_the_body or self._fits_body(_body(request)))
        )

    @property
    def _asks_the_body(self) -> bool:
        return self.action is not None or self.server is not None or bool(self.metadata)

    def _fits_body(self, body: dict[str, Any]) -> bool:
        inner = next((value for value in body.values() if isinstance(value, dict)), {})
        name, metadata = inner.get("name"), inner.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        return (
            (self.action is None or [*body] == [self.action])
            and (self.server is None or (isinstance(name, str) and fnmatchcase(name, self.server)))
            and all(fnmatchcase(str(metadata.get(key, "")), value) and key in metadata
                    for key, value in self.metadata.items())
        )  # fmt: skip


def _projects(request: Request) -> tuple[str, ...]:
    context = request.environ.get(CONTEXT)
    return () if context is None else tuple(it for it in (context.project_id, context.project_name) if it)


def _body(request: Request) -> dict[str, Any]:
    """Give a body in JSON; anything else is none, and the service will say what it thinks of it."""
    if "json" not in (request.content_type or ""):
        return {}
    try:
        body = request.document
    except errors.MininovaError:
        return {}
    return body if isinstance(body, dict) else {}


@dataclass(eq=False)
class Standing:
    """A rule in force.

    :ivar matched: how many requests it was for
    :ivar applied: with how many of them it did something
    :ivar over: set when it is in force no more
    """

    rule: Rule
    id: str = field(default_factory=lambda: str(uuid4()))
    matched: int = 0
    applied: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def counts(self, request: Request) -> bool:
        """Count a request, if it is one of the rule's; tell whether the rule does something with it."""
        if not self.rule.fits(request):
            return False
        self.matched += 1
        if self.matched < self.rule.nth or self.applied == self.rule.times:
            return False
        self.applied += 1
        return True


class Rules:
    """The rules in force, in the order in which they came."""

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Standing]:
        return iter([*self._standing.values()])

    def __bool__(self) -> bool:
        return bool(self._standing)

    def add(self, rule: Rule) -> Standing:
        """Have a rule from now on.

        :raises errors.Conflict: when there are MOST_RULES
        """
        with self._lock:
            if len(self._standing) >= MOST_RULES:
                raise errors.Conflict(f"There are {MOST_RULES} rules: delete some first.")
            added = Standing(rule)
            self._standing[added.id] = added
        return added

    def get(self, id: str) -> Standing:
        """Give a rule by its id.

        :raises errors.NotFound: when there is none
        """
        if (found := self._standing.get(id)) is None:
            raise errors.NotFound(f"There is no rule {id}.")
        return found

    def remove(self, *ids: str) -> None:
        """Have rules no more; requests that they delay go on at once."""
        with self._lock:
            gone = [self._standing.pop(id, None) for id in ids]
        for standing in filter(None, gone):
            standing.over.set()

    def clear(self) -> None:
        """Have none."""
        self.remove(*self._standing)

    def due(self, request: Request) -> Standing | None:
        """Count a request with every rule that it fits, up to the first that does something with it; give that one."""
        with self._lock:
            return next((it for it in self._standing.values() if it.counts(request)), None)


class RulesFilter:
    """Does with each request what the first rule says that is for it.

    :param fault_format: a key of faults.FORMATS
    :param passing: surrounds what the application does
    """

    def __init__(
        self,
        app: "WSGIApplication",
        rules: Rules,
        fault_format: str,
        passing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._behind, self._rules, self._format, self._passing = app, rules, fault_format, passing

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass one request on, or answer it (WSGI)."""
        standing = self._rules.due(Request(environ)) if self._rules else None
        if standing is None:
            return self._app(environ, start_response)
        rule, request = standing.rule, Request(environ)
        LOG.info("rule %s applies to %s %s", standing.id, request.method, request.path)
        if rule.delay:
            standing.over.wait(rule.delay)
        answer = next((it for name, it in ANSWERS.items() if getattr(rule, name) is not None), None)
        app = self._app if answer is None else answer(self, rule, environ)
        return app(environ, start_response)

    def _app(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        with self._passing():
            return self._behind(environ, start_response)

    # ---- what a rule can do

    def _fail(self, rule: Rule, environ: "WSGIEnvironment") -> "WSGIApplication":
        assert rule.status is not None
        response = faults.written(rule.status, rule.message, self._format)
        response.headers.update([*rule.headers.items()])
        return response

    def _refuse(self, rule: Rule, environ: "WSGIEnvironment") -> "WSGIApplication":
        assert rule.quota is not None
        return faults.respond(QUOTAS[rule.quota], self._format, environ)

    def _lose(self, rule: Rule, environ: "WSGIEnvironment") -> "WSGIApplication":
        Request(environ).get_response(self._app).body  # noqa: B018 - to its end
        if rule.lost == "500":
            message = faults.UNEXPECTED.format(request_id=environ.get(REQUEST_ID, "none"))
            return faults.written(500, message, self._format)
        environ.get(HANG_UP, lambda: None)()
        return _cut_short


#: What a rule can do with a request, by the field that says so.
ANSWERS: dict[str, Callable[[RulesFilter, Rule, "WSGIEnvironment"], "WSGIApplication"]] = {
    "status": RulesFilter._fail,
    "lost": RulesFilter._lose,
    "quota": RulesFilter._refuse,
}


def _cut_short(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterator[bytes]:
    """Answer with less than was announced: a server that cannot hang up before does so then."""
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", "1000")])
    yield b"{"
    raise ConnectionAbortedError("a rule has the answer lost")


def filter_factory(global_conf: dict[str, str], format: str) -> Callable[["WSGIApplication"], "WSGIApplication"]:
    """Make the Paste filter ``rules``; ``format`` is a key of FORMATS."""
    rules, world = current_parts().rules, current_parts().world
    if rules is None:
        return lambda app: app
    return lambda app: RulesFilter(app, rules, format, nullcontext if world is None else world.passing)
