"""What a user asked for, as the scheduler reads it, and what the scheduler answers."""

from typing import Annotated, ClassVar

from mininova.objects.base import Versioned
from mininova.objects.flavor import Flavor
from mininova.objects.image_meta import ImageMeta
from mininova.rpc.versions import since


class Retry(Versioned, frozen=True, kw_only=True):
    """Which hosts were tried for an instance, and how it failed on the last of them."""

    attempts: int = 0
    hosts: tuple[str, ...] = ()
    reason: str = ""


class RequestSpec(Versioned, frozen=True, kw_only=True):
    """Everything that placing instances depends on, and nothing secret.

    :param has_volumes: whether they boot with volumes, from one of them or not
    """

    version: ClassVar[str] = "1.1"

    flavor: Flavor
    image: ImageMeta
    project_id: str
    num_instances: int = 1
    availability_zone: str | None = None
    requested_host: str | None = None
    requested_node: str | None = None
    scheduler_hints: dict[str, str] = {}
    retry: Retry = Retry()
    has_volumes: Annotated[bool, since("1.1")] = False

    @property
    def group(self) -> str | None:
        """The server group that the instances are to be members of."""
        return self.scheduler_hints.get("group") or None


class Selection(Versioned, frozen=True, kw_only=True):
    """A host for one instance; the first of a list has its resources claimed, the others are alternates."""

    host: str
    node: str
    availability_zone: str
