"""Which microversion a request asks for, and how the answer says it.

Two headers carry it: ``OpenStack-API-Version: compute 2.47`` and the older ``X-OpenStack-Nova-API-Version: 2.47``.
Both are read and both are answered.  What a version changes is said where it changes it: in routes.py, in the
schemas and in the views.
"""

from mininova import errors
from mininova.wsgi import Microversion, Request, Response

MIN, MAX = Microversion(2, 1), Microversion(2, 96)

HEADER, LEGACY_HEADER = "OpenStack-API-Version", "X-OpenStack-Nova-API-Version"


def negotiate(request: Request) -> Microversion:
    """Find the microversion that a request is to be answered in; without a header it is the oldest.

    :raises errors.InvalidInput: when what the header says is no version
    """
    asked = _asked(request)
    if asked is None:
        return MIN
    if asked == "latest":
        return MAX
    try:
        return Microversion.parse(asked)
    except ValueError as reason:
        raise errors.InvalidInput(
            f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum."
        ) from reason


def require_known(version: Microversion) -> None:
    """Refuse a version that we do not speak.

    :raises errors.NotAcceptable: naming those that we do
    """
    if not MIN <= version <= MAX:
        raise errors.NotAcceptable(version=version, minimum=MIN, maximum=MAX)


def announce(version: Microversion, response: Response) -> None:
    """Say in the response which version it is in."""
    response.headers[HEADER] = f"compute {version}"
    response.headers[LEGACY_HEADER] = str(version)
    response.headers.add("Vary", f"{HEADER}, {LEGACY_HEADER}")


def _asked(request: Request) -> str | None:
    """Give what the headers ask for; the newer one may name other services, too (``compute 2.47, identity 3.0``)."""
    for part in request.headers.get(HEADER, "").split(","):
        service, _, version = part.strip().partition(" ")
        if service.lower() == "compute":
            return version.strip().lower()
    legacy = request.headers.get(LEGACY_HEADER)
    return legacy.strip().lower() if legacy is not None else None
