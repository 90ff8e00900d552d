"""How passwords are kept and compared.

Argon2id with 19 MiB, two passes and one lane: the least that OWASP's cheat sheet on password storage recommends
today, and about 20 ms of one core.  A guesser needs that much memory and time for every guess, while a test run
that logs in nine hundred times spends less than twenty seconds on it.  A cloud that keeps no secret, as mininova-cloud,
takes less memory, and no time ([identity] password_hash_memory).

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

MEMORY_KIB = 19 * 1024  # of one hash


def _give_memory_back() -> None:
    """Have the 19 MiB of a hash go back to the system; glibc would keep them for each thread that ever made one."""
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_MMAP_THRESHOLD, GIVEN_BACK_FROM_BYTES)


_give_memory_back()


def _hasher(memory_kib: int) -> PasswordHasher:
    return PasswordHasher(time_cost=2, memory_cost=memory_kib, parallelism=1)


def hash_password(password: str, memory_kib: int = MEMORY_KIB) -> str:
    """Make what is kept in place of a password."""
    return _hasher(memory_kib).hash(password)


def matches(password: str, password_hash: str | None, memory_kib: int = MEMORY_KIB) -> bool:
    """Tell whether this is the password, in the same time whether it is, is not, or there is none to compare with."""
    hasher = _hasher(memory_kib)
    try:
        return hasher.verify(password_hash or _no_user(hasher), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _no_user(hasher: PasswordHasher) -> str:
    """Give what a password is compared with when there is no such user: it takes as long, so the time does not tell."""
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${'A' * 22}${'A' * 43}"


class Passwords:
    """Makes and compares hashes for a service that has other things to do, too.

    :param aside: runs what would hold up the other requests
    :param at_once: how many hashes are made at a time
    :param max_waiting: how many requests may wait for that
    :param memory_kib: of one hash
    """

    def __init__(
        self,
        aside: Aside = in_place,
        at_once: int = AT_ONCE,
        max_waiting: int = MAX_WAITING,
        memory_kib: int = MEMORY_KIB,
    ) -> None:
        self._aside, self._memory_kib = aside, memory_kib
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
        return self._in_turn(lambda: hash_password(password, self._memory_kib))

    def matches(self, password: str, password_hash: str | None) -> bool:
        """Tell whether this is the password, likewise."""
        return self._in_turn(lambda: matches(password, password_hash, self._memory_kib))

    def _in_turn(self, work: Callable[[], T]) -> T:
        with self._turns:
            return self._aside(work)
