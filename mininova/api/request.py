"""A request to the Compute API, as handlers see it.

Handlers are plain functions that take one of these; what they work with is in ``request.cloud``.
"""

from dataclasses import dataclass
from functools import cached_property

from oslo_config.cfg import ConfigOpts

from mininova.api.attachments import Attachments
from mininova.api.boot_volumes import BootVolumes
from mininova.api.interfaces import Interfaces
from mininova.api.live_migrations import LiveMigrations
from mininova.api.microversions import LEGACY
from mininova.api.operations import Operations
from mininova.api.other_services import NetworkService, ProjectService
from mininova.api.policy import Policy
from mininova.api.questions import Questions
from mininova.api.views.links import Links
from mininova.db.session import Database
from mininova.rpc import Notifier
from mininova.service.images import ImageService
from mininova.wsgi import Request

CLOUD = "mininova.cloud"
PROJECT_IN_URL = "mininova.project_in_url"


@dataclass(frozen=True)
class Cloud:
    """What the handlers of one api process share.

    :param images: the image service
    :param projects: knows which projects there are; ``network`` the security groups
    :param operations: changes instances; ``live_migrations`` changes their course
    :param interfaces: attaches and detaches their network interfaces
    :param attachments: gives them volumes, and takes them away; ``boot_volumes`` makes those that boot with volumes
    :param questions: asks compute nodes
    :param notifier: tells the world of what handlers change themselves
    """

    conf: ConfigOpts
    db: Database
    policy: Policy
    images: ImageService
    projects: ProjectService
    network: NetworkService
    operations: Operations
    live_migrations: LiveMigrations
    interfaces: Interfaces
    questions: Questions
    notifier: Notifier
    attachments: Attachments
    boot_volumes: BootVolumes


class ComputeRequest(Request):
    """A request that handlers of the Compute API take."""

    @property
    def cloud(self) -> Cloud:
        """What the handler works with."""
        cloud: Cloud = self.environ[CLOUD]
        return cloud

    @cached_property
    def links(self) -> Links:
        """Make links into the API as this caller sees it."""
        version = "v2" if self.api_version == LEGACY else "v2.1"
        return Links(self.service_endpoint, version, self.environ.get(PROJECT_IN_URL, ""))

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; of one that is there twice, the last, as in Nova."""
        return dict(self.GET.items())

    def require(self, rule: str, project_id: str | None = None, user_id: str | None = None) -> None:
        """Refuse what the caller may not do.

        :raises errors.NotAllowed: naming the rule
        """
        self.cloud.policy.require(self.context, rule, project_id, user_id)

    def allows(self, rule: str, project_id: str | None = None, user_id: str | None = None) -> bool:
        """Tell whether the caller may do something."""
        return self.cloud.policy.allows(self.context, rule, project_id, user_id)


TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
