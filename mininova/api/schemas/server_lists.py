"""What a query of servers may say: filters, sort keys and pages."""

from mininova.api.schemas.types import LIMIT, MOMENT, Field, Json, parameter, query

# What servers can be found by, as a regular expression and as it is.
BY_PATTERN = (
    "access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone", "config_drive", "created_at",
    "description", "display_description", "display_name", "flavor", "hostname", "ip", "ip6", "kernel_id", "key_name",
    "launched_at", "locked_by", "name", "node", "power_state", "progress", "ramdisk_id", "reservation_id",
    "root_device_name", "terminated_at",
)  # fmt: skip
AS_IT_IS = (
    "all_tenants", "block_device_mapping", "deleted", "host", "image", "image_ref", "info_cache", "launch_index",
    "metadata", "pci_devices", "project_id", "security_groups", "services", "soft_deleted", "sort_dir", "status",
    "system_metadata", "task_state", "tenant_id", "user_id", "uuid", "vm_state",
)  # fmt: skip
SORT_KEYS = (
    "access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone", "config_drive", "created_at",
    "display_description", "display_name", "host", "hostname", "image_ref", "instance_type_id", "kernel_id", "key_name",
    "launch_index", "launched_at", "locked", "locked_by", "node", "power_state", "progress", "project_id", "ramdisk_id",
    "root_device_name", "task_state", "terminated_at", "updated_at", "user_id", "uuid", "vm_state",
)  # fmt: skip
# What Nova once took, and did nothing with.
OLD_SORT_KEYS = (
    "architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted", "deleted_at",
    "disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "key_data", "launched_on", "memory_mb", "os_type",
    "reservation_id", "root_gb", "shutdown_terminate", "user_data", "vcpus", "vm_mode",
)  # fmt: skip
TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")
REGEX: Json = {"type": "string", "format": "regex"}

LIST = query(
    *(Field(name, parameter(REGEX)) for name in BY_PATTERN),
    *(Field(name, parameter()) for name in AS_IT_IS),
    *(Field(name, parameter(REGEX), since="2.26") for name in TAG_FILTERS),
    Field("sort_key", parameter({"type": "string", "enum": [*SORT_KEYS, *OLD_SORT_KEYS]}), until="2.74"),
    Field("sort_key", parameter({"type": "string", "enum": list(SORT_KEYS)}), since="2.75"),
    Field("changes-since", parameter(MOMENT)),
    Field("changes-before", parameter(MOMENT), since="2.66"),
    Field("locked", parameter(), since="2.73"),
    Field("limit", parameter(LIMIT)),
    Field("marker", parameter()),
)
