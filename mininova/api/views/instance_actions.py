"""How an action of a server looks, and each of its events."""

from typing import Any

from mininova.api.request import ComputeRequest
from mininova.api.views.servers import host_id
from mininova.api.views.times import bare
from mininova.db.actions import Action, ActionEvent
from mininova.objects import Instance

Json = dict[str, Any]


def show_action(request: ComputeRequest, action: Action) -> Json:
    """Show an action without its events."""
    shown: Json = {
        "action": action.action,
        "instance_uuid": action.instance_uuid,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": bare(action.start_time),
        "message": action.message,
    }
    return shown | {"updated_at": bare(action.updated_at)} if request.api_version >= (2, 58) else shown


def show_event(request: ComputeRequest, instance: Instance, event: ActionEvent, detailed: bool) -> Json:
    """Show one event.

    :param detailed: whether the caller may see what only operators understand
    """
    version = request.api_version
    shown: Json = {
        "event": event.event,
        "start_time": bare(event.start_time),
        "finish_time": bare(event.finish_time),
        "result": event.result,
    }
    if detailed:
        shown["traceback"] = event.traceback
    if version >= (2, 62):
        shown["hostId"] = host_id(instance.project_id, event.host)
        if detailed and event.host is not None:
            shown["host"] = event.host
    if version >= (2, 84) and request.allows("os-instance-actions:events:details", project_id=instance.project_id):
        shown["details"] = event.traceback
    return shown
