"""Server groups over HTTP: a server names the group that it is to be a member of when it is made (api/create.py)."""

from typing import Any
from uuid import uuid4

from mininova import errors
from mininova.api import quotas
from mininova.api.paging import limit_of, number
from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_groups as schemas
from mininova.api.validation import takes
from mininova.api.views.server_groups import show_server_group
from mininova.db import server_groups
from mininova.db.server_groups import ANTI_AFFINITY, ServerGroup
from mininova.notifications import events
from mininova.notifications.events import tell_server_group
from mininova.wsgi import Reply
from mininova.wsgi.values import whole

Json = dict[str, Any]


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List a project's server groups, or for administrators those of all projects."""
    request.require("os-server-groups:index")
    of_all = "all_projects" in request.query and request.context.is_admin
    if of_all:
        request.require("os-server-groups:index:all_projects")
    limit, offset = limit_of(request) or request.cloud.conf.api.max_limit, number(request, "offset")
    with request.cloud.db.read() as tx:
        project_id = None if of_all else request.context.project_id
        found = server_groups.search(tx, project_id=project_id, limit=limit, offset=offset)
        members = server_groups.members(tx, [group.uuid for group in found])
    return {"server_groups": [show_server_group(request, group, members[group.uuid]) for group in found]}


def show(request: ComputeRequest, id: str) -> Json:
    """Show one server group."""
    group = _find(request, id, "os-server-groups:show")
    with request.cloud.db.read() as tx:
        members = server_groups.members(tx, [group.uuid])
    return {"server_group": show_server_group(request, group, members[group.uuid])}


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> Json:
    """Make a server group without members."""
    request.require("os-server-groups:create")
    body, ctxt = request.body_of("server_group"), request.context
    policy = body["policy"] if request.api_version >= (2, 64) else body["policies"][0]
    rules = {name: whole(value) for name, value in body.get("rules", {}).items()}
    if rules and policy != ANTI_AFFINITY:
        raise errors.InvalidInput("Only anti-affinity policy supports rules.")
    group = ServerGroup(
        uuid=str(uuid4()),
        name=body["name"],
        project_id=ctxt.project_id or "",
        user_id=ctxt.user_id or "",
        policy=policy,
        rules=rules,
    )
    with request.cloud.db.write() as tx:
        quotas.take_turn(tx, group.project_id)
        server_groups.create(tx, group)
        quotas.require_few_groups(tx, request.cloud.conf, ctxt)
    tell_server_group(request.cloud.notifier, ctxt, events.SERVER_GROUP_CREATE, group.uuid, **_told(group))
    return {"server_group": show_server_group(request, group, [])}


def delete(request: ComputeRequest, id: str) -> Reply:
    """Delete a server group; its servers stay where they are."""
    group = _find(request, id, "os-server-groups:delete")
    with request.cloud.db.write() as tx:
        server_groups.delete(tx, group.uuid)
    tell_server_group(request.cloud.notifier, request.context, events.SERVER_GROUP_DELETE, group.uuid)
    return Reply(204)


def _told(group: ServerGroup) -> Json:
    """Write a new group as Nova's notification has it: with the fields of its object, and numbers as text."""
    rules = {name: str(value) for name, value in group.rules.items()}
    own = {"name": group.name, "project_id": group.project_id, "user_id": group.user_id}
    return {**own, "policy": group.policy, "_rules": rules}


def _find(request: ComputeRequest, id: str, rule: str) -> ServerGroup:
    """Read a group for something that a rule must allow; as in Nova, another project's is 403 and not 404."""
    with request.cloud.db.read() as tx:
        group = server_groups.get(tx, id)
    request.require(rule, project_id=group.project_id)
    return group
