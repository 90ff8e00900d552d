"""How many addresses each network has, and lends: for administrators (Networking API v2.0, network-ip-availability).

An address can be lent if it is in an allocation pool of its subnet; without a pool, all of its range count.
"""

from collections import Counter
from ipaddress import ip_address, ip_network
from typing import Any

from mininova import errors
from mininova.standins.neutron import query
from mininova.standins.neutron.documents import Json
from mininova.standins.neutron.networks import Networks, Subnets
from mininova.standins.neutron.ports import Ports
from mininova.wsgi import Request

KEY = "network_ip_availability"


class IPAvailability:
    """Handlers of the two questions."""

    def __init__(self, networks: Networks, subnets: Subnets, ports: Ports) -> None:
        self._networks, self._subnets, self._ports = networks, subnets, ports

    def index(self, request: Request) -> Json:
        """List the networks: none for a user, as Neutron leaves out of a list what the caller may not see."""
        found = self._all(request) if request.context.is_admin else []
        return query.answer(request, "network_ip_availabilities", found, "network_id")

    def show(self, request: Request, network_id: str) -> Json:
        """Show one network.

        :raises errors.NotFound: when there is none, or the caller is no administrator
        """
        if request.context.is_admin:
            for found in self._all(request):
                if found["network_id"] == network_id:
                    return {KEY: query.fields(request, found)}
        raise errors.NotFound(f"Network {network_id} could not be found.")

    def _all(self, request: Request) -> list[Json]:
        ctxt, versions = request.context, request.GET.getall("ip_version")
        lent = Counter(ip["subnet_id"] for port in self._ports.search(ctxt) for ip in port["fixed_ips"])
        of_network: dict[str, list[Json]] = {}
        for subnet in self._subnets.search(ctxt):
            if not versions or str(subnet["ip_version"]) in versions:
                of_network.setdefault(subnet["network_id"], []).append(_of_subnet(subnet, lent[subnet["id"]]))
        return [_of_network(network, of_network.get(network["id"], [])) for network in self._networks.search(ctxt)]


def _of_subnet(subnet: Json, lent: int) -> Json:
    pools = ((ip_address(pool["start"]), ip_address(pool["end"])) for pool in subnet["allocation_pools"])
    size = sum(int(end) - int(start) + 1 for start, end in pools) or ip_network(subnet["cidr"]).num_addresses
    named = {"subnet_id": subnet["id"], "subnet_name": subnet["name"]}
    return {**named, "cidr": subnet["cidr"], "ip_version": subnet["ip_version"], "total_ips": size, "used_ips": lent}


def _of_network(network: Json, subnets: list[Json]) -> Json:
    totals: dict[str, Any] = {name: sum(each[name] for each in subnets) for name in ("total_ips", "used_ips")}
    named = {"network_id": network["id"], "network_name": network["name"]}
    whose = {name: network[name] for name in ("project_id", "tenant_id")}
    return {**named, **whose, **totals, "subnet_ip_availability": subnets}
