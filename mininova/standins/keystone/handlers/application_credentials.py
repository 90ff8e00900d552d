"""Application credentials: with one a program logs in as its user, in one project, with some of the user's roles.

The secret is shown once, when it is made; what is kept is its hash.  A token that was got with a credential may make
and delete others only if that credential is unrestricted.
"""

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator

from mininova import errors
from mininova.db.session import Connection
from mininova.standins.keystone import roles
from mininova.standins.keystone.authority import Token
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import ApplicationCredential, Role
from mininova.standins.keystone.handlers import documents
from mininova.standins.keystone.kinds import require_form
from mininova.standins.keystone.service import Service
from mininova.wsgi import Reply, Request

_WANTED = Draft202012Validator(
    {
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": {"type": ["string", "null"]},
            "secret": {"type": ["string", "null"], "minLength": 1, "maxLength": 4096},
            "expires_at": {"type": ["string", "null"]},
            "unrestricted": {"type": ["boolean", "null"]},
            "roles": {
                "type": "array",
                "items": {
                    "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
                    "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
                },
            },
            "access_rules": {"type": ["array", "null"], "maxItems": 0},  # we know none
        },
        "required": ["name"],
    }
)


class ApplicationCredentials:
    """Handlers of ``/v3/users/{user}/application_credentials``."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def index(self, request: Request, caller: Token, id: str) -> dict[str, Any]:
        """List those of a user."""
        wanted = {"user_id": id, **{name: request.GET[name] for name in ("name",) if name in request.GET}}
        with self._service.db.read() as tx:
            known = _roles(tx)
            found = [self._document(request, one, known) for one in identity.search(tx, ApplicationCredential, wanted)]
        here = self._service.link(request, f"/users/{id}/application_credentials")
        return {"application_credentials": found, "links": documents.list_links(here)}

    def show(self, request: Request, caller: Token, id: str, credential_id: str) -> dict[str, Any]:
        """Show one, without its secret."""
        with self._service.db.read() as tx:
            credential = _of(tx, id, credential_id)
            return {"application_credential": self._document(request, credential, _roles(tx))}

    def create(self, request: Request, caller: Token, id: str) -> Reply:
        """Make one for the project of the caller's token, and show its secret this once."""
        body = request.body_of("application_credential")
        require_form(body, _WANTED)
        _require_free(caller)
        if caller.project is None:
            raise errors.InvalidInput("An application credential is for one project: ask with a token for it.")
        secret, expires_at = body.get("secret") or secrets.token_urlsafe(64), _moment(body.get("expires_at"))
        with self._service.passwords.place():
            secret_hash = self._service.passwords.hash(secret)
        with self._service.db.write() as tx:
            wanted = ApplicationCredential(
                id=uuid.uuid4().hex,
                user_id=id,
                project_id=caller.project.id,
                name=body["name"],
                description=body.get("description"),
                secret_hash=secret_hash,
                role_ids=_role_ids(tx, body.get("roles"), caller),
                expires_at=expires_at,
                unrestricted=bool(body.get("unrestricted")),
            )
            document = self._document(request, identity.create(tx, wanted), _roles(tx))
        return Reply(201, {"application_credential": {**document, "secret": secret}})

    def delete(self, request: Request, caller: Token, id: str, credential_id: str) -> None:
        """Delete one; the tokens that were got with it end."""
        _require_free(caller)
        with self._service.db.write() as tx:
            identity.delete(tx, ApplicationCredential, _of(tx, id, credential_id).id)

    def _document(self, request: Request, one: ApplicationCredential, known: list[Role]) -> dict[str, Any]:
        given = [role for role in known if role.id in one.role_ids]
        return {
            "id": one.id,
            "name": one.name,
            "description": one.description,
            "user_id": one.user_id,
            "project_id": one.project_id,
            "roles": [{"id": role.id, "name": role.name, "domain_id": None} for role in given],
            "expires_at": one.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%f") if one.expires_at else None,
            "unrestricted": one.unrestricted,
            "links": {"self": self._service.link(request, f"/users/{one.user_id}/application_credentials/{one.id}")},
        }


def _of(tx: Connection, user_id: str, id: str) -> ApplicationCredential:
    credential = identity.find(tx, ApplicationCredential, {"id": id, "user_id": user_id})
    if credential is None:
        raise errors.NotFound(f"Could not find Application Credential: {id}.")
    return credential


def _roles(tx: Connection) -> list[Role]:
    return identity.search(tx, Role)


def _require_free(caller: Token) -> None:
    """Refuse the token of a restricted credential."""
    if caller.credential is not None and not caller.credential.unrestricted:
        raise errors.NotAllowed(
            "Using method 'application_credential' is not allowed for managing additional application credentials."
        )


def _role_ids(tx: Connection, wanted: list[dict[str, str]] | None, caller: Token) -> tuple[str, ...]:
    """Find the roles that a credential is to give: all of the caller's, or those that the caller names and has."""
    if not wanted:
        return tuple(role.id for role in caller.standing.roles)
    held, found = set(roles.expand(role.name for role in caller.standing.roles)), list[str]()
    for ref in wanted:
        role = identity.find(tx, Role, {name: ref[name] for name in ("id", "name") if name in ref})
        if role is None or role.name not in held:
            said = ref.get("id") or ref.get("name")
            raise errors.InvalidInput(
                f"Invalid application credential: Could not find role assignment with role: {said}, "
                f"user or group: {caller.user.id}."
            )
        found.append(role.id)
    return tuple(dict.fromkeys(found))


def _moment(text: str | None) -> datetime | None:
    """Read when a credential is to expire, in UTC where it does not say."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise errors.InvalidInput(f"Invalid input for field 'expires_at': {text!r} is not a time.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        raise errors.InvalidInput(f"Invalid input for field 'expires_at': {text!r} is over.")
    return moment
