"""Roles given to users: in a project, in a domain, in the whole system; and the list of all of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.keystone import roles
from mininova.standins.keystone.authority import Token
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import Domain, Project, Role
from mininova.standins.keystone.db.standing import SYSTEM, Assignment, Scope
from mininova.standins.keystone.handlers import documents
from mininova.standins.keystone.service import Service
from mininova.wsgi import Request


class Grants:
    """Handlers of ``…/users/{user}/roles/…`` below a project, a domain or the system.

    :param kind: which of them; the system has no id in its URL
    """

    def __init__(self, service: Service, kind: str) -> None:
        self._service = service
        self._kind = kind

    def index(self, request: Request, caller: Token, user_id: str, scope_id: str = SYSTEM.id) -> dict[str, Any]:
        """List the roles that a user was given there."""
        scope = Scope(self._kind, scope_id)
        with self._service.db.read() as tx:
            standing.require_scope(tx, scope)
            given = standing.assignments(tx, user_id=user_id, scope=scope)
        return documents.listed(self._service, request, "roles", [one.role for one in given])

    def assign(self, request: Request, caller: Token, user_id: str, role_id: str, scope_id: str = SYSTEM.id) -> None:
        """Give a user a role."""
        with self._service.db.write() as tx:
            standing.assign(tx, user_id, role_id, Scope(self._kind, scope_id))

    def check(self, request: Request, caller: Token, user_id: str, role_id: str, scope_id: str = SYSTEM.id) -> None:
        """Answer 204 when the user was given the role there."""
        with self._service.db.read() as tx:
            _require(standing.is_assigned(tx, user_id, role_id, Scope(self._kind, scope_id)), user_id, role_id)

    def remove(self, request: Request, caller: Token, user_id: str, role_id: str, scope_id: str = SYSTEM.id) -> None:
        """Take a role away; the tokens that have it end."""
        with self._service.db.write() as tx:
            _require(standing.unassign(tx, user_id, role_id, Scope(self._kind, scope_id)), user_id, role_id)


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
            given = standing.assignments(
                tx,
                user_id=asked.get("user.id"),
                role_id=None if effective else asked.get("role.id"),
                scope=_asked_scope(asked),
            )
            if effective:
                given = [one for one in _implied(tx, given) if asked.get("role.id") in (None, one.role.id)]
            names = _names(tx) if _is_true(asked.get("include_names")) else {}
        if "group.id" in asked:  # there are no groups, so nothing was given to one
            given = []
        listed = [self._document(request, one, names) for one in given]
        links = documents.list_links(self._service.link(request, "/role_assignments"))
        return {"role_assignments": listed, "links": links}

    def _document(self, request: Request, given: Assignment, names: Mapping[Scope, dict[str, Any]]) -> dict[str, Any]:
        path = "/system" if given.scope == SYSTEM else f"/{given.scope.kind}s/{given.scope.id}"
        where = {"all": True} if given.scope == SYSTEM else names.get(given.scope, {"id": given.scope.id})
        role: dict[str, Any] = {"id": given.role.id}
        user: dict[str, Any] = {"id": given.user.id}
        if names:
            role["name"] = given.role.name
            user |= {"name": given.user.name, "domain": names[Scope("domain", given.user.domain_id)]}
        return {
            "role": role,
            "user": user,
            "scope": {given.scope.kind: where},
            "links": {"assignment": self._service.link(request, f"{path}/users/{given.user.id}/roles/{given.role.id}")},
        }


def _require(found: bool, user_id: str, role_id: str) -> None:
    if not found:
        raise errors.NotFound(f"Could not find role assignment with role: {role_id}, user: {user_id}.")


def _asked_scope(asked: Mapping[str, str]) -> Scope | None:
    for kind in ("project", "domain"):
        if f"scope.{kind}.id" in asked:
            return Scope(kind, asked[f"scope.{kind}.id"])
    return SYSTEM if "scope.system" in asked else None


def _is_true(text: str | None) -> bool:
    return text is not None and text.lower() not in ("0", "false")


def _implied(tx: Connection, given: list[Assignment]) -> Iterator[Assignment]:
    """Give each assignment, and one more for each role that it implies."""
    known = {role.name: role for role in identity.search(tx, Role)}
    seen = set()
    for one in given:
        for name in roles.expand([one.role.name]):
            if name in known and (one.user.id, one.scope, name) not in seen:
                seen.add((one.user.id, one.scope, name))
                yield Assignment(user=one.user, role=known[name], scope=one.scope)


def _names(tx: Connection) -> dict[Scope, dict[str, Any]]:
    """Say what each domain and each project is called."""
    domains = {domain.id: {"id": domain.id, "name": domain.name} for domain in identity.search(tx, Domain)}
    projects = {
        Scope("project", project.id): {"id": project.id, "name": project.name, "domain": domains[project.domain_id]}
        for project in identity.search(tx, Project)
    }
    return {**projects, **{Scope("domain", id): named for id, named in domains.items()}}
