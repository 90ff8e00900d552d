"""What the api asks of other services: an image of Glance (service/images.py), a project of Keystone.

``[app:compute_app]`` in api-paste.ini names who answers, as ``module:function``; app.py calls each function once, with
the parts of the process, when the api is loaded.  The stand-ins answer from the same database; a class that asks a
real Glance or Keystone over HTTP takes their place by that line alone.  Nothing in the api imports either.
"""

from typing import Protocol

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import ImageMeta
from mininova.service.images import named
from mininova.wsgi import Parts


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


def require_usable(image: ImageMeta) -> None:
    """Refuse an image without data.

    :raises errors.ImageNotActive: when it has none yet, or not any more
    """
    if image.status != "active":
        raise errors.ImageNotActive(image_id=image.id)
