"""Lists of servers over HTTP: which ones a query finds, and in which order.

The schema has checked the form of each parameter.  As in Nova, a filter that the caller may not use is ignored;
administrators may use them all.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from mininova import errors
from mininova.api.handlers.servers import extras_of
from mininova.api.paging import limit_of, marker_of, next_page, require_in_order
from mininova.api.request import FALSE, TRUE, ComputeRequest
from mininova.api.schemas.server_lists import LIST, OLD_SORT_KEYS
from mininova.api.validation import takes
from mininova.api.views.servers import OTHER_STATUSES, STATUS, STATUS_WHILE, Views
from mininova.db import instance_search
from mininova.db.instance_search import InstanceFilter
from mininova.objects import Instance
from mininova.wsgi.values import moment

Json = dict[str, Any]

NEVER = (99, 0)


def _boolean(name: str, value: str) -> bool:
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    acceptable = ", ".join(f"'{word}'" for word in sorted(TRUE | FALSE))
    raise errors.InvalidInput(f"Unrecognized value '{value}', acceptable values are: {acceptable}")


def _moment(name: str, value: str) -> datetime:
    try:
        return moment(value)
    except ValueError as reason:
        raise _FindsNothing from reason


def _yes_or_no(name: str, value: str) -> bool:
    if value.lower() in TRUE | FALSE:
        return value.lower() in TRUE
    raise _FindsNothing


def _deleted(name: str, value: str) -> bool:
    return value.lower() in TRUE


def _text(name: str, value: str) -> str:
    return value


def _list(name: str, value: str) -> list[str]:
    return value.split(",")


def _one(name: str, value: str) -> list[str]:
    return [value]


class _FindsNothing(Exception):
    """The value is not of the filter's kind, so that no server has it."""


# parameter: (what it asks of an instance, how its value is read, from which microversion on everybody may use it)
FILTERS: dict[str, tuple[str, Callable[[str, str], Any], tuple[int, int]]] = {
    "name": ("display_name", _text, (2, 1)),
    "image": ("image_ref", _text, (2, 1)),
    "flavor": ("flavor_id", _text, (2, 1)),
    "reservation_id": ("reservation_id", _text, (2, 1)),
    "ip": ("ip", _text, (2, 1)),
    "ip6": ("ip6", _text, (2, 5)),
    "changes-since": ("changes_since", _moment, (2, 1)),
    "changes-before": ("changes_before", _moment, (2, 66)),
    "tags": ("tags", _list, (2, 26)),
    "tags-any": ("tags_any", _list, (2, 26)),
    "not-tags": ("not_tags", _list, (2, 26)),
    "not-tags-any": ("not_tags_any", _list, (2, 26)),
    "locked": ("locked", _boolean, (2, 73)),
    "availability_zone": ("availability_zone", _text, (2, 83)),
    "config_drive": ("config_drive", _yes_or_no, (2, 83)),
    "key_name": ("key_name", _text, (2, 83)),
    "created_at": ("created_at", _moment, (2, 83)),
    "launched_at": ("launched_at", _moment, (2, 83)),
    "terminated_at": ("terminated_at", _moment, (2, 83)),
    "power_state": ("power_state", _text, (2, 83)),
    "task_state": ("task_states", _one, (2, 83)),
    "vm_state": ("vm_states", _one, (2, 83)),
    "progress": ("progress", _text, (2, 83)),
    "user_id": ("user_id", _text, (2, 83)),
    # for administrators
    "project_id": ("project_id", _text, NEVER),
    "tenant_id": ("project_id", _text, NEVER),
    "deleted": ("deleted", _deleted, NEVER),
    "uuid": ("uuids", _one, NEVER),
    "host": ("host", _text, NEVER),
    "node": ("node", _text, NEVER),
    "hostname": ("hostname", _text, NEVER),
    "image_ref": ("image_ref", _text, NEVER),
    "display_name": ("display_name", _text, NEVER),
    "display_description": ("display_description", _text, NEVER),
    "launch_index": ("launch_index", _text, NEVER),
    "locked_by": ("locked_by", _text, NEVER),
    "root_device_name": ("root_device_name", _text, NEVER),
    "access_ip_v4": ("access_ip_v4", _text, NEVER),
    "access_ip_v6": ("access_ip_v6", _text, NEVER),
}

# The schema accepts these names; Nova then refuses to filter by them.
REFUSED = (
    "block_device_mapping", "services", "metadata", "system_metadata", "info_cache", "security_groups", "pci_devices",
)  # fmt: skip

SORT_COLUMNS = {"auto_disk_config": "disk_config", "instance_type_id": "flavor_id"}
# Accepted, and ignored: all instances have the same value.
UNSORTED = frozenset({"kernel_id", "ramdisk_id", *OLD_SORT_KEYS})
ADMIN_SORT_KEYS = ("host", "node")


@takes(query=LIST)
def index(request: ComputeRequest) -> Json:
    """List servers."""
    request.require("servers:index")
    found = _search(request, "index")
    views = Views(request)
    return _page(request, "servers", found, [views.summary(instance) for instance in found])


@takes(query=LIST)
def detail(request: ComputeRequest) -> Json:
    """List servers with all their fields."""
    request.require("servers:detail")
    found = _search(request, "detail")
    return _page(request, "servers/detail", found, Views(request, extras_of(request, found)).details(found))


def _search(request: ComputeRequest, kind: str) -> list[Instance]:
    wanted = filter_of(request, kind)
    if wanted is None:
        return []
    sort = sort_of(request)
    with request.cloud.db.read() as tx:
        return instance_search.search(tx, wanted, limit=limit_of(request), marker=marker_of(request) or None, sort=sort)


def _page(request: ComputeRequest, path: str, found: Sequence[Instance], shown: list[Json]) -> Json:
    answer: Json = {"servers": shown}
    last = found[-1].uuid if found else ""
    if links := next_page(request, path, shown, limit_of(request), last):
        answer["servers_links"] = links
    return answer


def filter_of(request: ComputeRequest, kind: str) -> InstanceFilter | None:
    """Say which instances are to be listed; None when there can be none.

    :param kind: ``index`` or ``detail``
    :raises errors.InvalidInput: when a value makes no sense
    :raises errors.NotAllowed: when the caller may not see such servers
    """
    asked = _asked(request)
    try:
        wanted = {FILTERS[name][0]: FILTERS[name][1](name, value) for name, value in asked.items() if name in FILTERS}
    except _FindsNothing:
        return None
    if "status" in request.query:
        states = _states_of(request)
        if states is None:
            return None
        wanted |= states
    wanted.setdefault("deleted", None if wanted.keys() & {"changes_since", "changes_before"} else False)
    require_in_order(wanted.get("changes_since"), wanted.get("changes_before"))
    _confine(request, kind, wanted)
    return InstanceFilter(**wanted)


def sort_of(request: ComputeRequest) -> list[tuple[str, str]]:
    """Say in which order: by default the latest first.

    :raises errors.InvalidInput: when the directions make no sense
    :raises errors.NotAllowed: when only administrators may sort so
    """
    keys, directions = request.GET.getall("sort_key"), request.GET.getall("sort_dir")
    if any(direction not in ("asc", "desc") for direction in directions):
        raise errors.InvalidInput(reason="Unknown sort direction, must be 'desc' or 'asc'")
    if len(directions) > max(len(keys), 1):
        raise errors.InvalidInput(reason="Sort direction array size exceeds sort key array size")
    for key in ADMIN_SORT_KEYS:
        if key in keys and not request.context.is_admin:
            raise errors.NotAllowed(f"Only administrators can sort servers by {key}")
    otherwise = directions[0] if directions else "desc"
    directions += [otherwise] * (len(keys) - len(directions))
    sort = [
        (SORT_COLUMNS.get(key, key), direction)
        for key, direction in zip(keys, directions, strict=False)
        if key not in UNSORTED
    ]
    return sort or [("created_at", otherwise)]


def _asked(request: ComputeRequest) -> dict[str, str]:
    """Read the filters that the microversion has and the caller may use; all others are ignored."""
    version, every = request.api_version, request.allows("servers:allow_all_filters")
    known = LIST.schema(version)["properties"]
    asked = {}
    for name, value in request.query.items():
        if every and (name in REFUSED or name.startswith("_")):
            raise errors.InvalidInput(f"Invalid filter field: {name}.")
        if name in known and name in FILTERS and (every or version >= FILTERS[name][2]):
            asked[name] = value
    return asked


def _states_of(request: ComputeRequest) -> Json | None:
    """Turn statuses into states; None when no instance can have any of these statuses."""
    statuses = {status.upper() for status in request.GET.getall("status")}
    known = {*STATUS.values(), *STATUS_WHILE.values()}
    if not statuses & (known | OTHER_STATUSES) and request.api_version >= (2, 38):
        raise errors.InvalidInput("Invalid status value")
    if not statuses & known:
        return None
    vm_states = {vm_state for vm_state, status in STATUS.items() if status in statuses}
    tasks = {pair for pair, status in STATUS_WHILE.items() if status in statuses}
    states: Json = {"vm_states": vm_states | {vm_state for vm_state, _ in tasks}}
    if not vm_states:
        states["task_states"] = {task_state for _, task_state in tasks}
    if statuses == {"DELETED"}:
        if not request.context.is_admin:
            raise errors.NotAllowed("Only administrators may list deleted instances")
        states["deleted"] = True
    return states


def _confine(request: ComputeRequest, kind: str, wanted: Json) -> None:
    """Keep to the caller's project, unless all are asked for and may be seen."""
    value = request.query.get("all_tenants")
    if value is not None and (not value or _boolean("all_tenants", value)):
        request.require(f"servers:{kind}:get_all_tenants")
        return
    wanted["project_id"] = request.context.project_id
