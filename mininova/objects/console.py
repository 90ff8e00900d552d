"""Where a guest's console can be reached, as its host tells it."""

from typing import Annotated, ClassVar

from msgspec import Meta

from mininova.objects.base import Versioned


class Console(Versioned, frozen=True, kw_only=True):
    """A console that a proxy can connect to.

    :param host: the address on which the hypervisor listens; likewise ``port``
    :param internal_access_path: which of the consoles there it is; a proxy says it first
    :param access_url_base: the URL of the proxy's page, to which the token is added
    """

    version: ClassVar[str] = "1.0"

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)]
    internal_access_path: str
    access_url_base: str
