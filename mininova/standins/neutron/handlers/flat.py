"""``/v2.0/networks``, ``/subnets`` and ``/ports``: the one flat network, which everyone may see and none can change."""

from collections.abc import Callable
from typing import NamedTuple, NoReturn

from mininova import errors
from mininova.db import networks
from mininova.objects.network import port_id
from mininova.standins.neutron import documents, policy, query
from mininova.standins.neutron.db import security_groups
from mininova.standins.neutron.documents import Json
from mininova.standins.neutron.service import Service
from mininova.wsgi import Request


class Made(NamedTuple):
    """A kind of thing that this cloud makes itself.

    :param path: its name in a URL
    :param why: who makes it
    """

    path: str
    member: str
    why: str

    @property
    def writes(self) -> list[tuple[str, str, str]]:
        """Each request that would change one: method, Neutron's name of the action, path."""
        one = f"{self.path}/<id>"
        return [
            ("POST", f"create_{self.member}", self.path),
            ("PUT", f"update_{self.member}", one),
            ("DELETE", f"delete_{self.member}", one),
        ]

    def refuse(self, action: str) -> Callable[..., NoReturn]:
        """Make the handler of such a request."""

        def refuse(request: Request, **named: str) -> NoReturn:
            raise policy.disallowed(action, f": {self.why}")

        return refuse


MADE_ELSEWHERE = (
    Made("networks", "network", "this cloud has one network, which its configuration makes"),
    Made("subnets", "subnet", "this cloud has one network, which its configuration makes"),
    Made("ports", "port", "a server has one port, which comes and goes with it"),
    Made("routers", "router", "the one network of this cloud leads nowhere"),
    Made("floatingips", "floatingip", "the one network of this cloud leads nowhere"),
)

NETWORK, SUBNET, PORT = (
    ("id", "name", "admin_state_up", "status", "shared", "router:external", "is_default", "mtu", "project_id",
     "tenant_id", "description"),
    ("id", "name", "network_id", "ip_version", "cidr", "gateway_ip", "enable_dhcp", "project_id", "tenant_id",
     "subnetpool_id", "description"),
    ("id", "name", "network_id", "device_id", "device_owner", "mac_address", "fixed_ips", "status", "admin_state_up",
     "security_groups", "project_id", "tenant_id", "description"),
)  # fmt: skip


class Flat:
    """Handlers of the network, its subnet and its ports."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def networks(self, request: Request) -> Json:
        """List the networks: there is one."""
        return query.answer(request, "networks", [documents.network(self._service.conf)], NETWORK)

    def network(self, request: Request, id: str) -> Json:
        """Show it."""
        return {"network": _the_one(request, documents.network(self._service.conf), id, "Network")}

    def subnets(self, request: Request) -> Json:
        """List the subnets: there is one."""
        return query.answer(request, "subnets", [documents.subnet(self._service.conf)], SUBNET)

    def subnet(self, request: Request, id: str) -> Json:
        """Show it."""
        return {"subnet": _the_one(request, documents.subnet(self._service.conf), id, "Subnet")}

    def ports(self, request: Request) -> Json:
        """List the ports of the caller's servers, an administrator's of all."""
        asked = [*request.GET.getall("device_id"), *(_instance(id) for id in request.GET.getall("id"))]
        return query.answer(request, "ports", self._ports(request, asked), PORT)

    def port(self, request: Request, id: str) -> Json:
        """Show one."""
        for document in self._ports(request, [_instance(id)]):
            return {"port": query.fields(request, document)}
        raise errors.NotFound(f"Port {id} could not be found.")

    def _ports(self, request: Request, of_instances: list[str]) -> list[Json]:
        with self._service.db.read() as tx:
            lent = networks.lent(tx, policy.viewer(request.context), of_instances)
        projects = {each.project_id for each in lent}
        defaults = security_groups.defaults(self._service.db, projects)
        return [documents.port(self._service.conf, each, defaults[each.project_id]) for each in lent]


def _the_one(request: Request, document: Json, id: str, kind: str) -> Json:
    if document["id"] != id:
        raise errors.NotFound(f"{kind} {id} could not be found.")
    return query.fields(request, document)


def _instance(id: str) -> str:
    """Give the instance whose port has an id; what is no port's id is no instance's either."""
    try:
        return port_id(id)
    except ValueError:
        return id
