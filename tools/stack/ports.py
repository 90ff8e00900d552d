"""TCP ports of the loopback address: is one free, and which one is."""

import random
import socket
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
    """Refuse the URL of a broker where nobody answers.

    :param option: the setting that names it
    :raises StackError: naming both
    """
    parts = urlsplit(url)
    place = parts.hostname or LOOPBACK, parts.port or {"amqps": 5671}.get(parts.scheme, 5672)
    try:
        socket.create_connection(place, timeout=5).close()
    except OSError as error:
        raise StackError(
            f"No broker answers at {place[0]}:{place[1]}, named by {option}: {error.strerror or error}."
        ) from None


def first_free(start: int) -> int:
    """Give the first free port from ``start`` up."""
    return next(port for port in range(start, 65_536) if is_free(port))


def pick() -> int:
    """Give a free port that nobody needs to know."""
    return next(port for port in random.sample(PICKED, len(PICKED)) if is_free(port))
