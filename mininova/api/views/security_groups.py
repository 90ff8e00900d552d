"""How security groups look in the Compute API: what lets packets in, in the words of the time before Neutron."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

ALL_PORTS, ANY = (1, 65535), (-1, -1)


def show_group(group: Json, known: Mapping[str, Json]) -> Json:
    """Show a group as Neutron has it.

    :param known: by their ids, the groups that its rules may name
    """
    rules = [rule for rule in group["security_group_rules"] if rule["direction"] == "ingress"]
    return {
        "id": group["id"],
        "name": group["name"],
        "description": group["description"],
        "tenant_id": group["project_id"],
        "rules": [show_rule(rule, known) for rule in rules],
    }


def show_rule(rule: Json, known: Mapping[str, Json]) -> Json:
    """Show a rule; one for a group that is gone, or not seen, says of it nothing."""
    source = known.get(rule["remote_group_id"] or "")
    named = {"name": source["name"], "tenant_id": source["project_id"]} if source else {}
    first, last = rule["port_range_min"], rule["port_range_max"]
    if rule["protocol"] and first is last is None:
        first, last = ALL_PORTS if rule["protocol"] in ("tcp", "udp") else ANY
    return {
        "id": rule["id"],
        "parent_group_id": rule["security_group_id"],
        "ip_protocol": rule["protocol"],
        "from_port": first,
        "to_port": last,
        "group": named,
        "ip_range": {} if rule["remote_group_id"] else {"cidr": rule["remote_ip_prefix"] or "0.0.0.0/0"},
    }
