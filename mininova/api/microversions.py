"""Which microversion a request asks for, and how the answer says it.

Two headers carry it: ``OpenStack-API-Version: compute 2.47`` and the older ``X-OpenStack-Nova-API-Version: 2.47``.
Both are read and both are answered.  What a version changes is said where it changes it: in routes.py, in the
schemas and in the views.  Below ``/v2`` there are none: 2.0 is 2.1 with bodies that are read less strictly.
"""

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.wsgi import Microversion, Request, Response
from mininova.wsgi.request import API_VERSION

LEGACY, MIN, MAX = Microversion(2, 0), Microversion(2, 1), Microversion(2, 104)

HEADER, LEGACY_HEADER = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


def newest(conf: ConfigOpts) -> Microversion:
    """Give the newest microversion that a cloud speaks: MAX, or the older one that its operator has it play.

    :raises errors.ConfigError: when ``[api] max_microversion`` is none of ours
    """
    asked: str | None = conf.api.max_microversion
    try:
        version = MAX if asked is None else Microversion.parse(asked)
    except ValueError as reason:
        raise errors.ConfigError(problem=f"[api] max_microversion: {reason}") from reason
    if not MIN <= version <= MAX:
        raise errors.ConfigError(problem=f"[api] max_microversion is {version}, and must be between {MIN} and {MAX}")
    return version


def negotiate(request: Request, maximum: Microversion) -> None:
    """Find the microversion that a request asks for, and keep it as ``request.api_version``; MIN without a header.

    :raises errors.InvalidInput: when what the header says is no version
    :raises errors.NotAcceptable: when we do not speak it, naming those that we do
    """
    version = request.environ[API_VERSION] = _version(_asked(request), maximum)
    if not MIN <= version <= maximum:
        raise errors.NotAcceptable(version=version, minimum=MIN, maximum=maximum)


def announce(request: Request, response: Response) -> None:
    """Say in the response which version it is in, if one was negotiated."""
    version = request.environ.get(API_VERSION, LEGACY)
    if version == LEGACY:
        return
    response.headers[HEADER] = f"compute {version}"
    response.headers[LEGACY_HEADER] = str(version)
    response.headers.add("Vary", f"{HEADER}, {LEGACY_HEADER}")


def _version(asked: str | None, latest: Microversion) -> Microversion:
    if asked is None:
        return MIN
    if asked == "latest":
        return latest
    try:
        return Microversion.parse(asked)
    except ValueError as reason:
        raise errors.InvalidInput(
            f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        ) from reason


def _asked(request: Request) -> str | None:
    """Give what the headers ask for; the newer one may name other services, too (``compute 2.47, identity 3.0``)."""
    for part in request.headers.get(HEADER, "").split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip().lower()
    legacy = request.headers.get(LEGACY_HEADER)
    return legacy.strip().lower() if legacy is not None else None
