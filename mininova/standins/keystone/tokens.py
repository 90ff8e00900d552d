"""What a token is: signed claims, which a process with the key can read without asking another.

A token (a JWT, HS256) says who logged in, to which scope, with which roles, and until when.  Whether that is still true
is not known here: mininova/standins/keystone/authority.py compares it with the database.
"""

import os
import secrets
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import jwt
import msgspec
from jwt.types import Options

from mininova import errors
from mininova.standins.keystone.db.standing import Scope

ALGORITHM = "HS256"
MIN_KEY_BYTES = 32  # RFC 7518, section 3.2

# What PyJWT looks at.  "iat" is no reason to refuse: clocks of two machines differ, and "exp" is what protects; it is
# looked at each time that a token is read, when its signature is long known to be good.
_CHECKS: Options = {"require": ["sub", "jti", "iat", "exp"], "verify_iat": False, "verify_exp": False}
MOST_KNOWN = 1024  # tokens whose signature is remembered; a client sends its own with every request


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says; the short names are JWT's and keep the header that carries it small.

    :param sub: the user's id
    :param jti: the audit id, by which the token can be revoked
    :param iat: when it was issued, in seconds since 1970
    :param exp: when it expires
    :param gen: the user's token generation when it was issued
    :param scope: kind and id of what it is good for; None is an unscoped token
    :param roles: the ids of the roles that were assigned to the user there
    :param methods: how the user proved to be who they are
    :param parent: the audit id of the token that this one was got with
    :param app: the id of the application credential that it was got with
    """

    sub: str
    jti: str
    iat: int
    exp: int
    gen: int
    scope: Scope | None = None
    roles: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("password",)
    parent: str | None = None
    app: str | None = None

    @property
    def issued_at(self) -> datetime:
        """When it was issued."""
        return datetime.fromtimestamp(self.iat, UTC)

    @property
    def expires_at(self) -> datetime:
        """When it expires."""
        return datetime.fromtimestamp(self.exp, UTC)

    @property
    def audit_ids(self) -> list[str]:
        """Its own audit id, and that of the token it was got with."""
        return [self.jti] if self.parent is None else [self.jti, self.parent]


class Signer:
    """Signs claims, and reads those that it signed.

    :param key: signs; with it any token can be made
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._verified = lru_cache(MOST_KNOWN)(self._verify)

    def sign(self, claims: Claims) -> str:
        """Make a token of claims."""
        return jwt.encode(msgspec.to_builtins(claims), self._key, ALGORITHM)

    def read(self, token: str) -> Claims:
        """Give the claims of a token that is ours and has not expired.

        :raises errors.Unauthorized: when it is not; the error does not say why
        """
        claims = self._verified(token)
        if claims.exp <= time.time():
            raise errors.Unauthorized()
        return claims

    def _verify(self, token: str) -> Claims:
        try:
            return msgspec.convert(jwt.decode(token, self._key, [ALGORITHM], options=_CHECKS), Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, UnicodeError) as reason:
            raise errors.Unauthorized() from reason


def new_audit_id() -> str:
    """Make an audit id: enough to name a token in a log, nothing to use it with."""
    return secrets.token_urlsafe(16)


def make_key(path: str | Path) -> bytes:
    """Give the key in a file; make the file, for its owner's eyes only, when it is not there.

    Two processes may try at once: one of them makes it, both get the same key.
    """
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(MIN_KEY_BYTES).encode())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return read_key(path)


def read_key(path: str | Path) -> bytes:
    """Give the key in a file.

    :raises errors.ConfigError: when there is none, or it is too short to be one
    """
    try:
        key = Path(path).read_bytes().strip()
    except OSError as reason:
        problem = f"{path} cannot be read ({reason.strerror}). Run: mininova-manage bootstrap"
        raise errors.ConfigError(problem=f"[identity] token_key_file: {problem}") from reason
    if len(key) < MIN_KEY_BYTES:
        problem = f"{path} holds no key of {MIN_KEY_BYTES} bytes or more."
        raise errors.ConfigError(problem=f"[identity] token_key_file: {problem}")
    return key
