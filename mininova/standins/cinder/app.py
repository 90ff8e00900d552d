"""The volume service as Paste Deploy starts it: the table of routes below ``/v3``, in any microversion."""

import pkgutil
import re

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import ImageMeta
from mininova.standins.cinder import routes
from mininova.standins.cinder.service import Service
from mininova.standins.cinder.versions import MAX, MIN
from mininova.wsgi import Application, Microversion, Request, Response, current_parts
from mininova.wsgi.request import API_VERSION

HEADER, SERVICE_TYPE = "OpenStack-API-Version", "volume"

# A project's id may stand before the rest; no collection has a name like one.
_PATH = re.compile(r"^/v3(?:/([0-9a-fA-F]{32}))?(/.*)$")


class VolumeApplication(Application):
    """Answers requests to the Block Storage API."""

    def __init__(self, service: Service) -> None:
        super().__init__(routes.table(service), "compute")

    def open(self, request: Request) -> str:
        """Find out in which microversion, and where below the project, the request goes."""
        path = _PATH.match(request.path_info)
        if path is None:
            raise errors.NotFound()
        request.environ[API_VERSION] = _version(request)
        if path[1] not in (None, request.context.project_id):
            raise errors.InvalidInput("Malformed request url")
        return path[2]

    def close(self, request: Request, response: Response) -> None:
        """Say which microversion the answer is in."""
        if API_VERSION in request.environ:
            response.headers[HEADER] = f"{SERVICE_TYPE} {request.environ[API_VERSION]}"
            response.headers.add("Vary", HEADER)


def _version(request: Request) -> Microversion:
    """Read the microversion that a request asks for; the oldest without a header.

    :raises errors.InvalidInput: when what the header says is no version
    :raises errors.NotAcceptable: when we do not speak it
    """
    for part in request.headers.get(HEADER, "").split(","):
        service, _, text = part.strip().partition(" ")
        if service.lower() not in (SERVICE_TYPE, "block-storage"):
            continue
        if text.strip() == "latest":
            return MAX
        try:
            version = Microversion.parse(text.strip())
        except ValueError:
            raise errors.InvalidInput(
                f"API Version String {text:.50} is of invalid format. Must be of format MajorNum.MinorNum."
            ) from None
        if not MIN <= version <= MAX:
            raise errors.NotAcceptable(version=version, minimum=MIN, maximum=MAX)
        return version
    return MIN


def app_factory(global_conf: dict[str, str], image_service: str | None = None) -> VolumeApplication:
    """Make the Paste application ``volume_app``.

    :param image_service: names the function that makes it, as for ``compute_app``; without one no volume is made of an
        image
    """
    parts = current_parts()
    image = pkgutil.resolve_name(image_service)(parts).get if image_service else _no_image
    return VolumeApplication(Service(parts.db, image))


def _no_image(ctxt: RequestContext, image_id: str) -> ImageMeta:
    raise errors.ImageNotFound(image_id=image_id)
