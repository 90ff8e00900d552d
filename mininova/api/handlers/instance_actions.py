"""The actions of a server over HTTP: which operations users asked for, and how each ended.

From 2.21 on, those of a deleted server are found, too.
"""

from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.paging import changed_between, limit_of, marker_of, next_page
from mininova.api.request import ComputeRequest
from mininova.api.schemas import instance_actions as schemas
from mininova.api.validation import takes
from mininova.api.views.instance_actions import show_action, show_event
from mininova.db import actions
from mininova.objects import Instance

Json = dict[str, Any]


@takes(query=schemas.LIST_ACTIONS)
def index(request: ComputeRequest, server_id: str) -> Json:
    """List a server's actions, the latest first."""
    instance = _find(request, server_id, "os-instance-actions:list")
    paged = request.api_version >= (2, 58)
    limit = limit_of(request)
    since, before = changed_between(request) if paged else (None, None)
    with request.cloud.db.read() as tx:
        found = actions.search(
            tx,
            instance.uuid,
            limit=limit if paged else None,
            marker=marker_of(request) if paged else None,
            changes_since=since,
            changes_before=before,
        )
    answer: Json = {"instanceActions": [show_action(request, action) for action in found]}
    path = f"servers/{server_id}/os-instance-actions"
    if paged and (links := next_page(request, path, found, limit, found[-1].request_id if found else "")):
        answer["links"] = links
    return answer


def show(request: ComputeRequest, server_id: str, request_id: str) -> Json:
    """Show one action of a server and, if the caller may see them, its events."""
    instance = _find(request, server_id, "os-instance-actions:show")
    with request.cloud.db.read() as tx:
        try:
            action = actions.get(tx, instance.uuid, request_id)
        except errors.ActionNotFound as reason:
            raise errors.NotFound(f"Action {request_id} not found") from reason
    shown = show_action(request, action)
    detailed = request.allows("os-instance-actions:events", project_id=instance.project_id)
    if detailed or request.api_version >= (2, 51):
        shown["events"] = [show_event(request, instance, event, detailed) for event in action.events]
    return {"instanceAction": shown}


def _find(request: ComputeRequest, server_id: str, rule: str) -> Instance:
    return find(request, server_id, rule, deleted=request.api_version >= (2, 21))
