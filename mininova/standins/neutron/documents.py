"""How the network, its subnet, its ports and the security groups look in the Networking API."""

from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.db.networks import Lent
from mininova.objects.network import network_id, port_id
from mininova.standins.neutron.db.security_groups import Rule, SecurityGroup

Json = dict[str, Any]

#: When the network was made, which no table knows: the beginning of all.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONE = "nova"


def network(conf: ConfigOpts) -> Json:
    """Show the network."""
    id = network_id(conf.network.label)
    return {
        **_common(id, conf.network.label, "", EPOCH),
        "admin_state_up": True,
        "status": "ACTIVE",
        "shared": True,
        "router:external": False,
        "is_default": False,
        "mtu": 1500,
        "subnets": [_subnet_id(conf)],
        "availability_zones": [ZONE],
        "availability_zone_hints": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "port_security_enabled": True,
    }


def _subnet_id(conf: ConfigOpts) -> str:
    return network_id(f"subnet.{conf.network.label}")


def subnet(conf: ConfigOpts) -> Json:
    """Show its subnet: the first address is the gateway's, and servers get the others."""
    range_ = ip_network(str(conf.network.cidr))
    first, last = range_.network_address, range_.broadcast_address
    return {
        **_common(_subnet_id(conf), f"{conf.network.label}-subnet", "", EPOCH),
        "network_id": network_id(conf.network.label),
        "ip_version": range_.version,
        "cidr": str(range_),
        "gateway_ip": str(first + 1),
        "allocation_pools": [{"start": str(first + 2), "end": str(last - 1)}],
        "dns_nameservers": [],
        "host_routes": [],
        "enable_dhcp": True,
        "ipv6_address_mode": None,
        "ipv6_ra_mode": None,
        "subnetpool_id": None,
        "service_types": [],
    }


def port(conf: ConfigOpts, lent: Lent, default_group: str) -> Json:
    """Show the port of an instance.

    :param default_group: the id of its project's default group
    """
    return {
        **_common(port_id(lent.instance_uuid), "", lent.project_id, lent.created_at),
        "network_id": network_id(lent.address.network),
        "admin_state_up": True,
        "status": "ACTIVE" if lent.host else "DOWN",
        "mac_address": lent.address.mac_address,
        "fixed_ips": [{"subnet_id": _subnet_id(conf), "ip_address": lent.address.address}],
        "device_id": lent.instance_uuid,
        "device_owner": f"compute:{lent.availability_zone or ZONE}",
        "security_groups": [default_group] if lent.security_groups is None else list(lent.security_groups),
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "binding:vnic_type": "normal",
        "port_security_enabled": True,
    }


def security_group(group: SecurityGroup, rules: list[Rule]) -> Json:
    """Show a group with its rules."""
    return {
        **_common(group.id, group.name, group.project_id, group.created_at, group.updated_at),
        "description": group.description,
        "stateful": group.stateful,
        "shared": False,
        "revision_number": group.revision,
        "security_group_rules": [rule(group, each) for each in rules],
    }


def rule(group: SecurityGroup, rule: Rule) -> Json:
    """Show a rule."""
    common = _common(rule.id, "", group.project_id, rule.created_at)
    del common["name"]
    return {
        **common,
        "description": rule.description,
        "security_group_id": group.id,
        "direction": rule.direction,
        "ethertype": rule.ethertype,
        "protocol": rule.protocol,
        "port_range_min": rule.port_range_min,
        "port_range_max": rule.port_range_max,
        "remote_ip_prefix": rule.remote_ip_prefix,
        "normalized_cidr": None if rule.remote_ip_prefix is None else str(ip_network(rule.remote_ip_prefix, False)),
        "remote_group_id": rule.remote_group_id,
        "remote_address_group_id": None,
        "belongs_to_default_sg": group.default_of is not None,
    }


def _common(id: str, name: str, project_id: str, created_at: datetime, updated_at: datetime | None = None) -> Json:
    """Give what everything in this API has."""
    return {
        "id": id,
        "name": name,
        "description": "",
        "project_id": project_id,
        "tenant_id": project_id,
        "tags": [],
        "revision_number": 1,
        "created_at": _moment(created_at),
        "updated_at": _moment(updated_at or created_at),
    }


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
