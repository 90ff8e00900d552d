"""Links: how a thing in an answer says where it is.

Every URL begins with the service's endpoint (Request.service_endpoint).
"""

from typing import Any
from urllib.parse import quote, urlencode


class Links:
    """Makes links into one request's view of the API.

    :param root: the URL of the Compute API without its version, such as ``http://host:8774/compute``
    :param version: the version in the request's URL, ``v2.1``
    :param project: the project in the request's URL, ``/{project_id}``, or nothing
    """

    __slots__ = ("_bookmarks", "_selves")

    def __init__(self, root: str, version: str, project: str = "") -> None:
        self._selves = f"{root}/{version}{project}/"
        self._bookmarks = f"{root}{project}/"

    def to(self, collection: str, id: str) -> list[dict[str, str]]:
        """Link to a thing: with the version in the URL, and without."""
        return [
            {"rel": "self", "href": f"{self._selves}{collection}/{id}"},
            {"rel": "bookmark", "href": f"{self._bookmarks}{collection}/{id}"},
        ]

    def bookmark(self, collection: str, id: str) -> list[dict[str, str]]:
        """Link to a thing without a version in the URL."""
        return [{"rel": "bookmark", "href": f"{self._bookmarks}{collection}/{id}"}]

    def url(self, path: str) -> str:
        """Give the URL of a path below the version; a header, for one, takes no other characters."""
        return self._selves + quote(path)

    def next(self, path: str, query: list[tuple[str, Any]], marker: str) -> list[dict[str, str]]:
        """Link to the page after this one."""
        kept = [(name, value) for name, value in query if name != "marker"]
        return [{"rel": "next", "href": f"{self._selves}{path}?{urlencode([*kept, ('marker', marker)])}"}]
