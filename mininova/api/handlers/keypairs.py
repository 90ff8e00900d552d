"""Keypairs over HTTP: the keys that log a user in to guests; since 2.10 an administrator may manage those of others."""

from typing import Any

from mininova import errors
from mininova.api import keys, quotas
from mininova.api.paging import limit_of, marker_of, next_page
from mininova.api.request import ComputeRequest
from mininova.api.schemas import keypairs as schemas
from mininova.api.validation import takes
from mininova.api.views.keypairs import details_of, show_keypair
from mininova.db import keypairs
from mininova.db.keypairs import Keypair
from mininova.wsgi import Reply

Json = dict[str, Any]

# Instead of a project: a user's keys are the same in all of them, and so is the user's turn to have one more.
KEYS_OF = ""


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List a user's keypairs."""
    user_id, paged = _user_of(request), request.api_version >= (2, 35)
    request.require("os-keypairs:index", user_id=user_id)
    limit = limit_of(request) if paged else request.cloud.conf.api.max_limit
    with request.cloud.db.read() as tx:
        try:
            found = keypairs.search(tx, user_id, limit=limit, marker=marker_of(request) if paged else None)
        except errors.InvalidInput as reason:
            raise errors.InvalidInput(f"Marker {marker_of(request)} could not be found.") from reason
    answer: Json = {"keypairs": [{"keypair": show_keypair(request, keypair)} for keypair in found]}
    if paged and (links := next_page(request, "os-keypairs", found, limit, found[-1].name if found else "")):
        answer["keypairs_links"] = links
    return answer


@takes(query=schemas.SHOW)
def show(request: ComputeRequest, name: str) -> Json:
    """Show one keypair."""
    user_id = _user_of(request)
    request.require("os-keypairs:show", user_id=user_id)
    with request.cloud.db.read() as tx:
        keypair = keypairs.get(tx, user_id, name)
    return {"keypair": show_keypair(request, keypair) | details_of(keypair)}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> Reply:
    """Keep a public key; before 2.92, make a pair of keys when none is given."""
    body = request.body_of("keypair")
    user_id, type = body.get("user_id") or request.context.user_id or "", body.get("type", "ssh")
    request.require("os-keypairs:create", user_id=user_id)
    private_key, public_key = (None, body["public_key"]) if "public_key" in body else keys.generate(type, user_id)
    new = Keypair(
        user_id=user_id,
        name=body["name"].strip(),
        type=type,
        public_key=public_key,
        fingerprint=keys.fingerprint_of(public_key, type),
    )
    with request.cloud.db.write() as tx:
        quotas.take_turn(tx, KEYS_OF, user_id)
        quotas.require_few_keys(tx, request.cloud.conf, request.context, keypairs.count(tx, user_id) + 1)
        keypairs.create(tx, new)
    made = {"private_key": private_key} if private_key else {}
    answer = {"keypair": show_keypair(request, new) | {"user_id": user_id} | made}
    return Reply(201 if request.api_version >= (2, 2) else 200, answer)


@takes(query=schemas.SHOW)
def delete(request: ComputeRequest, name: str) -> Reply:
    """Forget a keypair; guests that were given it keep it."""
    user_id = _user_of(request)
    request.require("os-keypairs:delete", user_id=user_id)
    with request.cloud.db.write() as tx:
        keypairs.delete(tx, user_id, name)
    return Reply(204 if request.api_version >= (2, 2) else 202)


def _user_of(request: ComputeRequest) -> str:
    """Give the owner of the keypairs: the caller, or since 2.10 the user in the query."""
    own = request.context.user_id or ""
    return request.query.get("user_id", own) if request.api_version >= (2, 10) else own
