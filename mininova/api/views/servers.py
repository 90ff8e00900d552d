"""How a server looks: every field, from which microversion on, and for whom.

One Views is made for a request, and answers what all its servers have in common once; a list of a thousand servers
costs little more than its JSON.  What a server's row does not hold (faults, the state of its host, user data) is
read beforehand, in one query each, and handed in as Extras.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha224
from typing import Any

from mininova import states
from mininova.api.other_services import DEFAULT_GROUP
from mininova.api.request import ComputeRequest
from mininova.api.views import image_properties
from mininova.api.views.server_addresses import addresses_of
from mininova.api.views.times import bare, iso
from mininova.db.block_devices import Recorded
from mininova.objects import Fault, Flavor, Instance, RequestSpec

Json = dict[str, Any]

# The status that users see for each vm_state, unless the task says more (nova: api/openstack/common.py).
STATUS = {
    states.ACTIVE: "ACTIVE",
    states.BUILDING: "BUILD",
    states.STOPPED: "SHUTOFF",
    states.PAUSED: "PAUSED",
    states.SUSPENDED: "SUSPENDED",
    states.SHELVED: "SHELVED",
    states.SHELVED_OFFLOADED: "SHELVED_OFFLOADED",
    states.RESCUED: "RESCUE",
    states.RESIZED: "VERIFY_RESIZE",
    states.SOFT_DELETED: "SOFT_DELETED",
    states.ERROR: "ERROR",
    states.DELETED: "DELETED",
}
STATUS_WHILE = {
    (states.ACTIVE, states.UPDATING_PASSWORD): "PASSWORD",
    **{(rest, task): "REBUILD" for rest in (states.ACTIVE, states.STOPPED, states.ERROR) for task in states.REBUILDS},
    **{(rest, task): "RESIZE" for rest in (states.ACTIVE, states.STOPPED) for task in states.RESIZES},
    (states.RESIZED, states.RESIZE_REVERTING): "REVERT_RESIZE",
    **{(rest, states.MIGRATING): "MIGRATING" for rest in (states.ACTIVE, states.PAUSED)},
    **{(states.ACTIVE, task): "REBOOT" for task in states.REBOOTS},
    **{(states.ACTIVE, task): "HARD_REBOOT" for task in states.HARD_REBOOTS},
}
# What may be asked for, too, although no instance of ours is ever in it: the answer is an empty list.
OTHER_STATUSES = frozenset({"UNKNOWN"})

FAULTY = frozenset({"ERROR", "DELETED"})
PROGRESSING = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})

# The hints that may have several values.
SEVERAL = frozenset({"group", "same_host", "different_host", "different_cell"})

# What PUT leaves out before 2.75, where it gives less than GET (nova: ViewBuilder.show as servers.update calls it).
NOT_AFTER_UPDATE = (
    "OS-EXT-AZ:availability_zone", "config_drive", "key_name", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at",
    "security_groups", "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:instance_name", "OS-EXT-SRV-ATTR:hypervisor_hostname",
    "OS-EXT-SRV-ATTR:hostname", "OS-EXT-SRV-ATTR:kernel_id", "OS-EXT-SRV-ATTR:launch_index",
    "OS-EXT-SRV-ATTR:ramdisk_id", "OS-EXT-SRV-ATTR:reservation_id", "OS-EXT-SRV-ATTR:root_device_name",
    "OS-EXT-SRV-ATTR:user_data",
    "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "os-extended-volumes:volumes_attached",
    "host_status",
)  # fmt: skip


def status_of(instance: Instance) -> str:
    """Give the status that users see."""
    return STATUS_WHILE.get((instance.vm_state, instance.task_state or "")) or STATUS.get(instance.vm_state, "UNKNOWN")


def instance_name(instance: Instance) -> str:
    """Give the name that a hypervisor would know the guest by."""
    return f"instance-{instance.uuid[:8]}"


@lru_cache(maxsize=4096)
def host_id(project_id: str, host: str | None) -> str:
    """Give a project a name for a host that says nothing about it, and is another one for other projects."""
    return sha224((project_id + host).encode()).hexdigest() if host else ""


@dataclass(frozen=True)
class Extras:
    """What servers show that their rows do not hold, by instance uuid (host states: by host).

    :param security_groups: their names, of those that have others than the default one
    :param host_states: None when the caller may not see them
    """

    faults: Mapping[str, Fault] = field(default_factory=dict)
    user_data: Mapping[str, str | None] = field(default_factory=dict)
    security_groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    server_groups: Mapping[str, str | None] = field(default_factory=dict)
    host_states: Mapping[str, str] | None = None
    specs: Mapping[str, RequestSpec] = field(default_factory=dict)
    volumes: Mapping[str, Sequence[Recorded]] = field(default_factory=dict)


class Views:
    """Shows servers to one request."""

    def __init__(self, request: ComputeRequest, extras: Extras | None = None) -> None:
        self._version = request.api_version
        self._links = request.links
        self._extras = extras or Extras()
        self._is_admin = request.context.is_admin
        self._extended = request.allows("os-extended-server-attributes")
        self._with_specs = self._version >= (2, 47) and request.allows("servers:show:flavor-extra-specs")
        self._flavors: dict[int, Json] = {}

    def summary(self, instance: Instance) -> Json:
        """Show what a list without details has."""
        return {
            "id": instance.uuid,
            "name": instance.display_name,
            "links": self._links.to("servers", instance.uuid),
        }

    def details(self, instances: Iterable[Instance]) -> list[Json]:
        """Show a list in detail."""
        return [self._detail(instance) for instance in instances]

    def one(self, instance: Instance) -> Json:
        """Show one server, as GET does."""
        server = self._detail(instance)
        if self._version >= (2, 71):
            group = self._extras.server_groups.get(instance.uuid)
            server["server_groups"] = [group] if group else []
        return server

    def updated(self, instance: Instance) -> Json:
        """Show one server, as PUT does."""
        server = self.one(instance)
        if self._version < (2, 75):
            for name in NOT_AFTER_UPDATE:
                server.pop(name, None)
            server["addresses"] = _visible_addresses(instance, extended=False)
        return server

    def rebuilt(self, instance: Instance, user_data: str | None) -> Json:
        """Show one server, as a rebuild does.

        :param user_data: base64
        """
        server = self.updated(instance)
        if self._version >= (2, 54):
            server["key_name"] = instance.key_name
        if self._version >= (2, 57):
            server.pop("OS-EXT-SRV-ATTR:user_data", None)
            server["user_data"] = user_data
        return server

    def _detail(self, instance: Instance) -> Json:
        version, status = self._version, status_of(instance)
        server: Json = {
            "id": instance.uuid,
            "name": instance.display_name,
            "status": status,
            "tenant_id": instance.project_id,
            "user_id": instance.user_id,
            "metadata": instance.metadata,
            "hostId": host_id(instance.project_id, instance.host),
            "image": self._image(instance),
            "flavor": self._flavor(instance.flavor),
            "created": _iso(instance.created_at),
            "updated": _iso(instance.updated_at or instance.created_at),
            "addresses": _visible_addresses(instance, extended=True),
            "accessIPv4": instance.access_ip_v4 or "",
            "accessIPv6": instance.access_ip_v6 or "",
            "links": self._links.to("servers", instance.uuid),
            "OS-DCF:diskConfig": instance.disk_config,
            "OS-EXT-AZ:availability_zone": instance.availability_zone or instance.requested_zone or "",
            "config_drive": "True" if instance.config_drive else "",
            "key_name": instance.key_name,
            "OS-SRV-USG:launched_at": bare(instance.launched_at),
            "OS-SRV-USG:terminated_at": bare(instance.terminated_at),
            "OS-EXT-STS:task_state": instance.task_state,
            "OS-EXT-STS:vm_state": instance.vm_state,
            "OS-EXT-STS:power_state": instance.power_state,
            "os-extended-volumes:volumes_attached": self._volumes(instance),
        }
        groups = self._extras.security_groups.get(instance.uuid, (DEFAULT_GROUP,))
        if groups and instance.networks != "none":
            server["security_groups"] = [{"name": name} for name in groups]
        if status in PROGRESSING:
            server["progress"] = instance.progress
        if status in FAULTY and (fault := self._extras.faults.get(instance.uuid)) is not None:
            server["fault"] = self._fault(fault)
        if self._extended:
            server |= self._attributes(instance)
        if version >= (2, 9):
            server |= self._newer(instance)
        return server

    def _volumes(self, instance: Instance) -> list[Json]:
        there = [it for it in self._extras.volumes.get(instance.uuid, ()) if it.is_there]
        if self._version < (2, 3):
            return [{"id": it.volume_id} for it in there]
        return [{"id": it.volume_id, "delete_on_termination": it.delete_on_termination} for it in there]

    def _newer(self, instance: Instance) -> Json:
        """Show what came after 2.1, for everybody."""
        version = self._version
        newer: Json = {"locked": instance.locked}
        if version >= (2, 16) and self._extras.host_states is not None:
            newer["host_status"] = self._extras.host_states.get(instance.host, "UNKNOWN") if instance.host else ""
        if version >= (2, 19):
            newer["description"] = instance.display_description
        if version >= (2, 26):
            newer["tags"] = instance.tags
        if version >= (2, 63):
            newer["trusted_image_certificates"] = None
        if version >= (2, 73):
            newer["locked_reason"] = instance.locked_reason
        if version >= (2, 90):
            newer["OS-EXT-SRV-ATTR:hostname"] = instance.hostname
        if version >= (2, 96):
            newer["pinned_availability_zone"] = instance.requested_zone
        if version >= (2, 100):
            newer["scheduler_hints"] = _hints(self._extras.specs.get(instance.uuid))
        return newer

    def _attributes(self, instance: Instance) -> Json:
        """Show what administrators see."""
        attributes: Json = {
            "OS-EXT-SRV-ATTR:host": instance.host,
            "OS-EXT-SRV-ATTR:instance_name": instance_name(instance),
            "OS-EXT-SRV-ATTR:hypervisor_hostname": instance.node,
        }
        if self._version >= (2, 3):
            attributes |= {
                "OS-EXT-SRV-ATTR:hostname": instance.hostname,
                "OS-EXT-SRV-ATTR:kernel_id": "",
                "OS-EXT-SRV-ATTR:ramdisk_id": "",
                "OS-EXT-SRV-ATTR:launch_index": instance.launch_index,
                "OS-EXT-SRV-ATTR:reservation_id": instance.reservation_id,
                "OS-EXT-SRV-ATTR:root_device_name": instance.root_device_name,
                "OS-EXT-SRV-ATTR:user_data": self._extras.user_data.get(instance.uuid),
            }
        return attributes

    def _image(self, instance: Instance) -> Json | str:
        if not instance.image_ref:
            return ""
        image: Json = {"id": instance.image_ref, "links": self._links.bookmark("images", instance.image_ref)}
        if self._version >= (2, 98):
            spec = self._extras.specs.get(instance.uuid)
            image["properties"] = image_properties.shown(spec.image.properties) if spec else {}
        return image

    def _flavor(self, flavor: Flavor) -> Json:
        # Equal flavors of a list are one object (db: Json(shared=True)), so that each is shown once.
        shown = self._flavors.get(id(flavor))
        if shown is None:
            shown = self._flavors[id(flavor)] = self._show_flavor(flavor)
        return shown

    def _show_flavor(self, flavor: Flavor) -> Json:
        if self._version < (2, 47):
            return {"id": flavor.flavor_id, "links": self._links.bookmark("flavors", flavor.flavor_id)}
        embedded: Json = {
            "vcpus": flavor.vcpus,
            "ram": flavor.memory_mb,
            "disk": flavor.root_gb,
            "ephemeral": flavor.ephemeral_gb,
            "swap": flavor.swap_mb,
            "original_name": flavor.name,
        }
        return embedded | {"extra_specs": flavor.extra_specs} if self._with_specs else embedded

    def _fault(self, fault: Fault) -> Json:
        shown: Json = {"code": fault.code, "created": _iso(fault.created_at), "message": fault.message}
        if fault.details and (self._is_admin or fault.code != 500):
            shown["details"] = fault.details
        return shown


def _visible_addresses(instance: Instance, *, extended: bool) -> dict[str, list[Json]]:
    """Show no addresses while the server is built: they may still change."""
    return {} if instance.vm_state == states.BUILDING else addresses_of(instance, extended=extended)


def _hints(spec: RequestSpec | None) -> dict[str, list[str]]:
    """Show the hints as Nova keeps them: each with its values (how several are written: api/create.py)."""
    hints = spec.scheduler_hints if spec else {}
    return {name: value.split(",") if name in SEVERAL else [value] for name, value in hints.items()}


def _iso(moment: Any) -> str:
    return iso(moment) if moment is not None else ""
