"""What a body of the Networking API must be like."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from jsonschema import Draft202012Validator

from mininova import errors
from mininova.standins.neutron.db.security_groups import EGRESS, ETHERTYPES, INGRESS

Json = dict[str, Any]

_TEXT = {"type": "string", "maxLength": 255}
_ID = {"type": ["string", "null"], "maxLength": 64}
_OWNER = {"project_id": _ID, "tenant_id": _ID}
_PORT = {"type": ["integer", "null"], "minimum": 0, "maximum": 65535}


def _object(properties: Json, required: tuple[str, ...] = ()) -> Draft202012Validator:
    return Draft202012Validator({"properties": properties, "required": list(required), "additionalProperties": False})


_GROUP = {"name": _TEXT, "description": _TEXT, "stateful": {"type": "boolean"}}
NEW_GROUP, CHANGED_GROUP = _object(_GROUP | _OWNER, ("name",)), _object(_GROUP)
NEW_RULE = _object(
    {
        "security_group_id": {"type": "string", "maxLength": 36},
        "direction": {"enum": [INGRESS, EGRESS]},
        "ethertype": {"enum": list(ETHERTYPES.values())},
        "protocol": {"type": ["string", "integer", "null"], "maxLength": 40},
        "port_range_min": _PORT,
        "port_range_max": _PORT,
        "remote_ip_prefix": {"type": ["string", "null"], "maxLength": 64},
        "remote_group_id": _ID,
        "remote_address_group_id": {"type": "null"},
        "description": _TEXT,
        **_OWNER,
    },
    ("security_group_id", "direction"),
)

#: The protocols that have names, and those of them that have ports.
WITH_PORTS = {"tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136"}
ICMP = {"icmp", "icmpv6", "ipv6-icmp", "1", "58"}
PROTOCOLS = {
    *WITH_PORTS, *ICMP, "ah", "egp", "esp", "gre", "igmp", "ipip", "ipv6-encap", "ipv6-frag", "ipv6-nonxt", "ipv6-opts",
    "ipv6-route", "ospf", "pgm", "rsvp", "vrrp",
}  # fmt: skip


def checked(body: Json, validator: Draft202012Validator) -> Json:
    """Give a body back that has its form.

    :raises errors.InvalidInput: naming the field that is wrong
    """
    for error in validator.iter_errors(body):
        where = f" for {error.path[0]}" if error.path else ""
        raise errors.InvalidInput(f"Invalid input{where}. Reason: {error.message}.")
    return body


def rule(body: Json) -> Json:
    """Read a new rule into columns.

    :raises errors.InvalidInput: saying what does not go together
    """
    said = {name: value for name, value in checked(body, NEW_RULE).items() if name not in _OWNER}
    said.pop("remote_address_group_id", None)
    said["ethertype"] = said.get("ethertype") or ETHERTYPES[4]
    said["protocol"] = _protocol(said.get("protocol"))
    _check_ports(said)
    prefix = said.get("remote_ip_prefix")
    if prefix is not None and said.get("remote_group_id") is not None:
        raise errors.InvalidInput("Only remote_ip_prefix or remote_group_id may be provided.")
    if prefix is not None and ETHERTYPES[_version(prefix)] != said["ethertype"]:
        raise errors.InvalidInput(f"Conflicting value ethertype {said['ethertype']} for CIDR {prefix}")
    return said


def _protocol(asked: str | int | None) -> str | None:
    text = None if asked is None else str(asked).lower()
    if text in (None, "any", "-1"):
        return None
    if text not in PROTOCOLS and not (text.isdecimal() and int(text) < 256):
        raise errors.InvalidInput(
            f"Security group rule protocol {text} not supported. Only protocol values {sorted(PROTOCOLS)} and integer "
            "representations [0 to 255] are supported."
        )
    return text


def _check_ports(said: Mapping[str, Any]) -> None:
    first, last, protocol = said.get("port_range_min"), said.get("port_range_max"), said["protocol"]
    if first is last is None:
        return
    if protocol is None:
        raise errors.InvalidInput("Must also specify protocol if port range is given.")
    if protocol in ICMP:
        if first is None:
            raise errors.InvalidInput(
                f"ICMP code (port-range-max) {last} is provided but ICMP type (port-range-min) is missing."
            )
        if max(first, last or 0) > 255:
            raise errors.InvalidInput(f"Invalid value for ICMP type or code: {max(first, last or 0)} is more than 255.")
    elif protocol not in WITH_PORTS:
        raise errors.InvalidInput(f"Port range cannot be specified when protocol is {protocol}.")
    elif first is None or last is None or first > last:
        raise errors.InvalidInput("For TCP/UDP protocols, port_range_min must be <= port_range_max")


def _version(prefix: str) -> int:
    try:
        return ip_network(prefix, strict=False).version
    except ValueError:
        raise errors.InvalidInput(
            f"Invalid input for remote_ip_prefix. Reason: '{prefix}' is not a valid CIDR."
        ) from None
