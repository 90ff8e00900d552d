"""Roles given to users and groups: in a project, in a domain, in the whole system; and the list of all of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.keystone import roles
from mininova.standins.keystone.authority import Token
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import Domain, Group, Project, Role, User
from mininova.standins.keystone.db.standing import SYSTEM, Assignment, Holder, Scope
from mininova.standins.keystone.handlers import documents
from mininova.standins.keystone.service import Service
from mininova.wsgi import Request


class Grants:
    """Handlers of ``…/users/{user}/roles/…`` and ``…/groups/{group}/roles/…`` below a project, a domain or the system.

    :param kind: which of them; the system has no id in its URL
    :param to: users, or groups
    """

    def __init__(self, service: Service, kind: str, to: type[Holder]) -> None:
        self._service = service
        self._kind = kind
        self._to = to

    def index(self, request: Request, caller: Token, holder_id: str, scope_id: str = SYSTEM.id) -> dict[str, Any]:
        """List the roles that were given there to a user or a group."""
        scope = Scope(self._kind, scope_id)
        with self._service.db.read() as tx:
            standing.require_scope(tx, scope)
            given = standing.assignments(tx, to=self._to, id=holder_id, scope=scope)
        return documents.listed(self._service, request, "roles", [one.role for one in given])

    def assign(self, request: Request, caller: Token, holder_id: str, role_id: str, scope_id: str = SYSTEM.id) -> None:
        """Give a role."""
        with self._service.db.write() as tx:
            standing.assign(tx, holder_id, role_id, Scope(self._kind, scope_id), to=self._to)

    def check(self, request: Request, caller: Token, holder_id: str, role_id: str, scope_id: str = SYSTEM.id) -> None:
        """Answer 204 when the role was given there."""
        with self._service.db.read() as tx:
            found = standing.is_assigned(tx, holder_id, role_id, Scope(self._kind, scope_id), to=self._to)
        self._require(found, holder_id, role_id)

    def remove(self, request: Request, caller: Token, holder_id: str, role_id: str, scope_id: str = SYSTEM.id) -> None:
        """Take a role away; the tokens that have it end."""
        with self._service.db.write() as tx:
            found = standing.unassign(tx, holder_id, role_id, Scope(self._kind, scope_id), of=self._to)
            self._require(found, holder_id, role_id)

    def _require(self, found: bool, holder_id: str, role_id: str) -> None:
        if not found:
            holder = f"{identity.noun(self._to)}: {holder_id}"
            raise errors.NotFound(f"Could not find role assignment with role: {role_id}, {holder}.")


class Assignments:
    """Handlers of the lists across scopes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def projects(self, request: Request, caller: Token, id: str) -> dict[str, Any]:
        """List the projects that a user has a role in."""
        with self._service.db.read() as tx:
            found = identity.search(tx, Project, ids=standing.scopes_of(tx, id, "project"))
        return documents.listed(self._service, request, "projects", found)

    def index(self, request: Request, caller: Token) -> dict[str, Any]:
        """List who has which role where; ``effective`` adds what the roles imply, ``include_names`` the names."""
        asked = request.GET
        effective = "effective" in asked
        with self._service.db.read() as tx:
            given = [
                one
                for to, others in ((User, Group), (Group, User))
                if effective or f"{identity.noun(others)}.id" not in asked
                for one in standing.assignments(
                    tx,
                    to=to,
                    id=None if effective else asked.get(f"{identity.noun(to)}.id"),
                    role_id=None if effective else asked.get("role.id"),
                    scope=_asked_scope(asked),
                )
            ]
            if effective:
                wanted = asked.get("user.id"), asked.get("role.id")
                given = [
                    one
                    for one in _implied(tx, _of_members(tx, given))
                    if wanted[0] in (None, one.holder.id) and wanted[1] in (None, one.role.id)
                ]
            names = _names(tx) if _is_true(asked.get("include_names")) else {}
        listed = [self._document(request, one, names) for one in given]
        links = documents.list_links(self._service.link(request, "/role_assignments"))
        return {"role_assignments": listed, "links": links}

    def _document(self, request: Request, given: Assignment, names: Mapping[Scope, dict[str, Any]]) -> dict[str, Any]:
        path = "/system" if given.scope == SYSTEM else f"/{given.scope.kind}s/{given.scope.id}"
        where = {"all": True} if given.scope == SYSTEM else names.get(given.scope, {"id": given.scope.id})
        role: dict[str, Any] = {"id": given.role.id}
        holder: dict[str, Any] = {"id": given.holder.id}
        if names:
            role["name"] = given.role.name
            holder |= {"name": given.holder.name, "domain": names[Scope("domain", given.holder.domain_id)]}
        noun = identity.noun(type(given.holder))
        link = f"{path}/{noun}s/{given.holder.id}/roles/{given.role.id}"
        return {
            "role": role,
            noun: holder,
            "scope": {given.scope.kind: where},
            "links": {"assignment": self._service.link(request, link)},
        }


def _asked_scope(asked: Mapping[str, str]) -> Scope | None:
    for kind in ("project", "domain"):
        if f"scope.{kind}.id" in asked:
            return Scope(kind, asked[f"scope.{kind}.id"])
    return SYSTEM if "scope.system" in asked else None


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() not in ("0", "false")


def _of_members(tx: Connection, given: list[Assignment]) -> list[Assignment]:
    """Put the members of each group in its place."""
    members = identity.members_of(tx, {one.holder.id for one in given if isinstance(one.holder, Group)})
    return [
        Assignment(holder=holder, role=one.role, scope=one.scope)
        for one in given
        for holder in (members[one.holder.id] if isinstance(one.holder, Group) else [one.holder])
    ]


def _implied(tx: Connection, given: list[Assignment]) -> Iterator[Assignment]:
    """Give each assignment, and one more for each role that it implies."""
    known = {role.name: role for role in identity.search(tx, Role)}
    seen = set()
    for one in given:
        for name in roles.expand([one.role.name]):
            if name in known and (one.holder.id, one.scope, name) not in seen:
                seen.add((one.holder.id, one.scope, name))
                yield Assignment(holder=one.holder, role=known[name], scope=one.scope)


def _names(tx: Connection) -> dict[Scope, dict[str, Any]]:
    """Say what each domain and each project is called."""
    domains = {domain.id: {"id": domain.id, "name": domain.name} for domain in identity.search(tx, Domain)}
    projects = {
        Scope("project", project.id): {"id": project.id, "name": project.name, "domain": domains[project.domain_id]}
        for project in identity.search(tx, Project)
    }
    return {**projects, **{Scope("domain", id): named for id, named in domains.items()}}
