"""Security groups over HTTP: which ones a server has, and, until 2.35, the groups of a project and their rules.

The groups are Neutron's.  Nova knows which of them a server has, and for the rest passes on what it is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

from mininova import errors
from mininova.api.handlers.servers import find
from mininova.api.other_services import group_named, groups_of
from mininova.api.paging import limit_of, number
from mininova.api.request import ComputeRequest
from mininova.api.schemas import security_groups as schemas
from mininova.api.validation import takes
from mininova.api.views.security_groups import ALL_PORTS, ANY, show_group, show_rule
from mininova.db import instances, ports
from mininova.objects import Instance
from mininova.wsgi import Reply

Json = dict[str, Any]

PROTOCOLS = ("TCP", "UDP", "ICMP")


# ---- of a server


@takes(query=schemas.OF_SERVER)
def of_server(request: ComputeRequest, server_id: str) -> Json:
    """List the security groups of a server."""
    instance = find(request, server_id, "os-security-groups:list")
    with request.cloud.db.read() as tx:
        ids = ports.security_groups(tx, [instance.uuid]).get(instance.uuid, {None})
    groups = [] if instance.networks == "none" else request.cloud.network.of_project(instance.project_id, ids)
    return _listed(groups, _known(request) if groups else {})


@takes(body=schemas.ADD)
def add(request: ComputeRequest, id: str) -> Reply:
    """Give a server a security group; giving it again changes nothing."""
    instance = find(request, id, "os-security-groups:add")
    if instance.networks == "none":
        raise errors.InvalidInput(
            "Network requires port_security_enabled and subnet associated in order to apply security groups."
        )
    return _change(request, instance, request.document["addSecurityGroup"]["name"], _with)


@takes(body=schemas.REMOVE)
def remove(request: ComputeRequest, id: str) -> Reply:
    """Take a security group from a server."""
    instance = find(request, id, "os-security-groups:remove")
    return _change(request, instance, request.document["removeSecurityGroup"]["name"], _without, must_have=True)


def _with(ids: Sequence[str], id: str) -> Sequence[str]:
    return ids if id in ids else [*ids, id]


def _without(ids: Sequence[str], id: str) -> Sequence[str]:
    return [each for each in ids if each != id]


def _change(
    request: ComputeRequest,
    instance: Instance,
    name: str,
    change: Callable[[Sequence[str], str], Sequence[str]],
    *,
    must_have: bool = False,
) -> Reply:
    """Change the groups of a server by one that is named: of each of its ports, and of what it asked for.

    :param must_have: refuse it where the server has no such group
    """
    there = groups_of(request.cloud.network, request.context, instance.project_id)
    group = group_named(name, there)
    (default,) = (each["id"] for each in request.cloud.network.of_project(instance.project_id, {None}))

    def changed(ids: Sequence[str] | None) -> Sequence[str]:
        return change([default] if ids is None else ids, group["id"])

    with request.cloud.db.write() as tx:
        asked = instances.security_groups(tx, [instance.uuid], lock=True).get(instance.uuid)
        had = {id or default for id in ports.security_groups(tx, [instance.uuid]).get(instance.uuid, {None})}
        if must_have and (group["id"] not in had or instance.networks == "none"):
            raise errors.NotFound(f"Security group {group['name']} not associated with the instance {instance.uuid}")
        ids = list(changed(asked))
        instances.set_security_groups(tx, instance.uuid, None if ids == [default] else ids)
        ports.regroup(tx, instance.uuid, changed)
    return Reply(202)


# ---- of a project


@takes(query=schemas.LIST)
def index(request: ComputeRequest) -> Json:
    """List the project's groups; an administrator may ask for those of all projects."""
    request.require("os-security-groups:get")
    ctxt = request.context
    known, of_all = _known(request), ctxt.is_admin and "all_tenants" in request.query
    groups = [group for group in known.values() if of_all or group["project_id"] == ctxt.project_id]
    offset = number(request, "offset")
    return _listed(groups[offset : offset + limit_of(request)], known)


def show(request: ComputeRequest, id: str) -> Json:
    """Show a group."""
    request.require("os-security-groups:show")
    return {"security_group": _shown(request, request.cloud.network.get(request.context, id))}


@takes(body=schemas.GROUP)
def create(request: ComputeRequest) -> Json:
    """Make a group."""
    request.require("os-security-groups:create")
    with _conflict_as(errors.NotAllowed):
        group = request.cloud.network.create(request.context, _said(request))
    return {"security_group": _shown(request, group)}


@takes(body=schemas.GROUP)
def update(request: ComputeRequest, id: str) -> Json:
    """Change what is said of a group."""
    request.require("os-security-groups:update")
    with _conflict_as(errors.InvalidInput):
        group = request.cloud.network.update(request.context, id, _said(request))
    return {"security_group": _shown(request, group)}


def delete(request: ComputeRequest, id: str) -> Reply:
    """Delete a group."""
    request.require("os-security-groups:delete")
    with _conflict_as(errors.InvalidInput):
        request.cloud.network.delete(request.context, id)
    return Reply(202)


@takes(body=schemas.RULE)
def create_rule(request: ComputeRequest) -> Json:
    """Add a rule to a group: what it lets in."""
    request.require("os-security-groups:rule:create")
    network, body = request.cloud.network, request.body_of("security_group_rule")
    network.get(request.context, body["parent_group_id"])
    if body.get("group_id"):
        network.get(request.context, body["group_id"])
    with _conflict_as(errors.InvalidInput, f"This rule already exists in group {body['parent_group_id']}"):
        rule = network.add_rule(request.context, _rule(body))
    return {"security_group_rule": show_rule(rule, _known(request))}


def delete_rule(request: ComputeRequest, id: str) -> Reply:
    """Delete a rule."""
    request.require("os-security-groups:rule:delete")
    request.cloud.network.delete_rule(request.context, id)
    return Reply(202)


# ---- small parts


def _listed(groups: list[Json], known: Mapping[str, Json]) -> Json:
    shown = [show_group(group, known) for group in groups]
    return {"security_groups": sorted(shown, key=lambda group: (group["tenant_id"], group["name"]))}


def _shown(request: ComputeRequest, group: Json) -> Json:
    return show_group(group, _known(request))


def _known(request: ComputeRequest) -> dict[str, Json]:
    return {group["id"]: group for group in request.cloud.network.search(request.context)}


def _said(request: ComputeRequest) -> Json:
    body = request.body_of("security_group")
    return {name: body[name] for name in ("name", "description")}


@contextmanager
def _conflict_as(kind: type[errors.MininovaError], words: str | None = None) -> Iterator[None]:
    """Answer a conflict as Nova does, which has another status for it in each place."""
    try:
        yield
    except errors.Conflict as conflict:
        raise kind(words or str(conflict)) from conflict


def _rule(body: Mapping[str, Any]) -> Json:
    """Write a rule as Neutron has it.

    :raises errors.InvalidInput: when it says too little, or what makes no sense
    """
    protocol, ports = body.get("ip_protocol"), (body.get("from_port"), body.get("to_port"))
    rule = {"security_group_id": body["parent_group_id"], "direction": "ingress"}
    if body.get("group_id"):
        rule["remote_group_id"] = body["group_id"]
        if protocol and ports == (None, None):
            ports = ANY if str(protocol).upper() == "ICMP" else ALL_PORTS
    else:
        rule["remote_ip_prefix"] = _cidr(body.get("cidr") or "0.0.0.0/0")
    if not protocol or None in ports:
        if not body.get("group_id"):
            raise errors.InvalidInput("Not enough parameters to build a valid rule.")
        return rule
    if str(protocol).upper() not in PROTOCOLS:
        raise errors.InvalidInput(f"Invalid IP protocol {protocol}.")
    first, last = _ports(str(protocol).upper(), *ports)
    limits = {"port_range_min": first, "port_range_max": last} if (first, last) != ANY else {}
    return {**rule, "protocol": str(protocol).lower(), **limits}


def _cidr(text: Any) -> str:
    try:
        ip_network(str(text), strict=False)
    except ValueError:
        raise errors.InvalidInput(f"{text} is not a valid IP network.") from None
    return str(text)


def _ports(protocol: str, first: Any, last: Any) -> tuple[int, int]:
    try:
        first, last = int(str(first)), int(str(last))
    except ValueError:
        problem = (
            "Type and Code must be integers for ICMP protocol type"
            if protocol == "ICMP"
            else ("To and From ports must be integers")
        )
        raise errors.InvalidInput(f"Invalid input received: {problem}") from None
    if protocol == "ICMP":
        reason = "" if -1 <= first <= 255 and -1 <= last <= 255 else "For ICMP, the type:code must be valid"
    elif first > last:
        reason = "Former value cannot be greater than the later"
    else:
        reason = "" if first >= 1 and last <= 65535 else f"Valid {protocol} ports should be between 1-65535"
    if reason:
        raise errors.InvalidInput(f"Invalid port range {first}:{last}. {reason}")
    return first, last
