"""List, show, create, change and delete: the same five for every kind of thing that identity keeps."""

import uuid
from typing import Any, Generic

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.keystone.authority import Token
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import Domain, Group, Kept, Project, User
from mininova.standins.keystone.handlers import documents
from mininova.standins.keystone.kinds import DOMAINS, GROUPS, PROJECTS, USERS, Kind
from mininova.standins.keystone.service import Service
from mininova.wsgi import Reply, Request
from mininova.wsgi.values import whole

_FALSE = frozenset({"0", "false", "f", "no", "n", "off"})


class Resource(Generic[Kept]):
    """Handlers for one kind of thing; what is particular to a kind overrides ``columns`` or ``delete``."""

    def __init__(self, service: Service, kind: Kind[Kept]) -> None:
        self._service = service
        self.kind: Kind[Kept] = kind

    def index(self, request: Request, caller: Token) -> dict[str, Any]:
        """List them, all or page by page."""
        limit = _limit(request)
        wanted = {name: _value(name, request.GET[name]) for name in self.kind.filters if name in request.GET}
        with self._service.db.read() as tx:
            things = identity.search(tx, self.kind.struct, wanted, limit=limit, marker=request.GET.get("marker"))
        return documents.listed(self._service, request, self.kind.collection, things, limit)

    def show(self, request: Request, caller: Token, id: str) -> dict[str, Any]:
        """Show one."""
        with self._service.db.read() as tx:
            thing = identity.get(tx, self.kind.struct, id)
        return self._document(request, thing)

    def create(self, request: Request, caller: Token) -> Reply:
        """Make a new one."""
        body = request.body_of(self.kind.member)
        self.kind.check(body, new=True)
        columns = {"id": uuid.uuid4().hex, **self.columns(body, caller, None)}
        with self._service.db.write() as tx:
            thing = identity.create(tx, self.kind.struct(**columns))
        return Reply(201, self._document(request, thing))

    def update(self, request: Request, caller: Token, id: str) -> dict[str, Any]:
        """Change what the body names."""
        body = request.body_of(self.kind.member)
        self.kind.check(body, new=False)
        with self._service.db.read() as tx:
            present = identity.get(tx, self.kind.struct, id)
        columns = self.columns(body, caller, present)
        with self._service.db.write() as tx:
            thing = identity.update(tx, self.kind.struct, id, **columns)
            self.changed(tx, thing, columns)
        return self._document(request, thing)

    def delete(self, request: Request, caller: Token, id: str) -> None:
        """Delete one."""
        with self._service.db.write() as tx:
            identity.delete(tx, self.kind.struct, id)

    def columns(self, body: dict[str, Any], caller: Token, present: Kept | None) -> dict[str, Any]:
        """Turn a body that was checked into columns.

        :param present: what is changed; None for a new one
        """
        said = {name: value for name, value in body.items() if name not in self.kind.ignored}
        columns = {name: value for name, value in said.items() if name in self.kind.fields}
        if self.kind.has_extra:
            columns["extra"] = {**getattr(present, "extra", {}), **{k: v for k, v in said.items() if k not in columns}}
        return columns

    def changed(self, tx: Connection, thing: Kept, columns: dict[str, Any]) -> None:
        """Do what follows from a change, in the same transaction."""

    def _document(self, request: Request, thing: Kept) -> dict[str, Any]:
        return {self.kind.member: documents.document(self._service, request, self.kind.collection, thing)}


class Domains(Resource[Domain]):
    """Domains: deleting one deletes its users and projects, so it must be disabled first."""

    def __init__(self, service: Service) -> None:
        super().__init__(service, DOMAINS)

    def delete(self, request: Request, caller: Token, id: str) -> None:
        """Delete a disabled domain and all that is in it."""
        with self._service.db.write() as tx:
            if identity.get(tx, Domain, id).enabled:
                raise errors.NotAllowed("Cannot delete a domain that is enabled, please disable it first.")
            identity.delete(tx, Domain, id)


class _InDomain(Resource[Kept]):
    """Things in a domain: the caller's domain, where none is named; they cannot move to another."""

    def columns(self, body: dict[str, Any], caller: Token, present: Kept | None) -> dict[str, Any]:
        """Add the domain to the columns of a new one."""
        columns = super().columns(body, caller, present)
        domain_id = columns.pop("domain_id", None)
        if present is None:
            columns["domain_id"] = domain_id or (caller.standing.domain or caller.user_domain).id
        elif domain_id not in (None, getattr(present, "domain_id", None)):
            raise errors.InvalidInput(f"Invalid input for field 'domain_id': a {self.kind.member} stays in its domain.")
        return columns


class Projects(_InDomain[Project]):
    """Projects: a flat list in each domain."""

    def __init__(self, service: Service) -> None:
        super().__init__(service, PROJECTS)

    def columns(self, body: dict[str, Any], caller: Token, present: Project | None) -> dict[str, Any]:
        """Refuse a project inside another one."""
        columns = super().columns(body, caller, present)
        domain_id = present.domain_id if present is not None else columns["domain_id"]
        if body.get("parent_id") not in (None, domain_id):
            raise errors.InvalidInput("Invalid input for field 'parent_id': projects are not nested here.")
        return columns


class Groups(_InDomain[Group]):
    """Groups, and which users are in which: a member has each role of the group."""

    def __init__(self, service: Service) -> None:
        super().__init__(service, GROUPS)

    def members(self, request: Request, caller: Token, id: str) -> dict[str, Any]:
        """List the members of a group."""
        with self._service.db.read() as tx:
            identity.get(tx, Group, id)
            found = identity.members_of(tx, [id])[id]
        return documents.listed(self._service, request, "users", found)

    def of_user(self, request: Request, caller: Token, id: str) -> dict[str, Any]:
        """List the groups that a user is in."""
        with self._service.db.read() as tx:
            identity.get(tx, User, id)
            found = identity.search(tx, Group, ids=identity.groups_of(tx, id))
        return documents.listed(self._service, request, "groups", found)

    def check(self, request: Request, caller: Token, id: str, user_id: str) -> None:
        """Answer 204 when a user is in a group."""
        with self._service.db.read() as tx:
            _require_member(id in identity.groups_of(tx, user_id), user_id, id)

    def join(self, request: Request, caller: Token, id: str, user_id: str) -> None:
        """Make a user a member of a group."""
        with self._service.db.write() as tx:
            identity.join(tx, user_id, id)

    def leave(self, request: Request, caller: Token, id: str, user_id: str) -> None:
        """Take a user out of a group; the tokens with the group's roles end."""
        with self._service.db.write() as tx:
            _require_member(identity.leave(tx, user_id, id), user_id, id)


class Users(_InDomain[User]):
    """Users: a new password ends every token of the user, and so does disabling the user."""

    def __init__(self, service: Service) -> None:
        super().__init__(service, USERS)

    def columns(self, body: dict[str, Any], caller: Token, present: User | None) -> dict[str, Any]:
        """Keep a hash in place of the password."""
        columns = super().columns(body, caller, present)
        if "password" in columns:
            password = columns.pop("password")
            columns["password_hash"] = None if password is None else self._hash(password)
        return columns

    def _hash(self, password: str) -> str:
        with self._service.passwords.place():
            return self._service.passwords.hash(password)

    def changed(self, tx: Connection, thing: User, columns: dict[str, Any]) -> None:
        """End the user's tokens where the change calls for it."""
        if "password_hash" in columns or not thing.enabled:
            identity.end_tokens(tx, thing.id)

    def set_password(self, request: Request, id: str) -> None:
        """Change one's own password, proving to know the present one."""
        body = request.body_of("user")
        self.kind.check(body, new=False)
        with self._service.db.read() as tx:
            user = identity.find(tx, User, {"id": id})
        original, new = body.get("original_password"), body.get("password")
        if not isinstance(original, str) or not isinstance(new, str):
            raise errors.InvalidInput("Invalid input for user: original_password and password must be strings.")
        with self._service.passwords.place():
            known = self._service.passwords.matches(original, user.password_hash if user else None)
        if not known or not (user and user.enabled):
            raise errors.Unauthorized()
        password_hash = self._hash(new)
        with self._service.db.write() as tx:
            identity.update(tx, User, id, password_hash=password_hash)
            identity.end_tokens(tx, id)


def _require_member(found: bool, user_id: str, group_id: str) -> None:
    if not found:
        raise errors.NotFound(f"User {user_id} not found in group {group_id}.")


def _value(name: str, text: str) -> Any:
    return text.lower() not in _FALSE if name == "enabled" else text


def _limit(request: Request) -> int | None:
    text = request.GET.get("limit")
    if text is None:
        return None
    try:
        limit = whole(text)
    except ValueError:
        limit = 0
    if limit < 1:
        raise errors.InvalidInput(f"Invalid input for limit: {text!r} is not a positive number.")
    return limit
