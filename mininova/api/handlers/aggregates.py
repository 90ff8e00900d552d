"""Host aggregates over HTTP: there are none, and the list says so; ``openstack hypervisor show`` asks for it."""

from typing import Any

from mininova.api.request import ComputeRequest


def index(request: ComputeRequest) -> dict[str, Any]:
    """List host aggregates: there are none."""
    request.require("os-aggregates:index")
    return {"aggregates": []}
