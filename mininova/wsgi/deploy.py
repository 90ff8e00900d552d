"""Builds an application from a Paste Deploy file, and hands the factories in it the parts of the process.

Paste hands strings to its factories.  What cannot be written in a file (the settings, the database, the
transport) is therefore laid out for the duration of the load, and a factory picks it up with current_parts().
Only cmd/ calls load_app.
"""

import configparser
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from oslo_config.cfg import ConfigOpts
from paste.deploy import loadapp

from mininova import errors

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from mininova.db.session import Database
    from mininova.rpc import Notifier, Peer
    from mininova.rpc.watch.flow import Report
    from mininova.rpc.watch.spans import Spans
    from mininova.wsgi.rules import Rules


T = TypeVar("T")


class Aside(Protocol):
    """Runs what computes for long, or waits for a disk, and gives its result; other requests go on meanwhile."""

    def __call__(self, work: Callable[[], T], /) -> T:
        """Run it."""


def in_place(work: Callable[[], T]) -> T:
    """Run it where the caller is (see Aside)."""
    return work()


def at_once(work: Callable[..., object], /, *args: object) -> None:
    """Run before the caller goes on what a service runs in the background."""
    work(*args)


def in_silence(request_id: str) -> None:
    """Work for a request where no log tells of it."""


class World(Protocol):
    """A cloud that is one process, as a whole (mininova/control/world.py)."""

    def passing(self) -> AbstractContextManager[None]:
        """Have a request under way in a block, which waits while the cloud is at rest."""

    def reset(self, project: str | None = None) -> None:
        """Have the cloud as it was when it started."""

    def save(self, path: Path) -> None:
        """Write all to a file."""

    def load(self, path: Path) -> None:
        """Have the cloud as it was when it was saved."""


@dataclass(frozen=True)
class Parts:
    """What a WSGI application is made of.

    :param peer: this process's end of the messaging, which rpcapi clients send through
    :param notifier: emits notifications as this api
    :param reporter: takes the message events of the flow (rpc/watch/flow.py); None when the flow is off
    :param spans: begins a span for each request; None where there are none
    :param aside: runs what would hold up the other requests
    :param spawn: runs something in the background
    :param rules: by which requests fail, for tests of clients; None where the control API is off
    :param world: the whole cloud, where it is one process
    :param working_for: has the log lines of the thread carry the id of the request that it works for
    """

    conf: ConfigOpts
    db: "Database"
    peer: "Peer"
    notifier: "Notifier"
    reporter: "Report | None"
    spans: "Spans | None" = None
    aside: Aside = in_place
    rules: "Rules | None" = None
    world: World | None = None
    spawn: Callable[..., object] = at_once
    working_for: Callable[[str], object] = in_silence


_parts: ContextVar[Parts] = ContextVar("parts")


def current_parts() -> Parts:
    """Give a Paste factory the parts of the application that is being loaded.

    :raises LookupError: outside load_app
    """
    return _parts.get()


def load_app(path: Path, name: str, parts: Parts) -> "WSGIApplication":
    """Build the application that a Paste Deploy file has under a name.

    :raises errors.ConfigError: when there is no such file, or it names a function that does not exist
    """
    token = _parts.set(parts)
    try:
        app: WSGIApplication = loadapp(f"config:{path.resolve()}", name=name)
    except (OSError, LookupError, ImportError, configparser.Error) as error:
        reason = " ".join(str(error).split())  # configparser writes several lines
        raise errors.ConfigError(problem=f"[api] paste_config = {path} cannot be used: {reason}") from error
    finally:
        _parts.reset(token)
    return app
