"""Room for one more HTTP connection when all places are taken: the client that keeps us waiting longest goes.

A server that only counts its connections is full when as many clients connect and say nothing, however soon it hangs up
on each.  Here the next one gets in at once.  A client that we are working for never makes room, and one that sends its
request at once waits for no other client's.  green.py uses this; in native.py one thread sees all connections anyway.
"""

import contextlib
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from mininova.rpc.watch import sparing

LOG = logging.getLogger(__name__)

CROWDED = "all %d HTTP connections are taken: the one that has kept us waiting longest makes room"


class Crowd:
    """All connections of a server.

    :param most: how many there may be
    """

    def __init__(self, most: int) -> None:
        self._most, self._places = most, dict[Any, Place]()
        self._leaving: Place | None = None
        self._full, self._change = False, threading.Condition()

    def enter(self, connection: Any) -> None:
        """Give a connection a place; wait for that while we are working for all others."""
        with self._change:
            while len(self._places) >= self._most:
                self._full = True
                if self._leaving is None:
                    self._make_room()
                self._change.wait()
            self._full = False
            self._places[connection] = Place(connection, self)

    def _make_room(self) -> None:
        longest = min(self._places.values(), key=lambda place: place.owes_since)
        if longest.owes_since < math.inf:
            LOG.warning(CROWDED, self._most, extra=sparing.about(None, "http-crowd"))
            self._leaving = longest
            longest.hang_up()

    def place_of(self, connection: Any) -> "Place":
        """Give the place of a connection that has entered."""
        return self._places[connection]

    def leave(self, connection: Any) -> None:
        """Take the place back."""
        self.changed(self._places.pop(connection))

    def changed(self, place: "Place") -> None:
        """Look again who can make room: a connection has left, begins to owe us something, or does so no more."""
        with self._change:
            if place is self._leaving:
                self._leaving = None
            if self._full:
                self._change.notify_all()


class Place:
    """What one connection has of the server.

    :ivar owes_since: since when its client keeps us waiting; inf while it does not
    """

    def __init__(self, connection: Any, crowd: Crowd) -> None:
        self._connection, self._crowd = connection, crowd
        self.owes_since = time.monotonic()

    @contextlib.contextmanager
    def owing(self, since: float | None = None) -> Iterator[None]:
        """Wait in a block for something of the client: for bytes, or that it takes ours.

        :param since: when that began, if not now
        """
        self.owes(since)
        try:
            yield
        finally:
            self.owes(math.inf)

    def owes(self, since: float | None = None) -> None:
        """Wait for something of the client from here on, likewise; inf is to wait no more."""
        self.owes_since = time.monotonic() if since is None else since
        self._crowd.changed(self)

    def hang_up(self) -> None:
        """Wake the green thread that waits for the client; it finds the connection closed, and ends."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
