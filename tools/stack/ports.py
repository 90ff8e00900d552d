"""TCP ports of the loopback address: is one free, and which one may we have.

Between the moment when a port is found free and the moment when a server listens on it, another stack may find it free,
too: tests start many, some side by side.  So a port that is given away is reserved until the process ends that asked.
"""

import random
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

from stack.errors import StackError

LOOPBACK = "127.0.0.1"

#: Below the range that Linux takes the ports of outgoing connections from (ip_local_port_range), so that a program
#: that restarts finds its port as it left it.
PICKED = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):  # the latter for a number that is no port's
            return False
        return True


def require(port: int, option: str, what: str) -> None:
    """Refuse a port that something else listens on.

    :param option: the setting that chooses another
    :raises StackError: naming both
    """
    if not is_free(port):
        raise StackError(
            f"Port {port}, meant for {what}, is in use by another program: free it, or set {option} to another port."
        )


def require_answer(url: str, option: str) -> None:
    """Refuse the URL of a broker that does not answer.

    :param option: the setting that names it
    :raises StackError: naming both
    """
    parts = urlsplit(url)
    if parts.hostname is None:  # a folder
        return
    place = parts.hostname, parts.port or {"amqps": 5671, "kombu+redis": 6379}.get(parts.scheme, 5672)
    try:
        socket.create_connection(place, timeout=5).close()
    except OSError as error:
        raise StackError(
            f"No broker answers at {place[0]}:{place[1]}, named by {option}: {error.strerror or error}."
        ) from None


def first_free(start: int) -> int:
    """Reserve the first free port from ``start`` up."""
    return next(port for port in range(start, 65_536) if _reserve(range(port, port + 1)))


def pick(count: int = 1, *, among: range = PICKED) -> int:
    """Reserve a free port that nothing else needs to know.

    :param count: how many: this one, and those that follow it
    :raises StackError: when there are no such ports
    """
    for first in random.sample(among, len(among)):
        wanted = range(first, first + count)
        if wanted[-1] in among and _reserve(wanted):
            return first
    raise StackError(f"No {count} ports in a row are free from {among[0]} to {among[-1]}.")


def _reserve(wanted: range) -> bool:
    """Reserve all of these ports, or none; tell whether they are reserved.

    A reservation is a bound socket with a name in Linux's abstract namespace: no two processes can have one at a time,
    it is no file that could stay behind, and it is seen exactly as far as the ports of this loopback address are.
    """
    with ExitStack() as bound:
        reservations = [bound.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) for _ in wanted]
        try:
            for port, reservation in zip(wanted, reservations, strict=True):
                reservation.bind(f"\0mininova-port-{port}")
        except OSError:  # another process has one, or this one has
            return False
        if not all(map(is_free, wanted)):
            return False
        for reservation in reservations:
            reservation.detach()  # it stays open until the process ends
        return True
