"""The URL space of the Networking API, below the check of tokens: one table."""

from mininova.standins.neutron.groups import Groups
from mininova.standins.neutron.handlers import things
from mininova.standins.neutron.handlers.about import EMPTY, About
from mininova.standins.neutron.handlers.ip_availability import IPAvailability
from mininova.standins.neutron.handlers.security_groups import SecurityGroups
from mininova.standins.neutron.networks import Networks, Subnets
from mininova.standins.neutron.ports import Ports
from mininova.standins.neutron.routers import FloatingIPs, Routers
from mininova.standins.neutron.service import Service
from mininova.wsgi import Route


def table(service: Service) -> list[Route]:
    """Give every route of the service."""
    groups, about = SecurityGroups(Groups(service.db)), About(service)
    networks = Networks(service.db, service.conf)
    subnets, ports = Subnets(service.db, service.conf, networks), Ports(service.db, networks)
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
        *things.routes("floatingips", FloatingIPs(service.db, networks, ports)),
        Route("GET", "/v2.0/security-groups", groups.index),
        Route("POST", "/v2.0/security-groups", groups.create),
        Route("GET", "/v2.0/security-groups/<id>", groups.show),
        Route("PUT", "/v2.0/security-groups/<id>", groups.update),
        Route("DELETE", "/v2.0/security-groups/<id>", groups.delete),
        Route("GET", "/v2.0/security-group-rules", groups.rules),
        Route("POST", "/v2.0/security-group-rules", groups.create_rule),
        Route("GET", "/v2.0/security-group-rules/<id>", groups.show_rule),
        Route("DELETE", "/v2.0/security-group-rules/<id>", groups.delete_rule),
        Route("GET", "/v2.0/extensions", about.extensions),
        Route("GET", "/v2.0/extensions/<alias>", about.extension),
        Route("GET", "/v2.0/availability_zones", about.zones),
        Route("GET", "/v2.0/quotas/<project_id>", about.quota),
        Route("GET", "/v2.0/quotas/<project_id>/default", about.quota),
        Route("GET", "/v2.0/quotas/<project_id>/details", about.quota_details),
        Route("GET", "/v2.0/quotas/<project_id>/details.json", about.quota_details),
        Route("GET", "/v2.0/network-ip-availabilities", availability.index),
        Route("GET", "/v2.0/network-ip-availabilities/<network_id>", availability.show),
        *(Route("GET", f"/v2.0/{path}", about.none_of(path)) for path in EMPTY),
        *(Route("GET", f"/v2.0/{path}/<id>", about.no_such(path)) for path in EMPTY),
    ]
