"""What the api asks of other services: an image of Glance (service/images.py), a project of Keystone, a security group
of Neutron.

``[app:compute_app]`` in api-paste.ini names who answers, as ``module:function``; app.py calls each function once, with
the parts of the process, when the api is loaded.  The stand-ins answer from the same database; a class that asks a
real Glance or Keystone over HTTP takes their place by that line alone.  Nothing in the api imports either.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from mininova import errors
from mininova.context import RequestContext
from mininova.db.session import Connection
from mininova.objects import FixedIP, ImageMeta
from mininova.service.images import named
from mininova.service.port_bindings import SETTING, NotToldOf, PortBindings
from mininova.wsgi import Parts

Json = dict[str, Any]

DEFAULT_GROUP = "default"  # the security group that each project has


class ProjectService(Protocol):
    """Knows the projects that a flavor or a quota can be for."""

    def exists(self, ctxt: RequestContext, project_id: str) -> bool:
        """Tell whether there is a project of this id."""
        ...


class AnyProject:
    """The project service of an api without one: it takes any project's id, as Nova does when it cannot ask."""

    def exists(self, ctxt: RequestContext, project_id: str) -> bool:
        """Believe it."""
        return True


class ServerPorts(PortBindings, Protocol):
    """Gives ports to servers, in transactions of ours; a network interface is asked for as in POST /servers."""

    def require_one_network(self, ctxt: RequestContext) -> None:
        """Refuse to choose a network for a caller whose project may use several."""
        ...

    def check(self, ctxt: RequestContext, wanted: Sequence[Json], count: int) -> None:
        """Refuse network interfaces that so many new servers cannot have."""
        ...

    def plug(
        self, tx: Connection, ctxt: RequestContext, instance_uuid: str, wanted: Sequence[Json]
    ) -> tuple[list[str], tuple[FixedIP, ...]]:
        """Give a server the ports that it asks for; name them, and give the addresses of all that it has."""
        ...

    def ports_of(self, ctxt: RequestContext, instance_uuid: str) -> list[Json]:
        """List the ports of a server, each in the form of the Networking API, with its ``tag``."""
        ...

    def networks(self, ctxt: RequestContext) -> list[Json]:
        """List the networks that a caller sees."""
        ...

    def add_address(self, ctxt: RequestContext, instance_uuid: str, network_id: str) -> None:
        """Give the port of a server in a network one more address."""
        ...

    def remove_address(self, ctxt: RequestContext, instance_uuid: str, address: str) -> None:
        """Take an address from a server."""
        ...


class FloatingIPs(Protocol):
    """Knows the floating IPs of projects, each in the form of the Networking API."""

    def search(self, ctxt: RequestContext) -> list[Json]:
        """List those of the caller's project."""
        ...

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one."""
        ...

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Take an address of a network that leads out."""
        ...

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Have one lead to another port, or to none."""
        ...

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Give one back."""
        ...


class NetworkService(Protocol):
    """Knows the security groups of projects, each in the form in which the Networking API has it, and servers' ports.

    What it raises says in its words what is wrong, and is one of ours by its kind.
    """

    @property
    def ports(self) -> ServerPorts:
        """What gives ports to servers."""
        ...

    @property
    def floating_ips(self) -> FloatingIPs:
        """What knows the floating IPs."""
        ...

    def search(self, ctxt: RequestContext) -> list[Json]:
        """List the groups that the caller sees."""
        ...

    def of_project(self, project_id: str, ids: Collection[str | None]) -> list[Json]:
        """Read some groups of a project; None among the ids means its default one."""
        ...

    def names(self, ids: Collection[str]) -> dict[str, str]:
        """Tell what some groups are called; those that are gone are left out."""
        ...

    def get(self, ctxt: RequestContext, id: str) -> Json:
        """Read one group."""
        ...

    def create(self, ctxt: RequestContext, body: Json) -> Json:
        """Make a group."""
        ...

    def update(self, ctxt: RequestContext, id: str, body: Json) -> Json:
        """Change what is said of a group."""
        ...

    def delete(self, ctxt: RequestContext, id: str) -> None:
        """Delete a group, unless it is in use."""
        ...

    def rule(self, ctxt: RequestContext, id: str) -> Json:
        """Read one rule."""
        ...

    def add_rule(self, ctxt: RequestContext, body: Json) -> Json:
        """Add a rule to a group."""
        ...

    def delete_rule(self, ctxt: RequestContext, id: str) -> None:
        """Delete a rule."""
        ...


class NoPorts(NotToldOf):
    """What gives ports to servers where there is no network service: there is the flat network, and no other."""

    def require_one_network(self, ctxt: RequestContext) -> None:
        """Find one."""

    def check(self, ctxt: RequestContext, wanted: Sequence[Json], count: int) -> None:
        """Refuse every other."""
        for nic in wanted:
            what = f"Port id {nic['port']}" if nic.get("port") else f"Network {nic.get('uuid')}"
            raise errors.InvalidInput(f"{what} could not be found.")

    def ports_of(self, ctxt: RequestContext, instance_uuid: str) -> list[Json]:
        """Find none."""
        return []

    def networks(self, ctxt: RequestContext) -> list[Json]:
        """Find none."""
        return []

    def __getattr__(self, name: str) -> Any:
        """Refuse all else."""
        raise errors.NotSupported("There is no network service.")


class NoNetwork:
    """The network service of an api without one: there are no security groups to choose from."""

    ports: Any = NoPorts()

    def search(self, ctxt: RequestContext) -> list[Json]:
        """Find none."""
        return []

    def of_project(self, project_id: str, ids: Collection[str | None]) -> list[Json]:
        """Find none."""
        return []

    def names(self, ids: Collection[str]) -> dict[str, str]:
        """Find none."""
        return {}

    def __getattr__(self, name: str) -> Any:
        """Refuse all else."""
        raise errors.NotSupported("There is no network service.")


def network_service(name: str | None, parts: Parts) -> NetworkService:
    """Make the network service that api-paste.ini names.

    :raises errors.ConfigError: when the name leads nowhere
    """
    service: NetworkService = named(SETTING, name)(parts) if name else NoNetwork()
    return service


def project_service(name: str | None, parts: Parts) -> ProjectService:
    """Make the project service that api-paste.ini names.

    :raises errors.ConfigError: when the name leads nowhere
    """
    service: ProjectService = named("project_service", name)(parts) if name else AnyProject()
    return service


def require_project(projects: ProjectService, ctxt: RequestContext, project_id: str) -> None:
    """Refuse a project that does not exist.

    :raises errors.InvalidInput: naming the project
    """
    if not projects.exists(ctxt, project_id):
        raise errors.InvalidInput(f"Project ID {project_id} is not a valid project.")


def groups_of(network: NetworkService, ctxt: RequestContext, project_id: str | None) -> list[Json]:
    """List the security groups of a project that the requester sees."""
    return [group for group in network.search(ctxt) if group["project_id"] == project_id]


def group_names(network: NetworkService, of: Mapping[str, Collection[str | None]]) -> dict[str, list[str]]:
    """Name the security groups of instances, by the instances' uuids; those that are gone are left out.

    :param of: their ids; None is the default one
    """
    names: dict[str | None, str] = {None: DEFAULT_GROUP}
    names.update(network.names({id for ids in of.values() for id in ids if id is not None}))
    return {uuid: sorted({names[id] for id in ids if id in names}) for uuid, ids in of.items()}


def group_named(name: str, among: Iterable[Json]) -> Json:
    """Find the security group that is meant by a name or an id.

    :raises errors.NotFound: when there is none
    :raises errors.Conflict: when there are several of this name
    """
    found = [group for group in among if name in (group["id"], group["name"])]
    if not found:
        raise errors.NotFound(f"Unable to find security_group with name or id '{name}'")
    if len(found) > 1:
        problem = f"Multiple security_group matches found for name '{name}', use an ID to be more specific."
        raise errors.Conflict(problem)
    return found[0]


def chosen_groups(network: NetworkService, ctxt: RequestContext, asked: Iterable[Json]) -> list[str] | None:
    """Give the ids of the security groups that a new server asks for; None means the default one alone.

    :raises errors.InvalidInput: when there is none of a name
    :raises errors.Conflict: when there are several of a name
    """
    names = {group["name"] for group in asked if group}
    if not names - {DEFAULT_GROUP}:
        return None
    there, found = groups_of(network, ctxt, ctxt.project_id), set()
    for name in sorted(names):
        try:
            found.add(group_named(name, there)["id"])
        except errors.NotFound as error:
            problem = f"Security group {name} not found for project {ctxt.project_id}."
            raise errors.InvalidInput(problem) from error
    return sorted(found)


def require_usable(image: ImageMeta) -> None:
    """Refuse an image without data.

    :raises errors.ImageNotActive: when it has none yet, or not any more
    """
    if image.status != "active":
        raise errors.ImageNotActive(image_id=image.id)
