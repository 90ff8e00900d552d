"""The Compute API as an application: the table of routes, below ``/v2.1`` in any microversion, and below ``/v2``.

The Paste factory at the end puts an api process together.
"""

import re
from dataclasses import replace

from mininova import errors
from mininova.api import microversions, other_services
from mininova.api.attachments import Attachments
from mininova.api.boot_volumes import BootVolumes
from mininova.api.interfaces import Interfaces
from mininova.api.live_migrations import LiveMigrations
from mininova.api.operations import Operations
from mininova.api.policy import Policy
from mininova.api.questions import Questions
from mininova.api.request import CLOUD, PROJECT_IN_URL, Cloud, ComputeRequest
from mininova.api.routes import ALIASES, REMOVED, ROUTES
from mininova.api.schemas.types import NO_QUERY
from mininova.api.validation import takes
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.service import images, volumes
from mininova.service.attachments import AttachmentEnds
from mininova.wsgi import Application, Request, Response, Route
from mininova.wsgi.deploy import current_parts
from mininova.wsgi.request import API_VERSION

# A project's id may stand between the version and the rest; no collection has a name like one.
_PATH = re.compile(r"^/(v2|v2\.1)(/[0-9a-fA-F-]+)?(/.*)$")


class ComputeApplication(Application):
    """Answers requests to the Compute API."""

    request_class = ComputeRequest

    def __init__(self, cloud: Cloud) -> None:
        super().__init__((*map(strict, ROUTES + ALIASES), *REMOVED), "compute")
        self._cloud, self._maximum = cloud, microversions.newest(cloud.conf)

    def open(self, request: Request) -> str:
        """Find out in which version, and where below it, the request goes."""
        request.environ[CLOUD] = self._cloud
        path = _PATH.match(request.path_info)
        if path is None:
            raise errors.NotFound()
        version, project, rest = path.groups()
        if rest.endswith("/"):  # which would pass for the list, where a client left the id out
            raise errors.NotFound()
        if version == "v2":
            request.environ[API_VERSION] = microversions.LEGACY
        else:
            microversions.negotiate(request, self._maximum)
        if project is not None:
            _require_own(request, project[1:])
            request.environ[PROJECT_IN_URL] = project
        return rest

    def close(self, request: Request, response: Response) -> None:
        """Say which microversion the answer is in."""
        microversions.announce(request, response)


def strict(route: Route) -> Route:
    """Have a handler that says nothing of a query refuse one, in the microversions in which Nova does.

    As in Nova, what changes something passes over the parameters that it does not know.
    """
    if route.method != "GET" or getattr(route.handler, "query", None) is not None:
        return route
    return replace(route, handler=takes(query=NO_QUERY)(route.handler))


def _require_own(request: Request, project_id: str) -> None:
    own = request.context.project_id
    if project_id != own:
        raise errors.InvalidInput(
            f"Malformed request URL: URL's project_id '{project_id}' doesn't match Context's project_id '{own}'"
        )


def app_factory(
    global_conf: dict[str, str],
    image_service: str | None = None,
    project_service: str | None = None,
    network_service: str | None = None,
    volume_service: str | None = None,
    **unknown: str,
) -> ComputeApplication:
    """Make the Paste application ``compute_app``.

    :param image_service: names the function that makes it, see service/images.py, and volume_service, see
        service/volumes.py
    :param project_service: and network_service, see other_services.py
    :raises errors.ConfigError: when a line of its section leads nowhere, or has a name that nothing reads
    """
    if unknown:
        raise errors.ConfigError(problem=f"[app:compute_app] of api-paste.ini: nothing reads {', '.join(unknown)}")
    parts = current_parts()
    compute = ComputeAPI(parts.peer)
    operations = Operations(parts.conf, parts.db, ConductorAPI(parts.peer), compute, parts.notifier)
    its_images = images.image_service(image_service, parts)
    its_volumes = volumes.volume_service(volume_service, parts)
    ends = AttachmentEnds(parts.db, parts.notifier, lambda: its_volumes)
    projects = other_services.project_service(project_service, parts)
    network = other_services.network_service(network_service, parts)
    cloud = Cloud(
        parts.conf, parts.db, Policy(parts.conf), its_images, projects, network, operations,
        LiveMigrations(parts.db, compute, parts.notifier), Interfaces(parts.db, compute, network.ports),
        Questions(parts.db, compute, parts.conf.service_down_time, parts.conf.consoleauth.token_ttl), parts.notifier,
        Attachments(parts.conf, parts.db, compute, ends), BootVolumes(parts.conf, parts.db, operations, ends),
    )  # fmt: skip
    return ComputeApplication(cloud)
