"""How much of a server one client may take, and which requests could be read in two ways and are refused.

Both HTTP servers, concurrency/green.py and concurrency/native.py, keep to this.  The bounds keep a slow client from
holding a place for long, and from keeping others out when all places are taken; the rules keep a proxy in front of us
from seeing one request where we see two.
"""

import re
import resource
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What a client may take of a server.

    :param connections: how many at once; the next one takes the place of the one that has kept us waiting longest, or
        waits while all are being answered
    :param idle_s: seconds from one request of a connection to the next, and of waiting for any one byte
    :param head_s: seconds from the first byte of a request to the end of its headers
    :param body_s: seconds that a body may take, beside what its bytes take at the slowest rate
    :param slowest_bytes_per_s: that rate
    :param max_body_bytes: the longest body that native.py takes: it hands a body on when it is whole, green.py as it
        comes, so that there the application's own limit is enough
    :param max_held_bytes: the most that all bodies have together which native.py holds
    """

    connections: int = 1000
    idle_s: float = 60.0
    head_s: float = 20.0
    body_s: float = 20.0
    slowest_bytes_per_s: float = 1024.0
    max_body_bytes: int = 2**30
    max_held_bytes: int = 2**32

    def owed_since(self, began: float, received: int, heard_at: float) -> float:
        """Say since when a client keeps us waiting for a body: its bytes pay for their time, up to the last of them.

        :param began: when the body began to come
        :param heard_at: when its last byte came
        """
        return min(heard_at, began + received / self.slowest_bytes_per_s)

    def places(self) -> int:
        """Say how many connections there can be: they take at most half of the files that the process may open."""
        most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return self.connections if most_files == resource.RLIM_INFINITY else min(self.connections, most_files // 2)


BOUNDS = Bounds()
BACKLOG = 1024  # connections that wait to be accepted
MAX_HEAD_BYTES = 65536  # of a request's first line and headers
MAX_LINE_BYTES = 4096  # of a line between the chunks of a body

PAUSE_S = 0.1  # from a failure to accept a connection to the next attempt

#: A line that begins a chunk.
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(;[^\r\n]*)?\r\n")

_LENGTH = re.compile("[0-9]{1,18}")
_ORIGIN = re.compile("^https?://[^/?#]*", re.IGNORECASE)


def path_of(target: str) -> str | None:
    """Give the path and query of a request's target; None if it has no path.

    A client may name the server as well, as if we were its proxy.
    """
    path = _ORIGIN.sub("", target)
    return path if path.startswith("/") else None


def is_plain(version: str, hosts: Sequence[str], lengths: Sequence[str], codings: Sequence[str]) -> bool:
    """Tell whether all servers agree whom a request is for and where its body ends (RFC 9112, sections 3.2 and 6).

    :param version: 1.0 or 1.1
    :param hosts: the values of all its Host headers; likewise Content-Length and Transfer-Encoding
    """
    in_chunks = version == "1.1" and not lengths and [coding.lower() for coding in codings] == ["chunked"]
    one_length = len(lengths) <= 1 and all(_LENGTH.fullmatch(length) for length in lengths)
    return len(hosts) <= 1 and (in_chunks or (one_length and not codings))
