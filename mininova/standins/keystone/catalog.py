"""The catalog: which services there are, and where each answers.

Bootstrap writes the built-in services down once, without an address: ``$(public_endpoint)s`` in a URL stands for
wherever the cloud is reached, so that one database serves under any name.  Services of others can be added over HTTP.
"""

import re
from typing import Any

from mininova.db.session import Connection
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import CatalogEndpoint, CatalogService

REGION = "RegionOne"
INTERFACES = ("public", "internal", "admin")

# What bootstrap writes: type, name, path below the public endpoint.  No URL but those of volumes has a project in it:
# gophercloud reads the version out of the last part, and Tempest appends the image API's version itself.  Volumes are
# there twice, since old clients look for the one type and new ones for the other.
IDENTITY = "/identity"
VOLUMES = "/volume/v3/$(project_id)s"
BUILT_IN = (
    ("identity", "keystone", IDENTITY),
    ("compute", "nova", "/compute/v2.1"),
    ("image", "glance", "/image"),
    ("network", "neutron", "/network"),
    ("block-storage", "cinder", VOLUMES),
    ("volumev3", "cinderv3", VOLUMES),
)

_VARIABLE = re.compile(r"[$%]\((\w+)\)s")


def entries(tx: Connection, public_endpoint: str, project_id: str | None) -> list[dict[str, Any]]:
    """Give the catalog as a token's body has it.

    :param public_endpoint: how the caller reaches the cloud, ``http://cloud.example.org:8774``
    :param project_id: what ``$(project_id)s`` in a URL stands for; without one such an endpoint is left out
    """
    values = {"public_endpoint": public_endpoint, "project_id": project_id, "tenant_id": project_id}
    endpoints: dict[str, list[dict[str, Any]]] = {}
    enabled = identity.search(tx, CatalogEndpoint, {"enabled": True})
    for endpoint in sorted(enabled, key=lambda endpoint: INTERFACES.index(endpoint.interface)):
        url = fill(endpoint.url, values)
        if url is not None:
            endpoints.setdefault(endpoint.service_id, []).append(_document(endpoint, url))
    return [
        {"id": service.id, "type": service.type, "name": service.name or "", "endpoints": endpoints.get(service.id, [])}
        for service in identity.search(tx, CatalogService, {"enabled": True})
    ]


def fill(url: str, values: dict[str, str | None]) -> str | None:
    """Put values in the place of a URL's variables; None when one of them has no value.

    Keystone's two ways of writing a variable are both understood; what is not known stays as it is.
    """
    names = _VARIABLE.findall(url)
    if any(name in values and values[name] is None for name in names):
        return None
    return _VARIABLE.sub(lambda found: values.get(found[1]) or found[0], url)


def _document(endpoint: CatalogEndpoint, url: str) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "interface": endpoint.interface,
        "region": endpoint.region_id,
        "region_id": endpoint.region_id,
        "url": url,
    }
