"""A server's NUMA topology over HTTP (2.78): no guest of ours has one."""

from typing import Any

from mininova.api.handlers.servers import find
from mininova.api.request import ComputeRequest


def index(request: ComputeRequest, server_id: str) -> dict[str, Any]:
    """Show a server's NUMA nodes: no guest has any."""
    find(request, server_id, "compute:server:topology:index")
    return {"nodes": [], "pagesize_kb": None}
