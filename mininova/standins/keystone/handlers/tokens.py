"""``/v3/auth``: log in for a token, look at one, revoke it, and list what it gives access to."""

from datetime import datetime
from typing import Any

from mininova import errors
from mininova.standins.keystone import catalog, policy, roles
from mininova.standins.keystone.authority import Token
from mininova.standins.keystone.db import identity, standing
from mininova.standins.keystone.db.identity import Domain, Kept, Project, Role
from mininova.standins.keystone.handlers import documents
from mininova.standins.keystone.service import Service
from mininova.wsgi import Reply, Request

SUBJECT = "X-Subject-Token"


class Tokens:
    """Handlers of ``/v3/auth/…``."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def create(self, request: Request) -> Reply:
        """Log in."""
        token = self._service.authenticator.authenticate(request.body_of("auth"))
        return Reply(201, self._body(request, token), {SUBJECT: token.text})

    def show(self, request: Request, caller: Token) -> Reply:
        """Show a token."""
        token = self._subject(request, caller)
        return Reply(200, self._body(request, token), {SUBJECT: token.text})

    def delete(self, request: Request, caller: Token) -> None:
        """Revoke a token."""
        self._service.authority.revoke(self._subject(request, caller))

    def catalog(self, request: Request, caller: Token) -> dict[str, Any]:
        """Give the catalog for the caller's token."""
        project_id = caller.project.id if caller.project else None
        with self._service.db.read() as tx:
            entries = catalog.entries(tx, request.endpoint, project_id)
        return {"catalog": entries, "links": documents.list_links(self._service.link(request, "/auth/catalog"))}

    def projects(self, request: Request, caller: Token) -> dict[str, Any]:
        """List the projects that the caller can get a token for."""
        return self._own(request, caller, Project, "projects")

    def domains(self, request: Request, caller: Token) -> dict[str, Any]:
        """List the domains that the caller can get a token for."""
        return self._own(request, caller, Domain, "domains")

    def system(self, request: Request, caller: Token) -> dict[str, Any]:
        """Tell whether the caller can get a token for the whole system."""
        with self._service.db.read() as tx:
            has_role = bool(standing.scopes_of(tx, caller.user.id, standing.SYSTEM.kind))
        links = documents.list_links(self._service.link(request, "/auth/system"))
        return {"system": [{"all": True}] if has_role else [], "links": links}

    def _own(self, request: Request, caller: Token, kind: type[Kept], collection: str) -> dict[str, Any]:
        with self._service.db.read() as tx:
            ids = standing.scopes_of(tx, caller.user.id, identity.noun(kind))
            found = identity.search(tx, kind, {"enabled": True}, ids=ids)
        return documents.listed(self._service, request, collection, found)

    def _subject(self, request: Request, caller: Token) -> Token:
        """Give the token that is asked about: the caller's own, or any token to a caller who may see others'.

        :raises errors.NotFound: when it does not hold (Keystone's answer; a 401 would be about the caller)
        """
        text = request.headers.get(SUBJECT, "")
        try:
            token = self._service.authority.check(text)
        except errors.Unauthorized as reason:
            raise errors.NotFound("Failed to validate token.") from reason
        trusted = policy.reader(caller, {}) or roles.SERVICE in caller.role_names
        if not trusted and token.user.id != caller.user.id:
            raise errors.NotAllowed("You are not authorized to perform the requested action: identity:validate_token.")
        return token

    def _body(self, request: Request, token: Token) -> dict[str, Any]:
        """Write a token's body, without the catalog where the client asks for that, or where there is none."""
        body = token_document(token)
        if token.claims.scope is not None:
            with self._service.db.read() as tx:
                body["roles"] = _role_documents(token.role_names, identity.search(tx, Role))
                if "nocatalog" not in request.GET:
                    project_id = token.project.id if token.project else None
                    body["catalog"] = catalog.entries(tx, request.endpoint, project_id)
        return {"token": body}


def token_document(token: Token) -> dict[str, Any]:
    """Write down what a token says by itself: whose it is, until when, and what for."""
    document: dict[str, Any] = {
        "methods": list(token.claims.methods),
        "user": {**_named(token.user), "domain": _named(token.user_domain), "password_expires_at": None},
        "audit_ids": token.claims.audit_ids,
        "issued_at": _moment(token.claims.issued_at),
        "expires_at": _moment(token.claims.expires_at),
    }
    if (credential := token.credential) is not None:
        document["application_credential"] = {**_named(credential), "restricted": not credential.unrestricted}
    if token.project is not None and token.project_domain is not None:
        document["project"] = {**_named(token.project), "domain": _named(token.project_domain)}
        document["is_domain"] = False
    elif token.domain is not None:
        document["domain"] = _named(token.domain)
    elif token.is_system:
        document["system"] = {"all": True}
    return document


def _named(thing: Any) -> dict[str, str]:
    return {"id": thing.id, "name": thing.name}


def _role_documents(names: tuple[str, ...], known: list[Role]) -> list[dict[str, str]]:
    """Write the roles down with their ids; an implied role that does not exist is left out."""
    by_name = {role.name: role for role in known}
    return [_named(by_name[name]) for name in names if name in by_name]


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
