"""The size of an instance."""

from typing import Annotated

from msgspec import Meta

from mininova.objects.base import Versioned

Factor = Annotated[float, Meta(ge=0, le=3.40282e38)]


class Flavor(Versioned, frozen=True, kw_only=True):
    """How much of a host an instance gets; embedded in the instance, so that a later change does not reach it.

    :param memory_mb: MiB of memory
    :param root_gb: GiB of root disk; 0 means as large as the image
    :param ephemeral_gb: GiB of a second, empty disk
    :param swap_mb: MiB of swap
    """

    flavor_id: str
    name: str
    memory_mb: int
    vcpus: int
    root_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    rxtx_factor: Factor = 1.0
    is_public: bool = True
    disabled: bool = False
    description: str | None = None
    extra_specs: dict[str, str] = {}

    @property
    def disk_gb(self) -> int:
        """GiB of disk that a host must have for it."""
        return self.root_gb + self.ephemeral_gb + (self.swap_mb + 1023) // 1024
