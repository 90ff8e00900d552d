"""The URL space of the Networking API, below the check of tokens: one table."""

from mininova.standins.neutron.groups import Groups
from mininova.standins.neutron.handlers import tags, things
from mininova.standins.neutron.handlers.about import EMPTY, About
from mininova.standins.neutron.handlers.ip_availability import IPAvailability
from mininova.standins.neutron.handlers.quotas import Quotas
from mininova.standins.neutron.handlers.security_groups import SecurityGroups
from mininova.standins.neutron.networks import Networks, Subnets
from mininova.standins.neutron.ports import Ports
from mininova.standins.neutron.routers import FloatingIPs, Routers
from mininova.standins.neutron.service import Service
from mininova.wsgi import Route


def table(service: Service) -> list[Route]:
    """Give every route of the service."""
    all_groups, about, quotas = Groups(service.db), About(), Quotas(service)
    groups = SecurityGroups(all_groups)
    networks = Networks(service.db, service.conf)
    subnets, ports = Subnets(service.db, service.conf, networks), Ports(service.db, networks, service.nova)
    availability = IPAvailability(networks, subnets, ports)
    routers = Routers(service.db, networks, subnets, ports)
    return [
        Route("GET", "/v2.0", about.resources),
        *things.routes("networks", networks),
        *things.routes("subnets", subnets),
        *things.routes("ports", ports),
        *things.routes("routers", routers),
        *(
            Route("PUT", f"/v2.0/routers/<id>/{verb}_router_interface", things.on_one(do))
            for verb, do in (("add", routers.add_interface), ("remove", routers.remove_interface))
        ),
        *things.routes("floatingips", FloatingIPs(service.db, networks, ports, service.nova)),
        Route("GET", "/v2.0/security-groups", groups.index),
        Route("POST", "/v2.0/security-groups", groups.create),
        Route("GET", "/v2.0/security-groups/<id>", groups.show),
        Route("PUT", "/v2.0/security-groups/<id>", groups.update),
        Route("DELETE", "/v2.0/security-groups/<id>", groups.delete),
        *tags.routes("security-groups", all_groups.get, all_groups.tag),
        Route("GET", "/v2.0/security-group-rules", groups.rules),
        Route("POST", "/v2.0/security-group-rules", groups.create_rule),
        Route("GET", "/v2.0/security-group-rules/<id>", groups.show_rule),
        Route("DELETE", "/v2.0/security-group-rules/<id>", groups.delete_rule),
        Route("GET", "/v2.0/extensions", about.extensions),
        Route("GET", "/v2.0/extensions/<alias>", about.extension),
        Route("GET", "/v2.0/availability_zones", about.zones),
        Route("GET", "/v2.0/quotas", quotas.index),
        Route("GET", "/v2.0/quotas/<project_id>", quotas.show),
        Route("PUT", "/v2.0/quotas/<project_id>", quotas.update),
        Route("DELETE", "/v2.0/quotas/<project_id>", quotas.delete),
        Route("GET", "/v2.0/quotas/<project_id>/default", quotas.default),
        *(Route("GET", f"/v2.0/quotas/<project_id>/{path}", quotas.details) for path in ("details", "details.json")),
        Route("GET", "/v2.0/network-ip-availabilities", availability.index),
        Route("GET", "/v2.0/network-ip-availabilities/<network_id>", availability.show),
        *(Route("GET", f"/v2.0/{path}", about.none_of(path)) for path in EMPTY),
        *(Route("GET", f"/v2.0/{path}/<id>", about.no_such(path)) for path in EMPTY),
    ]
