"""How passwords are kept and compared.

Argon2id with 19 MiB, two passes and one lane: the least that OWASP's cheat sheet on password storage recommends
today, and about 20 ms of one core.  A guesser needs that much memory and time for every guess, while a test run
that logs in nine hundred times spends less than twenty seconds on it.
"""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# What a password is compared with when there is no such user: it takes as long, so the time does not tell who exists.
_NO_USER = _HASHER.hash("no user has this password")


def hash_password(password: str) -> str:
    """Make what is kept in place of a password."""
    return _HASHER.hash(password)


def matches(password: str, password_hash: str | None) -> bool:
    """Tell whether this is the password, in the same time whether it is, is not, or there is none to compare with."""
    try:
        return _HASHER.verify(password_hash or _NO_USER, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
