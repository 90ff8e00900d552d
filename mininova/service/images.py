"""What the services of Nova ask of an image service: the api and a conductor, each of the one that is configured.

``image_service`` of ``[app:compute_app]`` in api-paste.ini names who answers, as ``module:function``.  The api calls
that function when it is loaded, and a conductor when it needs the first image: to give it its data, or to delete it.
The stand-in answers from the same database; a class that asks a real Glance over HTTP takes its place by that line.
"""

import configparser
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import ImageMeta, ImageQuery, KnownImage
from mininova.plugins.paste import paste_file

if TYPE_CHECKING:
    from mininova.wsgi import Parts

SECTION, SETTING = "app:compute_app", "image_service"


class ImageService(Protocol):
    """Knows the images that a server can be booted from, and takes those that are made of servers."""

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Read one image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        """
        ...

    def create(
        self,
        ctxt: RequestContext,
        name: str,
        *,
        min_ram: int = 0,
        min_disk: int = 0,
        properties: Mapping[str, str] = {},
        shared_with: str | None = None,
    ) -> str:
        """Make an image of the requester's project, as yet without data, and give its id.

        :param shared_with: the project that may use it, too; without one it is private
        :raises errors.NotAllowed: when the requester may make none
        """
        ...

    def upload(self, ctxt: RequestContext, image_id: str, data: bytes, properties: Mapping[str, str]) -> None:
        """Give an image its data, and more properties; one that has data keeps it.

        :raises errors.ImageNotFound: when it was deleted
        """
        ...

    def delete(self, ctxt: RequestContext, image_id: str) -> None:
        """Delete an image and its data.

        :raises errors.ImageNotFound: when it was deleted
        :raises errors.NotAllowed: when it is protected
        """
        ...

    def search(self, ctxt: RequestContext, wanted: ImageQuery) -> list[KnownImage]:
        """List the images that the requester may use, the latest first.

        :raises errors.InvalidInput: when there is no such marker
        """
        ...

    def describe(self, ctxt: RequestContext, image_id: str, properties: Mapping[str, str]) -> None:
        """Replace what is said of an image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        :raises errors.NotAllowed: when it is another project's
        """
        ...


class NoImages:
    """The image service of a cloud without one: no server can be booted."""

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Find no image."""
        raise errors.ImageNotFound(image_id=image_id)

    def create(self, ctxt: RequestContext, name: str, **more: Any) -> str:
        """Take no image."""
        raise errors.NotSupported("There is no image service.")

    def upload(self, ctxt: RequestContext, image_id: str, data: bytes, properties: Mapping[str, str]) -> None:
        """Find no image."""
        raise errors.ImageNotFound(image_id=image_id)

    def delete(self, ctxt: RequestContext, image_id: str) -> None:
        """Find no image."""
        raise errors.ImageNotFound(image_id=image_id)

    def search(self, ctxt: RequestContext, wanted: ImageQuery) -> list[KnownImage]:
        """Find no image."""
        return []

    def describe(self, ctxt: RequestContext, image_id: str, properties: Mapping[str, str]) -> None:
        """Find no image."""
        raise errors.ImageNotFound(image_id=image_id)


def image_service(name: str | None, parts: "Parts") -> ImageService:
    """Make the image service that api-paste.ini names.

    :raises errors.ConfigError: when the name leads nowhere
    """
    service: ImageService = named(SETTING, name)(parts) if name else NoImages()
    return service


def configured(conf: ConfigOpts, setting: str = SETTING) -> str | None:
    """Read which image service, or other service, api-paste.ini names; None when it names none."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read(paste_file(conf.api.paste_config), encoding="utf-8")
    return parser.get(SECTION, setting, fallback=None)


def named(setting: str, name: str) -> Callable[["Parts"], Any]:
    """Find the function that ``module:function`` names."""
    try:
        made: Callable[[Parts], Any] = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        problem = f"{setting} = {name} in [{SECTION}] of api-paste.ini leads nowhere: {error}"
        raise errors.ConfigError(problem=problem) from error
    return made
