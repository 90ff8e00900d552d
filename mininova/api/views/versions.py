"""How the versions of the Compute API are shown: in a list, or one with the types of its bodies."""

from typing import Any

from mininova.api import microversions
from mininova.wsgi import Microversion, Request

#: The path of each → what does not depend on the request.  The first has no microversions; keystoneauth and Tempest
#: want it listed first.
VERSIONS: dict[str, dict[str, str]] = {
    "v2": {
        "id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": "",
        "updated": "2025-07-04T12:00:00Z",
    },
    "v2.1": {
        "id": "v2.1", "status": "CURRENT", "min_version": str(microversions.MIN),
        "updated": "2013-07-23T11:33:21Z",
    },
}  # fmt: skip
DOCUMENTATION = {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/api-ref/compute/"}
MEDIA_TYPE = "application/vnd.openstack.compute+json;version={}"


def list_versions(request: Request, maximum: Microversion) -> list[dict[str, Any]]:
    """Show all of them, as the list does.

    :param maximum: the newest microversion that the cloud speaks
    """
    return [_entry(request, path, maximum) for path in VERSIONS]


def show_version(request: Request, path: str, maximum: Microversion) -> dict[str, Any]:
    """Show the one that has this path, with the types of its bodies."""
    entry = _entry(request, path, maximum)
    media_type = {"base": "application/json", "type": MEDIA_TYPE.format(path.removeprefix("v"))}
    return entry | {"links": [*entry["links"], DOCUMENTATION], "media-types": [media_type]}


def _entry(request: Request, path: str, maximum: Microversion) -> dict[str, Any]:
    link = {"rel": "self", "href": f"{request.service_endpoint}/{path}/"}
    return {"version": str(maximum)} | VERSIONS[path] | {"links": [link]}
