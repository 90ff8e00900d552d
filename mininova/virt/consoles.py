r"""Lets console proxies see the consoles of fake guests: one TCP port a protocol, for all guests of the process.

A proxy connects, says which console it wants, as Nova's own does (nova: console/websocketproxy.py), and then speaks the
console's protocol::

    CONNECT <internal_access_path> HTTP/1.1\r\n\r\n
                                                HTTP/1.1 200 OK\r\n\r\n

The path is random, and known to those only who were told it.  A port is opened when the first console is asked for, so
most hosts have none.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple
from uuid import uuid4

from oslo_config import cfg

from mininova import errors
from mininova.objects import Console
from mininova.virt import serial, vnc
from mininova.virt.terminal import Terminal

LOG = logging.getLogger(__name__)

HELLO_WITHIN_S = 10.0
MAX_HELLO_BYTES = 1024
MOST_VIEWERS = 100  # of one protocol, in one process

Serve = Callable[[socket.socket, Terminal], None]
Read = Callable[[], str]
Which = tuple[str, str]  # a guest: its host, and its instance


class Offer(NamedTuple):
    """A protocol that guests' consoles can be reached by.

    :param console_type: the one type that it has
    :param listen: the address to listen on; ``host`` is the same one as proxies know it
    :param serve: speaks it with one viewer, until one of the two ends
    """

    console_type: str
    listen: str
    host: str
    access_url_base: str
    serve: Serve


def offers(conf: cfg.ConfigOpts) -> dict[str, Offer]:
    """Tell which protocols the settings enable."""
    found: dict[str, Offer] = {}
    if conf.vnc.enabled:
        vnc_at = conf.vnc.server_listen, conf.vnc.server_proxyclient_address
        found["vnc"] = Offer("novnc", *vnc_at, conf.vnc.novncproxy_base_url, vnc.serve)
    if conf.serial_console.enabled:
        here = conf.serial_console.proxyclient_address
        found["serial"] = Offer("serial", here, here, conf.serial_console.base_url, serial.serve)
    return found


class Consoles:
    """The consoles of all guests in the process."""

    def __init__(self, offered: Mapping[str, Offer]) -> None:
        self._offered, self._lock = offered, threading.Lock()
        self._ports: dict[str, int] = {}
        self._paths: dict[Which, str] = {}  # of each guest that was asked for
        self._guests: dict[str, tuple[Which, Read]] = {}  # by the paths
        self._terminals: dict[Which, set[Terminal]] = {}

    def open(self, guest: Which, protocol: str, console_type: str, read: Read) -> Console:
        """Have a guest's console be reached, and say how.

        :param read: gives the text of the console
        :raises errors.ConsoleTypeUnavailable: when it is not offered
        :raises errors.ConsoleTypeInvalid: when the protocol has no such type
        """
        offer = self._offered.get(protocol)
        if offer is None:
            raise errors.ConsoleTypeUnavailable(console_type=console_type)
        if console_type != offer.console_type:
            raise errors.ConsoleTypeInvalid(console_type=console_type)
        with self._lock:
            if protocol not in self._ports:
                self._ports[protocol] = self._listen(protocol, offer)
            path = self._paths.setdefault(guest, str(uuid4()))
            self._guests[path] = guest, read
        return Console(
            host=offer.host,
            port=self._ports[protocol],
            internal_access_path=path,
            access_url_base=offer.access_url_base,
        )

    def changed(self, guest: Which) -> None:
        """Show the viewers of a guest what it is now."""
        for terminal in list(self._terminals.get(guest, ())):
            terminal.changed()

    def forget(self, guest: Which) -> None:
        """End the consoles of a guest that is gone."""
        with self._lock:
            if path := self._paths.pop(guest, None):
                del self._guests[path]
        for terminal in list(self._terminals.get(guest, ())):
            terminal.close()

    def _listen(self, protocol: str, offer: Offer) -> int:
        listener = socket.create_server((offer.listen, 0))
        threading.Thread(target=self._accept, args=(listener, protocol, offer.serve), daemon=True).start()
        port: int = listener.getsockname()[1]
        LOG.info("fake hypervisor shows %s consoles at %s:%d", protocol, offer.listen, port)
        return port

    def _accept(self, listener: socket.socket, protocol: str, serve: Serve) -> None:
        room = threading.BoundedSemaphore(MOST_VIEWERS)
        while True:
            viewer, _ = listener.accept()
            if room.acquire(blocking=False):
                threading.Thread(target=self._attend, args=(viewer, protocol, serve, room), daemon=True).start()
            else:
                LOG.warning("fake hypervisor turns a viewer of a %s console away: it has %d", protocol, MOST_VIEWERS)
                viewer.close()

    def _attend(self, viewer: socket.socket, protocol: str, serve: Serve, room: threading.BoundedSemaphore) -> None:
        """Let one viewer see the console that it names, until one of the two ends."""
        try:
            with viewer, suppress(OSError, EOFError):
                viewer.settimeout(HELLO_WITHIN_S)
                found = self._guests.get(_path(viewer))
                if found is None:
                    LOG.warning("fake hypervisor refuses a viewer of a %s console that there is not", protocol)
                    return viewer.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
                viewer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                viewer.settimeout(None)
                self._show(viewer, *found, serve)
        finally:
            room.release()

    def _show(self, viewer: socket.socket, guest: Which, read: Read, serve: Serve) -> None:
        terminal = Terminal(read)
        with self._lock:
            self._terminals.setdefault(guest, set()).add(terminal)
        try:
            serve(viewer, terminal)
        finally:
            terminal.close()
            with self._lock:
                terminals = self._terminals[guest]
                terminals.discard(terminal)
                if not terminals:
                    del self._terminals[guest]


def _path(viewer: socket.socket) -> str:
    """Read which console a viewer wants; "" if it does not say so as it must."""
    said = b""
    while not said.endswith(b"\r\n\r\n"):
        byte = viewer.recv(1)  # no more than the hello: what follows is the console's
        if not byte or len(said) >= MAX_HELLO_BYTES:
            return ""
        said += byte
    words = said.split()
    return words[1].decode("ascii", "replace") if len(words) == 3 and words[0] == b"CONNECT" else ""
