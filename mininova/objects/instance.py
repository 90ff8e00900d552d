"""A virtual machine as every service sees it, what a compute node may change of it, and who asked for a change."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType

from mininova.objects.base import Count, Versioned
from mininova.objects.flavor import Flavor
from mininova.rpc.versions import since


class FixedIP(Versioned, frozen=True, kw_only=True):
    """One address of an instance, in a network.

    :param network: its name
    :param kind: ``fixed``, or ``floating`` for one that leads to a fixed one
    """

    version: ClassVar[str] = "1.1"

    address: str
    network: str
    mac_address: str
    version_number: int = 4
    kind: Annotated[str, since("1.1")] = "fixed"


class Fault(Versioned, frozen=True, kw_only=True):
    """Why an instance is in ERROR, in words for its owner.

    :param code: as an HTTP status would say it: 500, or 404 and the like
    :param details: a traceback or more words, for administrators only
    """

    code: Annotated[int, Meta(ge=100, le=599)]
    message: str
    details: str = ""
    created_at: datetime | None = None


class Instance(Versioned, frozen=True, kw_only=True):
    """A virtual machine.

    ``generation`` counts its changes of state; an update that names an older one changes nothing.
    ``host`` is set by the conductor alone.

    :param locked_by: ``owner`` or ``admin``: an owner cannot unlock what an admin locked
    :param disk_config: ``AUTO`` or ``MANUAL``, as the user said; nothing depends on it
    """

    uuid: str
    project_id: str
    user_id: str
    display_name: str
    vm_state: str
    flavor: Flavor
    generation: Count = 0
    task_state: str | None = None
    power_state: int = 0
    host: str | None = None
    node: str | None = None
    availability_zone: str | None = None
    requested_zone: str | None = None
    display_description: str | None = None
    hostname: str = ""
    image_ref: str = ""
    key_name: str | None = None
    reservation_id: str = ""
    launch_index: Count = 0
    networks: str = "auto"
    addresses: tuple[FixedIP, ...] = ()
    metadata: dict[str, str] = {}
    config_drive: bool = False
    locked: bool = False
    locked_by: str | None = None
    locked_reason: str | None = None
    disk_config: str = "AUTO"
    tags: tuple[str, ...] = ()
    access_ip_v4: str | None = None
    access_ip_v6: str | None = None
    root_device_name: str = "/dev/vda"
    progress: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    launched_at: datetime | None = None
    terminated_at: datetime | None = None


class InstanceChanges(Versioned, frozen=True, kw_only=True):
    """The fields of an instance that a compute node may write: these, and no others.

    A field left UNSET is not touched.
    """

    vm_state: str | UnsetType = UNSET
    task_state: str | UnsetType | None = UNSET
    power_state: int | UnsetType = UNSET
    progress: int | UnsetType = UNSET
    launched_at: datetime | UnsetType = UNSET

    def written(self) -> dict[str, Any]:
        """Give the fields that are set."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not UNSET}
