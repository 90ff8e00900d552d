"""How passwords are kept and compared.

Argon2id with 19 MiB, two passes and one lane: the least that OWASP's cheat sheet on password storage recommends
today, and about 20 ms of one core.  A guesser needs that much memory and time for every guess, while a test run
that logs in nine hundred times spends less than twenty seconds on it.

The price is also ours, and anyone can ask for it.  So few are made at a time, aside from the other requests, and few
may wait for it: one more is refused, and the other requests do not notice how many there are.
"""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mininova import errors
from mininova.wsgi import Aside, in_place

T = TypeVar("T")

#: How many hashes are made at a time: one core is left to the other requests.
AT_ONCE = min(8, max(1, (os.cpu_count() or 1) - 1))
MAX_WAITING = 50  # about a second's work for one core
RETRY_AFTER_S = 1

#: glibc's mallopt: what is longer than so many bytes goes back to the system as soon as it is free (malloc.h).
M_MMAP_THRESHOLD, GIVEN_BACK_FROM_BYTES = -3, 1024 * 1024

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# What a password is compared with when there is no such user: it takes as long, so the time does not tell who exists.
_NO_USER = f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}${'A' * 22}${'A' * 43}"


def _give_memory_back() -> None:
    """Have the 19 MiB of a hash go back to the system; glibc would keep them for each thread that ever made one."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_FROM_BYTES)


_give_memory_back()


def hash_password(password: str) -> str:
    """Make what is kept in place of a password."""
    return _HASHER.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Tell whether this is the password, in the same time whether it is, is not, or there is none to compare with."""
    try:
        return _HASHER.verify(password_hash or _NO_USER, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


class Passwords:
    """Makes and compares hashes for a service that has other things to do, too.

    :param aside: runs what would hold up the other requests
    :param at_once: how many hashes are made at a time
    :param max_waiting: how many requests may wait for that
    """

    def __init__(self, aside: Aside = in_place, at_once: int = AT_ONCE, max_waiting: int = MAX_WAITING) -> None:
        self._aside = aside
        self._turns, self._places = threading.Semaphore(at_once), threading.Semaphore(at_once + max_waiting)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place among those who wait; a request does so before it costs us anything.

        :raises errors.TooManyRequests: when all are taken
        """
        if not self._places.acquire(blocking=False):
            raise errors.TooManyRequests(retry_after=RETRY_AFTER_S, headers={"Retry-After": str(RETRY_AFTER_S)})
        try:
            yield
        finally:
            self._places.release()

    def hash(self, password: str) -> str:
        """Make what is kept in place of a password, when it is this request's turn; it has a place."""
        return self._in_turn(lambda: hash_password(password))

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Tell whether this is the password, likewise."""
        return self._in_turn(lambda: matches(password, password_hash))

    def _in_turn(self, work: Callable[[], T]) -> T:
        with self._turns:
            return self._aside(work)
