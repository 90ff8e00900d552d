"""Availability zones over HTTP: users choose one for a server, and administrators see the hosts in each.

Each service reports its zone; the services in the zone ``internal`` run no instances.
"""

from collections.abc import Iterable
from typing import Any

from mininova.api.handlers.services import listed
from mininova.api.request import ComputeRequest
from mininova.api.views.services import COMPUTE, is_up
from mininova.api.views.times import bare
from mininova.objects import Service

Json = dict[str, Any]


def index(request: ComputeRequest) -> Json:
    """List the zones that instances can be in."""
    request.require("os-availability-zone:list")
    zones = _by_zone(service for service in _services(request) if service.topic == COMPUTE)
    return {"availabilityZoneInfo": [_zone(name, found, hosts=None) for name, found in zones.items()]}


def detail(request: ComputeRequest) -> Json:
    """List all zones with their hosts and services."""
    request.require("os-availability-zone:detail")
    zones = _by_zone(_services(request))
    return {"availabilityZoneInfo": [_zone(name, found, hosts=_hosts(request, found)) for name, found in zones.items()]}


def _services(request: ComputeRequest) -> list[Service]:
    with request.cloud.db.read() as tx:
        return listed(tx)


def _by_zone(found: Iterable[Service]) -> dict[str, list[Service]]:
    zones: dict[str, list[Service]] = {}
    for service in found:
        zones.setdefault(service.availability_zone, []).append(service)
    return dict(sorted(zones.items()))


def _zone(name: str, found: Iterable[Service], hosts: Json | None) -> Json:
    """Show a zone: it is available when one of its services is enabled."""
    available = any(not service.disabled for service in found)
    return {"zoneName": name, "zoneState": {"available": available}, "hosts": hosts}


def _hosts(request: ComputeRequest, found: Iterable[Service]) -> Json:
    hosts: Json = {}
    for service in found:
        hosts.setdefault(service.host, {})[service.binary] = {
            "available": is_up(request, service),
            "active": not service.disabled,
            "updated_at": bare(service.last_seen_up),
        }
    return hosts
