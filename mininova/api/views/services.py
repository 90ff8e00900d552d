"""How a service looks, and whether it is alive."""

from datetime import UTC, datetime
from typing import Any

from mininova.api.request import ComputeRequest
from mininova.api.views.times import bare
from mininova.db import services
from mininova.objects import Service

Json = dict[str, Any]

COMPUTE = "compute"  # the topic of the services that run instances


def show_service(request: ComputeRequest, service: Service) -> Json:
    """Show a service."""
    version = request.api_version
    shown: Json = {
        "id": service.uuid if version >= (2, 53) else service.id,
        "binary": service.binary,
        "host": service.host,
        "zone": service.availability_zone,
        "status": status_of(service),
        "state": "up" if is_up(request, service) else "down",
        "updated_at": bare(service.last_seen_up),
        "disabled_reason": service.disabled_reason,
    }
    return shown | {"forced_down": service.forced_down} if version >= (2, 11) else shown


def status_of(service: Service) -> str:
    """Tell what an operator made of a service."""
    return "disabled" if service.disabled else "enabled"


def is_up(request: ComputeRequest, service: Service) -> bool:
    """Tell whether a service is alive at this moment."""
    return services.is_up(service, datetime.now(UTC), request.cloud.conf.service_down_time)
