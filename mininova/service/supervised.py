"""What passes between a process and its supervisor: signals to stop, and the news that it is up."""

import contextlib
import signal
import socket


class StopSignals:
    """Catches SIGTERM and SIGINT from here on, in the main thread.

    A byte on a socket says that one came: it wakes a native thread and eventlet's hub alike.
    """

    def __init__(self) -> None:
        self._ours, self._pythons = socket.socketpair()
        self._pythons.setblocking(False)
        signal.set_wakeup_fd(self._pythons.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for one, at most so many seconds, and tell whether it came."""
        self._ours.settimeout(seconds)
        try:
            return bool(self._ours.recv(1))
        except TimeoutError:
            return False


def say_ready(address: str, name: str) -> None:
    """Say that this process is up, in systemd's sd_notify protocol; ``@name`` is an abstract socket.

    Nothing may listen there any more: a supervisor that starts a process again need not be the one that waited for it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram, contextlib.suppress(OSError):
        datagram.connect("\0" + address[1:] if address.startswith("@") else address)
        datagram.send(f"READY=1\nSTATUS={name}".encode())
