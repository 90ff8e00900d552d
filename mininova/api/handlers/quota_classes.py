"""The limits of a class over HTTP, for administrators: those of ``default`` hold where a project has none of its own.

Limits can be set for classes of other names, too, as in Nova; nothing reads them but this.
"""

from typing import Any

from mininova import errors
from mininova.api import quotas
from mininova.api.request import ComputeRequest
from mininova.api.schemas import quotas as schemas
from mininova.api.validation import takes
from mininova.db import quotas as recorded

Json = dict[str, Any]

MAX_NAME = 255


def show(request: ComputeRequest, id: str) -> Json:
    """Show the limits of a class."""
    request.require("os-quota-class-sets:show")
    with request.cloud.db.read() as tx:
        limits = recorded.of_class(tx, id)
    return {"quota_class_set": {"id": id, **_shown(request, limits)}}


@takes(body=schemas.UPDATE_CLASS)
def update(request: ComputeRequest, id: str) -> Json:
    """Set limits of a class."""
    request.require("os-quota-class-sets:update")
    if len(id) > MAX_NAME:
        raise errors.InvalidInput(f"quota_class_name has {len(id)} characters, more than {MAX_NAME}.")
    wanted = {name: int(limit) for name, limit in request.body_of("quota_class_set").items()}
    with request.cloud.db.write() as tx:
        recorded.record_class(tx, id, wanted)
        limits = recorded.of_class(tx, id)
    return {"quota_class_set": _shown(request, limits)}


def _shown(request: ComputeRequest, of_class: dict[str, int]) -> dict[str, int]:
    """Give what a microversion has; before 2.50 that was all but the server groups, although they could be set."""
    names = set(schemas.UPDATE_CLASS.schema(request.api_version)["properties"]["quota_class_set"]["properties"])
    if request.api_version < (2, 50):
        names -= {"server_groups", "server_group_members"}
    return {name: limit for name, limit in quotas.defaults(request.cloud.conf, of_class).items() if name in names}
