"""When is a program really up?  When it says so itself, in systemd's sd_notify protocol.

Each program gets a datagram socket of its own (NOTIFY_SOCKET) and sends ``READY=1`` to it: mininova's services once
they consume, listen and have recorded a heartbeat; RabbitMQ once it listens.  Until then its pidfd is watched beside
the socket, so that a program that ends instead is heard of at once.

Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import os
import selectors
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from stack import processes

VARIABLE = "NOTIFY_SOCKET"


class NotReadyError(Exception):
    """A program did not come up: it ended, or the time was over.

    :param name: which
    :param ended: whether it ended
    """

    def __init__(self, name: str, *, ended: bool) -> None:
        super().__init__(name)
        self.name, self.ended = name, ended


def socket_path(folder: Path, name: str) -> Path:
    """Name the socket on which a program says that it is up."""
    return folder / f"{name}.ready"


class Readiness:
    """The sockets of some programs, to be opened before these start: ``with Readiness(folder, names) as readiness``."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._cleanup = ExitStack()
        self._sockets = {name: self._bind(socket_path(folder, name)) for name in names}

    def _bind(self, path: Path) -> socket.socket:
        path.unlink(missing_ok=True)
        bound = self._cleanup.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        bound.bind(str(path))
        bound.setblocking(False)
        self._cleanup.callback(path.unlink, missing_ok=True)
        return bound

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._cleanup.close()

    def wait(self, pids: Mapping[str, int], timeout: float) -> Iterator[str]:
        """Give the programs one by one, as each says that it is up.

        :param pids: name → pid, of programs that this has a socket for
        :param timeout: seconds until the last must be up
        :raises NotReadyError: for the first that ends instead, or that is not up in time
        """
        waiting, deadline = set(pids), time.monotonic() + timeout
        with selectors.DefaultSelector() as selector, ExitStack() as fds:
            for name, pid in pids.items():
                selector.register(self._sockets[name], selectors.EVENT_READ, name)
                if (fd := processes.open_pidfd(pid)) is None:
                    raise NotReadyError(name, ended=True)
                fds.callback(os.close, fd)
                selector.register(fd, selectors.EVENT_READ, name)
            while waiting:
                events = selector.select(max(0.0, deadline - time.monotonic()))
                if not events:
                    raise NotReadyError(min(waiting), ended=False)
                for key, _ in events:
                    name = key.data
                    if isinstance(key.fileobj, socket.socket):
                        if b"READY=1" in key.fileobj.recv(4096).splitlines() and name in waiting:
                            waiting.discard(name)
                            yield name
                    elif name in waiting:
                        raise NotReadyError(name, ended=True)
                    else:
                        selector.unregister(key.fd)
