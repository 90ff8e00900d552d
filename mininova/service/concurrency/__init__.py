"""What the threads of a service are made of: eventlet's green threads, or native ones.

``MININOVA_CONCURRENCY`` names one of two modules, and a Process uses it: ``eventlet`` is green.py, which knows
eventlet, and ``threads`` is native.py, which needs only the standard library and waitress.  Each knows how to run
something in the background, to run several things together, to run what would block all others aside, and to listen
and serve HTTP.  green_psycopg.py teaches PostgreSQL's driver to wait in green threads.

Sleeping has no second form: all code waits on the primitives of ``threading``, which are green in a process that
mininova/cmd/__init__.py has patched.  That patch needs ``chosen()`` first, so this module imports next to nothing.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from mininova.service.http_bounds import Bounds

VARIABLE = "MININOVA_CONCURRENCY"
EVENTLET, THREADS = KINDS = ("eventlet", "threads")

T = TypeVar("T")


class HTTPServer(Protocol):
    """An HTTP server that listens and serves.

    :ivar port: where it listens
    """

    port: int

    def stop(self, timeout: float) -> bool:
        """Accept no new connection, answer the requests under way, and tell whether that took at most ``timeout`` s."""


class Concurrency(Protocol):
    """One way to do several things at a time."""

    def spawn(self, work: Callable[..., object], *args: object) -> None:
        """Run something in the background."""

    def together(self, works: Iterable[Callable[[], Any]], at_once: int) -> list[Any]:
        """Run several things, at most ``at_once`` of them at a time; give their results, or raise the first failure."""

    def aside(self, work: Callable[[], T]) -> T:
        """Run what computes for long, or waits for a disk, and give its result; the others go on meanwhile.

        Such work must wait on no primitive of ``threading``: it may run outside of the threads that these join.
        """

    def serve_http(self, address: str, port: int, app: "WSGIApplication", bounds: "Bounds") -> HTTPServer:
        """Listen and serve in the background.

        :param port: 0 takes a free one
        :raises OSError: when the address or the port is not to be had
        """


def chosen() -> str:
    """Read which way this process goes.

    :raises ValueError: in one line that names the variable
    """
    kind = os.environ.get(VARIABLE) or EVENTLET
    if kind not in KINDS:
        raise ValueError(f"{VARIABLE} must be {EVENTLET} or {THREADS}, not {kind!r}")
    return kind


def make() -> Concurrency:
    """Make the one that was chosen; the other one is not even imported."""
    if chosen() == EVENTLET:
        from mininova.service.concurrency.green import Green

        return Green()
    from mininova.service.concurrency.native import Native

    return Native()
