"""What the api asks of other services: an image of Glance, a project of Keystone.

``[app:compute_app]`` in api-paste.ini names who answers, as ``module:function``; app.py calls each function once, with
the parts of the process, when the api is loaded.  The stand-ins answer from the same database; a class that asks a
real Glance or Keystone over HTTP takes their place by that line alone.  Nothing in the api imports either.
"""

import pkgutil
from collections.abc import Callable
from typing import Any, Protocol

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import ImageMeta
from mininova.wsgi import Parts


class ImageService(Protocol):
    """Knows the images that a server can be booted from."""

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Read one image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        """
        ...


class ProjectService(Protocol):
    """Knows the projects that a flavor or a quota can be for."""

    def exists(self, ctxt: RequestContext, project_id: str) -> bool:
        """Tell whether there is a project of this id."""
        ...


class NoImages:
    """The image service of an api without one: no server can be booted."""

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Find no image."""
        raise errors.ImageNotFound(image_id=image_id)


class AnyProject:
    """The project service of an api without one: it takes any project's id, as Nova does when it cannot ask."""

    def exists(self, ctxt: RequestContext, project_id: str) -> bool:
        """Believe it."""
        return True


def image_service(name: str | None, parts: Parts) -> ImageService:
    """Make the image service that api-paste.ini names.

    :raises errors.ConfigError: when the name leads nowhere
    """
    service: ImageService = _named("image_service", name)(parts) if name else NoImages()
    return service


def project_service(name: str | None, parts: Parts) -> ProjectService:
    """Make the project service that api-paste.ini names.

    :raises errors.ConfigError: when the name leads nowhere
    """
    service: ProjectService = _named("project_service", name)(parts) if name else AnyProject()
    return service


def _named(setting: str, name: str) -> Callable[[Parts], Any]:
    """Find the function that ``module:function`` names."""
    try:
        made: Callable[[Parts], Any] = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        problem = f"{setting} = {name} in [app:compute_app] of api-paste.ini leads nowhere: {error}"
        raise errors.ConfigError(problem=problem) from error
    return made


def require_project(projects: ProjectService, ctxt: RequestContext, project_id: str) -> None:
    """Refuse a project that does not exist.

    :raises errors.InvalidInput: naming the project
    """
    if not projects.exists(ctxt, project_id):
        raise errors.InvalidInput(f"Project ID {project_id} is not a valid project.")


def require_usable(image: ImageMeta) -> None:
    """Refuse an image without data.

    :raises errors.ImageNotActive: when it has none yet, or not any more
    """
    if image.status != "active":
        raise errors.ImageNotActive(image_id=image.id)
