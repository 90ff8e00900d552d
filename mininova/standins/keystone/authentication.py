"""From the body of ``POST /v3/auth/tokens`` to a token: who asks, how they prove it, what they want it for.

The handler of tokens calls this.  A wrong proof of any kind gets the same answer, after the same time, so that a caller
cannot find out which users exist; a request of the wrong form gets an answer that says what is wrong.
"""

from typing import Any, Literal, TypeVar

import msgspec

from mininova import errors
from mininova.db.session import Connection, Database
from mininova.standins.keystone.authority import Authority, Token
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import ApplicationCredential, Domain, Project, User
from mininova.standins.keystone.db.standing import SYSTEM, Scope
from mininova.standins.keystone.passwords import Passwords

T = TypeVar("T")

APPLICATION_CREDENTIAL = "application_credential"  # a method, which is used alone

# ---- the form of the request (the Identity API's, "Authentication and token management")


class DomainRef(msgspec.Struct, omit_defaults=True):
    """A domain, by id or by name."""

    id: str | None = None
    name: str | None = None


class ProjectRef(msgspec.Struct):
    """A project, by id, or by name and domain."""

    id: str | None = None
    name: str | None = None
    domain: DomainRef | None = None


class UserRef(ProjectRef):
    """A user, likewise, and the password."""

    password: str = ""


class PasswordProof(msgspec.Struct):
    """What the method ``password`` takes."""

    user: UserRef


class TokenProof(msgspec.Struct):
    """What the method ``token`` takes."""

    id: str


class CredentialProof(msgspec.Struct):
    """An application credential, by id, or by name and whose it is; and its secret."""

    id: str | None = None
    name: str | None = None
    user: UserRef | None = None
    secret: str = ""


class Proofs(msgspec.Struct):
    """Who asks, and what proves it."""

    methods: list[str]
    password: PasswordProof | None = None
    token: TokenProof | None = None
    application_credential: CredentialProof | None = None


class SystemRef(msgspec.Struct):
    """The whole system."""

    all: Literal[True]


class ScopeRef(msgspec.Struct):
    """What the token is to be good for: one of these."""

    project: ProjectRef | None = None
    domain: DomainRef | None = None
    system: SystemRef | None = None
    unscoped: dict[str, Any] | None = None


class Auth(msgspec.Struct):
    """The whole body."""

    identity: Proofs
    scope: ScopeRef | Literal["unscoped"] | None = None


# ---- what is done with it


class Authenticator:
    """Logs users in."""

    def __init__(self, db: Database, authority: Authority, passwords: Passwords) -> None:
        self._db = db
        self._authority = authority
        self._passwords = passwords

    def authenticate(self, body: dict[str, Any]) -> Token:
        """Give a token to a caller who proves to be a user.

        :param body: what is under ``auth`` in the request
        :raises errors.InvalidInput: when the request has no such form
        :raises errors.Unauthorized: when it proves nothing, or the user has no role in the scope
        :raises errors.TooManyRequests: when too many log in at once
        """
        try:
            auth = msgspec.convert(body, Auth)
        except msgspec.ValidationError as reason:
            raise errors.InvalidInput(f"Invalid input for auth: {reason}") from reason
        if auth.identity.methods == [APPLICATION_CREDENTIAL]:
            return self._issue_to_program(auth)
        parent, user = self._prove(auth.identity)
        methods = tuple(dict.fromkeys((*(parent.claims.methods if parent else ()), *auth.identity.methods)))
        if auth.scope is None:
            return self._issue_default(user, methods, parent)
        return self._authority.issue(user, self._scope(auth.scope), methods=methods, parent=parent)

    def _prove(self, proofs: Proofs) -> tuple[Token | None, User]:
        """Check every proof; they must all be of the same user."""
        if not proofs.methods or not {"password", "token"}.issuperset(proofs.methods):
            raise errors.Unauthorized("Attempted to authenticate with an unsupported method.")
        parent: Token | None = None
        proven: list[User] = []
        if "token" in proofs.methods:
            parent = self._authority.check(_given(proofs.token, "identity.token").id)
            if parent.credential is not None:
                raise errors.Unauthorized("The token of an application credential gives no other token.")
            proven.append(parent.user)
        if "password" in proofs.methods:
            proven.append(self._check_password(_given(proofs.password, "identity.password").user))
        if len({user.id for user in proven}) != 1:
            raise errors.Unauthorized()
        return parent, proven[0]

    def _check_password(self, ref: UserRef) -> User:
        with self._passwords.place():
            with self._db.read() as tx:
                user = self._user(tx, ref)
            if not self._passwords.matches(ref.password, user.password_hash if user else None) or user is None:
                raise errors.Unauthorized()
        return user

    def _issue_to_program(self, auth: Auth) -> Token:
        """Give a token for the project and the roles of an application credential, which asks for no scope."""
        if auth.scope is not None:
            raise errors.Unauthorized("Application credentials cannot request a scope.")
        ref = _given(auth.identity.application_credential, "identity.application_credential")
        with self._passwords.place():
            with self._db.read() as tx:
                credential = self._credential(tx, ref)
                user = identity.find(tx, User, {"id": credential.user_id}) if credential else None
            is_right = self._passwords.matches(ref.secret, credential.secret_hash if credential else None)
            if not is_right or credential is None or user is None:
                raise errors.Unauthorized()
        scope = Scope("project", credential.project_id)
        return self._authority.issue(user, scope, methods=(APPLICATION_CREDENTIAL,), credential=credential)

    def _credential(self, tx: Connection, ref: CredentialProof) -> ApplicationCredential | None:
        if ref.id is not None:
            return identity.find(tx, ApplicationCredential, {"id": ref.id})
        name = _given(ref.name, "application_credential.name")
        user = self._user(tx, _given(ref.user, "application_credential.user"))
        return identity.find(tx, ApplicationCredential, {"name": name, "user_id": user.id}) if user else None

    def _user(self, tx: Connection, ref: UserRef) -> User | None:
        if ref.id is not None:
            return identity.find(tx, User, {"id": ref.id})
        return identity.find(tx, User, {"name": _given(ref.name, "user.name")}, _domain(ref.domain, "user.domain"))

    def _scope(self, ref: ScopeRef | Literal["unscoped"]) -> Scope | None:
        if ref == "unscoped" or ref.unscoped is not None:
            return None
        if [ref.project, ref.domain, ref.system].count(None) != 2:
            raise errors.InvalidInput("Invalid input for auth: name one scope: project, domain, system or unscoped.")
        if ref.system is not None:
            return SYSTEM
        with self._db.read() as tx:
            found = _find_project(tx, ref.project) if ref.project is not None else _find_domain(tx, ref.domain)
        if found is None:
            raise errors.Unauthorized()
        return found

    def _issue_default(self, user: User, methods: tuple[str, ...], parent: Token | None) -> Token:
        """Issue for the user's default project, or an unscoped token when they have no role there (any more)."""
        if user.default_project_id is not None:
            try:
                scope = Scope("project", user.default_project_id)
                return self._authority.issue(user, scope, methods=methods, parent=parent)
            except errors.Unauthorized:
                pass
        return self._authority.issue(user, None, methods=methods, parent=parent)


def _find_project(tx: Connection, ref: ProjectRef) -> Scope | None:
    if ref.id is not None:
        return Scope("project", ref.id)
    name, domain = _given(ref.name, "scope.project.name"), _domain(ref.domain, "scope.project.domain")
    project = identity.find(tx, Project, {"name": name}, domain)
    return Scope("project", project.id) if project is not None else None


def _find_domain(tx: Connection, ref: DomainRef | None) -> Scope | None:
    domain = identity.find(tx, Domain, _domain(ref, "scope.domain"))
    return Scope("domain", domain.id) if domain is not None else None


def _domain(ref: DomainRef | None, where: str) -> dict[str, str]:
    keys: dict[str, str] = msgspec.to_builtins(_given(ref, where))
    if not keys:
        raise errors.InvalidInput(f"Invalid input for auth: {where} names neither an id nor a name.")
    return keys


def _given(value: T | None, where: str) -> T:
    if value is None:
        raise errors.InvalidInput(f"Invalid input for auth: {where} is missing.")
    return value
