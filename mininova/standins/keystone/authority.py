"""The authority on tokens: issues them, tells whether one is valid at this moment, revokes them.

The middleware asks it for every request of every service, the identity service's own handlers for theirs.  It knows
no HTTP.  A token is valid for as long as everything that it says is true: the signature and the expiry are in the
token, the rest is one query (mininova/standins/keystone/db/standing.py), so a role that an administrator takes away is
gone at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from mininova import errors
from mininova.db.session import Connection, Database
from mininova.standins.keystone import roles
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import ApplicationCredential, Domain, Project, Role, User
from mininova.standins.keystone.db.standing import SYSTEM, Scope, Standing
from mininova.standins.keystone.tokens import Claims, Signer, new_audit_id


@dataclass(frozen=True)
class Token:
    """A valid token, with what it stands for.

    :param text: as clients send it
    :param credential: with which it was got, if a program got it
    """

    text: str = field(repr=False)
    claims: Claims
    standing: Standing = field(repr=False)
    credential: ApplicationCredential | None = field(default=None, repr=False)

    @property
    def user(self) -> User:
        """Whose it is."""
        return self.standing.user

    @property
    def user_domain(self) -> Domain:
        """The domain that the user's name is unique in."""
        return self.standing.user_domain

    @property
    def project(self) -> Project | None:
        """The project it is good for, if it is one."""
        return self.standing.project

    @property
    def project_domain(self) -> Domain | None:
        """The domain of that project."""
        return self.standing.domain if self.project is not None else None

    @property
    def domain(self) -> Domain | None:
        """The domain it is good for, if it is one."""
        return self.standing.domain if self.project is None else None

    @property
    def is_system(self) -> bool:
        """Whether it is good for the whole system."""
        return self.claims.scope == SYSTEM

    @property
    def role_names(self) -> tuple[str, ...]:
        """The roles it gives, with those that they imply."""
        return roles.expand(role.name for role in self.standing.roles)

    @property
    def is_admin(self) -> bool:
        """Whether it is an administrator's."""
        return any(role.name == roles.ADMIN for role in self.standing.roles)


def _now() -> float:
    return time.time()


class Authority:
    """Issues, checks and revokes tokens.

    :param expiration: how long a token is good for, in seconds
    :param clock: gives seconds since 1970
    """

    def __init__(self, db: Database, signer: Signer, expiration: int, clock: Callable[[], float] = _now) -> None:
        self._db = db
        self._signer = signer
        self._expiration = expiration
        self._clock = clock

    def issue(
        self,
        user: User,
        scope: Scope | None,
        *,
        methods: tuple[str, ...],
        parent: Token | None = None,
        credential: ApplicationCredential | None = None,
    ) -> Token:
        """Give a token to a user who has proved who they are.

        :param user: as they were when they proved it: a password that was changed since proves nothing
        :param scope: what the token is to be good for; None for nothing in particular
        :param parent: the token it is got with; the new one expires no later
        :param credential: the application credential it is got with, likewise
        :raises errors.Unauthorized: when the user has no role there, or is disabled
        """
        issued = int(self._clock())
        with self._db.read() as tx:
            now = standing.standing(tx, user.id, scope)
            if now is None or not _holds(now, scope) or now.user.token_generation != user.token_generation:
                raise errors.Unauthorized()
            if credential is not None:
                now = _as_far_as(tx, credential, now, issued)
        ends = issued + self._expiration if parent is None else parent.claims.exp
        if credential is not None and credential.expires_at is not None:
            ends = min(ends, int(credential.expires_at.timestamp()))
        claims = Claims(
            sub=user.id,
            jti=new_audit_id(),
            iat=issued,
            exp=ends,
            gen=now.user.token_generation,
            scope=scope,
            roles=tuple(role.id for role in now.roles),
            methods=methods,
            parent=parent.claims.jti if parent is not None else None,
            app=credential.id if credential is not None else None,
        )
        return Token(self._signer.sign(claims), claims, now, credential)

    def check(self, text: str) -> Token:
        """Give what a token stands for, if it is still valid.

        :raises errors.Unauthorized: when it does not; the error does not say why
        """
        claims = self._signer.read(text)
        with self._db.read() as tx:
            now = standing.standing(tx, claims.sub, claims.scope, claims.jti)
            credential = None
            if now is not None and claims.app is not None:
                credential = identity.find(tx, ApplicationCredential, {"id": claims.app})
                now = _as_far_as(tx, credential, now, int(self._clock()))
        if now is None or not _holds(now, claims.scope) or not _is_as_claimed(now, claims):
            raise errors.Unauthorized()
        return Token(text, claims, now, credential)

    def revoke(self, token: Token) -> None:
        """End a token before its time; those that were got with it live on, as Keystone has it."""
        with self._db.write() as tx:
            now = datetime.fromtimestamp(self._clock(), UTC)
            standing.revoke(tx, token.claims.jti, token.claims.expires_at, now)


def _as_far_as(tx: Connection, credential: ApplicationCredential | None, now: Standing, moment: int) -> Standing:
    """Limit a user's rights to the roles that an application credential gives, which the user must still have.

    :raises errors.Unauthorized: when the credential is gone or has expired, or one of its roles was taken away
    """
    if credential is None or (credential.expires_at is not None and credential.expires_at.timestamp() <= moment):
        raise errors.Unauthorized()
    given = identity.search(tx, Role, ids=credential.role_ids)
    held = set(roles.expand(role.name for role in now.roles))
    if len(given) < len(credential.role_ids) or not held.issuperset(role.name for role in given):
        raise errors.Unauthorized()
    return msgspec.structs.replace(now, roles=tuple(given))


def _holds(now: Standing, scope: Scope | None) -> bool:
    """Tell whether a user may act in a scope: both are enabled, and the user has a role there."""
    if not (now.user.enabled and now.user_domain.enabled):
        return False
    if scope is None:
        return True
    enabled = {
        "project": now.project is not None and now.project.enabled and now.domain is not None and now.domain.enabled,
        "domain": now.domain is not None and now.domain.enabled,
        "system": True,
    }
    return enabled[scope.kind] and bool(now.roles)


def _is_as_claimed(now: Standing, claims: Claims) -> bool:
    """Tell whether what a token says is still true; a role that was added since does no harm."""
    held: set[str] = {role.id for role in now.roles}
    return not now.revoked and now.user.token_generation == claims.gen and held.issuperset(claims.roles)
