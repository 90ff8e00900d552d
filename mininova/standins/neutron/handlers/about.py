"""What describes the Networking API of this cloud: what it can, its zone, and what there is none of."""

from collections.abc import Callable
from typing import Any, NoReturn

from mininova import errors
from mininova.standins.neutron import query
from mininova.standins.neutron.documents import ZONE, Json
from mininova.wsgi import Request

#: Lists that clients ask for, and that have nothing in them: path → its key in the answer.
EMPTY = {
    "subnetpools": "subnetpools",
    "address-scopes": "address_scopes",
    "address-groups": "address_groups",
    "agents": "agents",
    "trunks": "trunks",
    "rbac-policies": "rbac_policies",
    "service-providers": "service_providers",
}

#: alias → name, what it brings
EXTENSIONS = {
    "agent": ("agent", "The agents of networks; there are none."),
    "allowed-address-pairs": ("Allowed Address Pairs", "Other addresses that a port may use."),
    "availability_zone": ("Availability Zone", "Availability zones."),
    "binding": ("Port Binding", "Administrators see on which host a port is."),
    "ext-gw-mode": ("Neutron L3 Configurable external gateway mode", "Whether a router's way out hides addresses."),
    "external-net": ("Neutron external network", "Networks that lead out."),
    "extraroute": ("Neutron Extra Route", "Further routes of a router."),
    "fip-port-details": ("Floating IP Port Details Extension", "Where a floating IP leads."),
    "net-mtu": ("Network MTU", "The MTU of a network."),
    "net-mtu-writable": ("Network MTU (writable)", "Which is chosen when it is made."),
    "network-ip-availability": ("Network IP Availability", "How many addresses a network has, and lends."),
    "network_availability_zone": ("Network Availability Zone", "The availability zones of a network."),
    "pagination": ("Pagination support", "Lists come in pages."),
    "port-security": ("Port Security", "Ports say whether security groups apply."),
    "project-id": ("project_id field enabled", "What belongs to a project has a project_id."),
    "quota-check-limit": ("Quota engine limit check", "A quota is not set below what is used, if so asked."),
    "quota_details": ("Quota details management support", "How much of a quota is used."),
    "quotas": ("Quota management support", "Quotas of projects."),
    "router": ("Neutron L3 Router", "Routers and floating IPs."),
    "security-group": ("security-group", "Security groups."),
    "security-groups-normalized-cidr": ("Normalized CIDR field for security group rules", "As applied."),
    "sorting": ("Sorting support", "Lists are sorted as asked."),
    "standard-attr-description": ("standard-attr-description", "Descriptions."),
    "standard-attr-revisions": ("Resource revision numbers", "How often a thing was changed."),
    "standard-attr-timestamp": ("Resource timestamps", "When a thing was made, and changed."),
    "standard-attr-tag": ("Tag support for resources with standard attribute", "Tags."),
    "stateful-security-group": ("Stateful security group", "Whether a security group is stateful."),
}
UPDATED = "2026-01-01T00:00:00-00:00"


class About:
    """Handlers of what describes the API."""

    def resources(self, request: Request) -> Json:
        """List the collections of the API."""
        names = ("network", "subnet", "port", "router", "floatingip", "security_group", "security_group_rule")
        base = f"{request.service_endpoint}/v2.0"
        collections = ((name, f"{name}s", f"{base}/{name.replace('_', '-')}s") for name in names)
        return {
            "resources": [
                {"name": name, "collection": collection, "links": [{"rel": "self", "href": href}]}
                for name, collection, href in collections
            ]
        }

    def extensions(self, request: Request) -> Json:
        """List what the API has beside its core."""
        return {"extensions": [_extension(alias) for alias in EXTENSIONS]}

    def extension(self, request: Request, alias: str) -> Json:
        """Show one of them."""
        if alias not in EXTENSIONS:
            raise errors.NotFound(f"Extension with alias {alias} does not exist")
        return {"extension": _extension(alias)}

    def zones(self, request: Request) -> Json:
        """List the availability zones of networks: there is one."""
        zone = {"name": ZONE, "resource": "network", "state": "available"}
        return query.answer(request, "availability_zones", [zone], "name")

    @staticmethod
    def none_of(path: str) -> Callable[[Request], Json]:
        """Make the handler of a list with nothing in it."""
        return lambda request: {EMPTY[path]: []}

    @staticmethod
    def no_such(path: str) -> Callable[..., NoReturn]:
        """Make the handler that finds no such thing."""

        def not_found(request: Request, id: str, **named: Any) -> NoReturn:
            raise errors.NotFound(
                f"{EMPTY[path].removesuffix('s').replace('_', ' ').capitalize()} {id} could not be found."
            )

        return not_found


def _extension(alias: str) -> Json:
    name, description = EXTENSIONS[alias]
    return {"alias": alias, "name": name, "description": description, "updated": UPDATED, "links": []}
