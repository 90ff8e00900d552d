"""How the one flat network looks."""

from ipaddress import ip_network
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova.objects.network import network_id


def show_network(conf: ConfigOpts) -> dict[str, Any]:
    """Show the network, which has no IPv6."""
    range_ = ip_network(str(conf.network.cidr))
    return {
        "id": network_id(conf.network.label),
        "label": conf.network.label,
        "cidr": str(range_),
        "netmask": str(range_.netmask),
        "gateway": str(range_.network_address + 1),
        "broadcast": str(range_.broadcast_address),
        "dns1": None,
        "dns2": None,
        "cidr_v6": None,
        "gateway_v6": None,
        "netmask_v6": None,
    }


NO_RANGE = dict.fromkeys((
    "cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "netmask_v6",
))  # fmt: skip


def show_other_network(network: dict[str, Any]) -> dict[str, Any]:
    """Show a network that the network service has, of whose range Nova knows nothing."""
    return {**NO_RANGE, "id": network["id"], "label": network["name"]}


def show_tenant_network(id: str, label: str) -> dict[str, Any]:
    """Show a network as a project sees it; with Neutron, Nova knows no range of it, and says so in a word."""
    return {"id": id, "label": label, "cidr": "None"}
