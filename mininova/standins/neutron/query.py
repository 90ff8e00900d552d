"""What a client wants of a list: filters, order, a page of it, and some fields of each (Networking API v2.0).

The lists are short, but for the ports of a large project, and those are found by their server first; so all of a list
is made, and chosen from here.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from mininova import errors
from mininova.wsgi import Request
from mininova.wsgi.values import whole

Json = dict[str, Any]

# What is said of a list and is no filter.
CONTROLS = {"fields", "limit", "marker", "sort_key", "sort_dir", "page_reverse"}


def answer(request: Request, key: str, documents: Sequence[Json], id: str = "id") -> Json:
    """Give what is wanted of a list, under its key, with links to the next page.

    A list is filtered by each field that its documents have; by others, nothing is chosen.

    :param id: the field that tells it from others, which ``marker`` is
    :raises errors.InvalidInput: naming the parameter that is wrong
    """
    found = _sorted(request, [each for each in documents if _matches(request, each)])
    page, links = _page(request, key, found, id)
    return {key: [fields(request, each) for each in page], **links}


def fields(request: Request, document: Json) -> Json:
    """Give the fields of a document that are asked for; all, if none are."""
    wanted = request.GET.getall("fields")
    return {name: value for name, value in document.items() if name in wanted} if wanted else document


def _matches(request: Request, document: Json) -> bool:
    if "tags" in document and not _is_tagged(request, set(document["tags"])):
        return False
    asked = (name for name in document if name in request.GET and name not in CONTROLS and name not in TAGS)
    return all(_is_one_of(document[name], request.GET.getall(name)) for name in asked)


#: What a list may ask of tags: parameter → whether it holds of those that a thing has and those that are named.
TAGS: dict[str, Callable[[set[str], set[str]], bool]] = {
    "tags": lambda had, named: named <= had,
    "tags-any": lambda had, named: bool(named & had),
    "not-tags": lambda had, named: not named <= had,
    "not-tags-any": lambda had, named: not named & had,
}


def _is_tagged(request: Request, had: set[str]) -> bool:
    asked = [(holds, text) for name, holds in TAGS.items() for text in request.GET.getall(name)]
    return all(holds(had, set(text.split(","))) for holds, text in asked)


def _is_one_of(value: Any, texts: Sequence[str]) -> bool:
    """Compare a value with what a query says it may be.

    Of a list of objects a query says ``ip_address=10.0.0.2``: for each of their keys that it names, one must fit.
    """
    if not isinstance(value, list):
        return any(_is(value, text) for text in texts)
    if not any(isinstance(each, dict) for each in value):
        return not set(value).isdisjoint(texts)
    had = {f"{key}={it}" for each in value for key, it in each.items()}
    wanted: dict[str, set[str]] = {}
    for text in texts:
        wanted.setdefault(text.partition("=")[0], set()).add(text)
    return all(not had.isdisjoint(any_of) for any_of in wanted.values())


def _is(value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return text.lower() in (("true", "1") if value else ("false", "0"))
    return str("" if value is None else value) == text


def _sorted(request: Request, documents: list[Json]) -> list[Json]:
    keys, directions = request.GET.getall("sort_key"), request.GET.getall("sort_dir")
    if len(directions) not in (0, len(keys)):
        raise errors.InvalidInput("The number of sort_keys and sort_dirs must be same")
    for key, direction in reversed(list(zip(keys, directions or ["asc"] * len(keys), strict=True))):
        if direction not in ("asc", "desc"):
            raise errors.InvalidInput(f"Invalid input for sort_dir: '{direction}' is neither asc nor desc.")
        if documents and key not in documents[0]:
            raise errors.InvalidInput(f"{key} is invalid attribute for sort_keys")
        documents.sort(key=lambda document: _orderly(document[key]), reverse=direction == "desc")
    return documents


def _orderly(value: Any) -> tuple[bool, Any]:
    """Have numbers compared as numbers, and what is not there come first."""
    return (value is not None, value if isinstance(value, int) else str(value))


def _page(request: Request, key: str, documents: list[Json], id: str) -> tuple[list[Json], Json]:
    marker = request.GET.get("marker")
    if marker is not None:
        ids = [each[id] for each in documents]
        if marker not in ids:
            raise errors.InvalidInput(f"Invalid input for marker: there is no {marker} here.")
        documents = documents[ids.index(marker) + 1 :]
    limit = _limit(request.GET.get("limit", "0"))
    if not limit or len(documents) <= limit:
        return documents, {}
    page = documents[:limit]
    others = request.GET.copy()
    others["marker"] = page[-1][id]
    href = f"{request.service_endpoint}{request.path_info}?{urlencode(list(others.items()))}"
    return page, {f"{key}_links": [{"rel": "next", "href": href}]}


def _limit(text: str) -> int:
    try:
        limit = whole(text)
    except ValueError:
        limit = -1
    if limit < 0:
        raise errors.InvalidInput(f"Invalid input for limit: '{text}' is no number, or less than 0.")
    return limit
