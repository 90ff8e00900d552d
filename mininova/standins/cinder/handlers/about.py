"""What describes the volume service: limits, quotas, services, its zone, its pool, and what there is none of."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mininova import errors
from mininova.standins.cinder import policy, quotas, schemas
from mininova.standins.cinder.db import things
from mininova.standins.cinder.documents import BACKEND, ZONE, Json, when
from mininova.standins.cinder.query import flag
from mininova.standins.cinder.schemas import checked
from mininova.standins.cinder.service import Service
from mininova.wsgi import Request, Route

#: Lists that clients ask for, and that have nothing in them: path → its key in the answer.
EMPTY = {
    "backups": "backups",
    "backups/detail": "backups",
    "extensions": "extensions",
    "groups": "groups",
    "groups/detail": "groups",
    "group_types": "group_types",
    "group_snapshots": "group_snapshots",
    "consistencygroups": "consistencygroups",
    "qos-specs": "qos_specs",
    "messages": "messages",
    "os-volume-transfer": "transfers",
    "os-volume-transfer/detail": "transfers",
    "volume-transfers": "transfers",
    "volume-transfers/detail": "transfers",
}

#: What ``limits`` calls a quota, and what is used of it.
ABSOLUTE = {
    "volumes": ("maxTotalVolumes", "totalVolumesUsed"),
    "snapshots": ("maxTotalSnapshots", "totalSnapshotsUsed"),
    "gigabytes": ("maxTotalVolumeGigabytes", "totalGigabytesUsed"),
    "backups": ("maxTotalBackups", "totalBackupsUsed"),
    "backup_gigabytes": ("maxTotalBackupGigabytes", "totalBackupGigabytesUsed"),
}


class About:
    """Handlers of what describes the service."""

    def __init__(self, service: Service) -> None:
        self._db = service.db

    def routes(self) -> list[Route]:
        """Give the routes of all this."""
        return [
            Route("GET", "/limits", self.limits),
            Route("GET", "/os-quota-sets/<project_id>", self.quota),
            Route("PUT", "/os-quota-sets/<project_id>", self.set_quota),
            Route("DELETE", "/os-quota-sets/<project_id>", self.delete_quota),
            Route("GET", "/os-quota-sets/<project_id>/defaults", self.default_quota),
            Route("GET", "/os-services", self.services),
            Route("GET", "/os-availability-zone", self.zones),
            Route("GET", "/scheduler-stats/get_pools", self.pools),
            *(Route("GET", f"/{path}", _none_of(key)) for path, key in EMPTY.items()),
        ]

    def limits(self, request: Request) -> Json:
        """Show what the caller's project may have, and has."""
        project_id = request.context.project_id or ""
        with self._db.read() as tx:
            limits, used = quotas.limits(tx, project_id), quotas.used(tx, project_id)
        absolute: Json = {}
        for name, (most, had) in ABSOLUTE.items():
            absolute |= {most: limits[name], had: used[name]}
        return {"limits": {"rate": [], "absolute": absolute}}

    def quota(self, request: Request, project_id: str) -> Json:
        """Show what a project may have, and on demand what it has."""
        if policy.viewer(request.context) not in (None, project_id):
            raise errors.NotAllowed(action="volume_extension:quotas:show")
        with self._db.read() as tx:
            limits, used = quotas.limits(tx, project_id), quotas.used(tx, project_id)
        if not flag(request, "usage"):
            return {"quota_set": {"id": project_id, **limits}}
        in_use = {name: {"limit": most, "in_use": used.get(name, 0), "reserved": 0} for name, most in limits.items()}
        return {"quota_set": {"id": project_id, **in_use}}

    def set_quota(self, request: Request, project_id: str) -> Json:
        """Say what a project may have (for administrators)."""
        policy.require_admin(request.context, "volume_extension:quotas:update")
        body = dict(request.body_of("quota_set"))
        for name in ("tenant_id", "project_id", "force", "skip_validation"):
            body.pop(name, None)
        said = {name: int(most) for name, most in checked(body, schemas.QUOTA_SET).items()}
        with self._db.write() as tx:
            unknown = sorted(set(said) - set(quotas.defaults(tx)))
            if unknown:
                raise errors.InvalidInput(f"Bad key(s) in quota set: {', '.join(unknown):.500}")
            things.LIMITS.write(tx, project_id, {**things.LIMITS.read(tx, project_id), **said})
            return {"quota_set": quotas.limits(tx, project_id)}

    def delete_quota(self, request: Request, project_id: str) -> Json:
        """Forget what was said of a project (for administrators)."""
        policy.require_admin(request.context, "volume_extension:quotas:delete")
        with self._db.write() as tx:
            things.LIMITS.write(tx, project_id, {})
        return {}

    def default_quota(self, request: Request, project_id: str) -> Json:
        """Show what a project may have of which nothing is said."""
        with self._db.read() as tx:
            return {"quota_set": {"id": project_id, **quotas.defaults(tx)}}

    def services(self, request: Request) -> Json:
        """List the services that Cinder would have: this process stands for them."""
        policy.require_admin(request.context, "volume_extension:services_get_all")
        there = (("cinder-scheduler", "cinder"), ("cinder-volume", BACKEND.partition("#")[0]))
        wanted = request.GET.get("binary"), request.GET.get("host")
        shown = [
            {
                "binary": binary, "host": host, "zone": ZONE, "status": "enabled", "state": "up",
                "updated_at": when(datetime.now(UTC)), "disabled_reason": None, "replication_status": "disabled",
                "active_backend_id": None, "frozen": False,
            }
            for binary, host in there
            if wanted[0] in (None, binary) and wanted[1] in (None, host)
        ]  # fmt: skip
        return {"services": shown}

    def zones(self, request: Request) -> Json:
        """List the availability zones of volumes: there is one."""
        return {"availabilityZoneInfo": [{"zoneName": ZONE, "zoneState": {"available": True}}]}

    def pools(self, request: Request) -> Json:
        """List the pools that volumes are made in: there is one, and it has no end."""
        policy.require_admin(request.context, "scheduler_extension:scheduler_stats:get_pools")
        capabilities = {
            "volume_backend_name": "fake", "total_capacity_gb": "infinite", "free_capacity_gb": "infinite",
            "multiattach": True, "storage_protocol": "fake",
        }  # fmt: skip
        pool: Json = {"name": BACKEND}
        return {"pools": [{**pool, "capabilities": capabilities} if flag(request, "detail") else pool]}


def _none_of(key: str) -> Callable[[Request], dict[str, list[Any]]]:
    """Make the handler of a list with nothing in it."""
    return lambda request: {key: []}
