"""A version of the API, shown below one of them; the same documents without a token are in mininova/api/versions.py."""

from typing import Any

from mininova import errors
from mininova.api import microversions
from mininova.api.request import ComputeRequest
from mininova.api.views.versions import VERSIONS, show_version


def show(request: ComputeRequest, id: str) -> dict[str, Any]:
    """Show a version by its id; below ``/v2`` any id means that one, as in Nova."""
    wanted = "v2.0" if request.api_version == microversions.LEGACY else id
    for path, version in VERSIONS.items():
        if version["id"] == wanted:
            return {"version": show_version(request, path, microversions.newest(request.cloud.conf))}
    raise errors.NotFound()
