"""How networks, subnets, ports, routers, floating IPs and security groups look in the Networking API."""

from collections.abc import Callable, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from mininova.db.ports import Port
from mininova.standins.neutron.db.security_groups import Rule, SecurityGroup
from mininova.standins.neutron.db.things import FloatingIP, Network, Owned, Router, Subnet

Json = dict[str, Any]
Retag = Callable[[Sequence[str]], Sequence[str]]  # from the tags that a thing has to those that it is to have

ZONE = "nova"


def network(network: Network, subnets: Sequence[str]) -> Json:
    """Show a network.

    :param subnets: their ids
    """
    return {
        **_of(network),
        "admin_state_up": network.admin_state_up,
        "status": "ACTIVE",
        "shared": network.shared,
        "router:external": network.external,
        "is_default": False,
        "mtu": network.mtu,
        "subnets": list(subnets),
        "availability_zones": [ZONE],
        "availability_zone_hints": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "port_security_enabled": network.port_security_enabled,
    }


def subnet(subnet: Subnet) -> Json:
    """Show a subnet."""
    return {
        **_of(subnet),
        "network_id": subnet.network_id,
        "ip_version": subnet.ip_version,
        "cidr": subnet.cidr,
        "gateway_ip": subnet.gateway_ip,
        "allocation_pools": [{"start": first, "end": last} for first, last in subnet.allocation_pools],
        "dns_nameservers": list(subnet.dns_nameservers),
        "host_routes": list(subnet.host_routes),
        "enable_dhcp": subnet.enable_dhcp,
        "ipv6_address_mode": subnet.ipv6_address_mode,
        "ipv6_ra_mode": subnet.ipv6_ra_mode,
        "subnetpool_id": None,
        "service_types": [],
    }


def port(port: Port, default_group: str, *, with_binding: bool = False) -> Json:
    """Show a port.

    :param default_group: the id of its project's default group
    :param with_binding: on which host its server is, too, for administrators
    """
    said = port.said
    bound = port.host is not None or port.device_id is not None
    owner = f"compute:{port.availability_zone or ZONE}" if port.instance_uuid else port.device_owner or ""
    shown = {
        **_common(port.id, said.get("name", ""), port.project_id, port.created_at),
        "description": said.get("description", ""),
        "tags": said.get("tags", []),
        "revision_number": said.get("revision", 1),
        "network_id": port.network_id,
        "admin_state_up": said.get("admin_state_up", True),
        "status": "ACTIVE" if bound and said.get("admin_state_up", True) else "DOWN",
        "mac_address": port.mac_address,
        "fixed_ips": [{"subnet_id": each.subnet_id, "ip_address": each.address} for each in port.addresses],
        "device_id": port.instance_uuid or port.device_id or "",
        "device_owner": owner,
        "security_groups": [default_group] if port.groups is None else list(port.groups),
        "allowed_address_pairs": said.get("allowed_address_pairs", []),
        "extra_dhcp_opts": [],
        "binding:vnic_type": "normal",
        "port_security_enabled": said.get("port_security_enabled", True),
    }
    return shown | _binding(port) if with_binding else shown


def _binding(port: Port) -> Json:
    return {
        "binding:host_id": port.host or "",
        "binding:profile": {},
        "binding:vif_type": "ovs" if port.host else "unbound",
        "binding:vif_details": {},
    }


_port = port


def router(router: Router, gateway: Port | None) -> Json:
    """Show a router.

    :param gateway: its port in the network that it leads out to
    """
    leads_out = None
    if router.external_network_id is not None:
        addresses = gateway.addresses if gateway else ()
        leads_out = {
            "network_id": router.external_network_id,
            "enable_snat": router.enable_snat,
            "external_fixed_ips": [{"subnet_id": it.subnet_id, "ip_address": it.address} for it in addresses],
        }
    return {
        **_of(router),
        "admin_state_up": router.admin_state_up,
        "status": "ACTIVE",
        "external_gateway_info": leads_out,
        "routes": list(router.routes),
        "distributed": False,
        "ha": False,
        "availability_zones": [ZONE],
        "availability_zone_hints": [],
        "flavor_id": None,
    }


def floating_ip(ip: FloatingIP, port: Port | None) -> Json:
    """Show a floating IP.

    :param port: where it leads
    """
    leads_to = port.addresses if port else ()
    fixed = next((each.address for each in leads_to if each.floating_address == ip.floating_ip_address), None)
    shown = {
        **_of(ip),
        "floating_network_id": ip.floating_network_id,
        "floating_ip_address": ip.floating_ip_address,
        "fixed_ip_address": fixed,
        "port_id": port.id if port else None,
        "router_id": ip.router_id if port else None,
        "status": "ACTIVE" if port else "DOWN",
        "qos_policy_id": None,
        "port_details": _details(port) if port else None,
    }
    del shown["name"]
    return shown


def _details(port: Port) -> Json:
    shown = _port(port, "")
    names = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")
    return {name: shown[name] for name in names}


def security_group(group: SecurityGroup, rules: list[Rule]) -> Json:
    """Show a group with its rules."""
    return {
        **_common(group.id, group.name, group.project_id, group.created_at, group.updated_at),
        "description": group.description,
        "stateful": group.stateful,
        "tags": list(group.tags),
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


def _of(thing: Owned) -> Json:
    common = _common(thing.id, thing.name, thing.project_id, thing.created_at, thing.updated_at)
    return common | {
        "description": thing.description, "tags": list(thing.tags), "revision_number": thing.revision,
    }  # fmt: skip


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
