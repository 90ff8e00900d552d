"""How a server group looks; since 2.64 it has one policy, and rules for it, where it had a list of policies before."""

from collections.abc import Sequence
from typing import Any

from mininova.api.request import ComputeRequest
from mininova.db.server_groups import ServerGroup

Json = dict[str, Any]


def show_server_group(request: ComputeRequest, group: ServerGroup, members: Sequence[str]) -> Json:
    """Show a server group.

    :param members: the uuids of its servers
    """
    version = request.api_version
    shown: Json = {"id": group.uuid, "name": group.name, "members": members}
    if version >= (2, 13):
        shown |= {"project_id": group.project_id, "user_id": group.user_id}
    if version >= (2, 64):
        return shown | {"policy": group.policy, "rules": group.rules}
    return shown | {"policies": [group.policy], "metadata": {}}
