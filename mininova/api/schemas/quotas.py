"""What requests about limits and quotas may say: of which project or user, and the limits to set."""

from mininova.api.schemas.types import BOOLEAN, MAX_INT, Field, Json, parameter, query, under

LIMITS = query(Field("tenant_id", parameter()))
QUOTAS = query(Field("user_id", parameter()))

LIMIT: Json = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": -1, "maximum": MAX_INT}

# The resources that left quotas; those of networks left the quotas of a project earlier than those of a class.
NETWORK = ("fixed_ips", "floating_ips", "security_groups", "security_group_rules")
FILES = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
OTHERS = ("instances", "cores", "ram", "metadata_items", "key_pairs", "server_groups", "server_group_members")


def _limits(network_until: str) -> list[Field]:
    return [
        *(Field(name, LIMIT, until=network_until) for name in NETWORK),
        *(Field(name, LIMIT, until="2.56") for name in FILES),
        *(Field(name, LIMIT) for name in OTHERS),
    ]


UPDATE = under("quota_set", *_limits("2.35"), Field("force", BOOLEAN))
UPDATE_CLASS = under("quota_class_set", *_limits("2.49"))
