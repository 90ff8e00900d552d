"""What other services tell of servers over HTTP: a port was plugged, a volume grew.

Each is answered as Nova answers it, and logged.  A host may wait for its ports to be plugged, so it is told of that;
the others change nothing in a fake guest.
"""

import logging
from typing import Any

from mininova.api.request import ComputeRequest
from mininova.api.schemas import server_external_events as schemas
from mininova.api.validation import takes
from mininova.db import instance_search
from mininova.db.instance_search import InstanceFilter
from mininova.objects import Instance
from mininova.wsgi import Reply

LOG = logging.getLogger(__name__)

Json = dict[str, Any]

# The events that mean nothing without a tag.
TAGGED = frozenset({"volume-extended", "power-update", "accelerator-request-bound"})


@takes(body=schemas.CREATE)
def create(request: ComputeRequest) -> Reply:
    """Take events of servers; the answer has a code for each, and is 207 unless all are 200."""
    request.require("os-server-external-events:create")
    told: list[Json] = request.document["events"]
    uuids = frozenset(event["server_uuid"] for event in told)
    with request.cloud.db.read() as tx:
        there = {it.uuid: it for it in instance_search.search(tx, InstanceFilter(uuids=uuids))}
    answers = [_answered(event, there.get(event["server_uuid"])) for event in told]
    for event, answer in zip(told, answers, strict=True):
        if answer["code"] == 200:
            request.cloud.questions.external_event(request.context, there[event["server_uuid"]], event)
    is_well = all(answer["code"] == 200 for answer in answers)
    return Reply(200 if is_well else 207, {"events": answers})


def _answered(event: Json, instance: Instance | None) -> Json:
    code = _code(event, instance)
    LOG.info("api answers event %s of %s with %d", event["name"], event["server_uuid"], code)
    return event | {"status": "completed" if code == 200 else "failed", "code": code}


def _code(event: Json, instance: Instance | None) -> int:
    if instance is None:
        return 404
    if event["name"] in TAGGED and "tag" not in event:
        return 400
    return 200 if instance.host else 422
