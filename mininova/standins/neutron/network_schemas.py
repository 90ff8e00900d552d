"""What a body that makes or changes a network, a subnet, a port, a router or a floating IP must be like.

What a field is called in a body and in a table differs in one case (``router:external``).
"""

from typing import Any

from jsonschema import Draft202012Validator

from mininova.standins.neutron.quotas import DEFAULTS
from mininova.standins.neutron.schemas import Json, checked

TEXT: Json = {"type": "string", "maxLength": 255}
ID: Json = {"type": "string", "minLength": 1, "maxLength": 36}
NO_ID: Json = {"type": ["string", "null"], "maxLength": 64}
YES: Json = {"type": "boolean"}
IP: Json = {"type": "string", "minLength": 2, "maxLength": 39}
NO_IP: Json = {"type": ["string", "null"], "maxLength": 39}
MAC: Json = {"type": "string", "pattern": "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"}

OWNER = ("project_id", "tenant_id")
COLUMNS = {"router:external": "external"}
_OWNER: Json = dict.fromkeys(OWNER, NO_ID)
_NAMED: Json = {"name": TEXT, "description": TEXT}
_TAG: Json = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^,/]*$"}
TAG = Draft202012Validator({"properties": {"tag": _TAG}})
_ROUTES: Json = {
    "type": ["array", "null"],
    "maxItems": 100,
    "items": {
        "type": "object",
        "properties": {"destination": TEXT, "nexthop": IP},
        "required": ["destination", "nexthop"],
        "additionalProperties": False,
    },
}


def _many(item: Json, most: int = 100) -> Json:
    return {"type": ["array", "null"], "items": item, "maxItems": most}


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _body(properties: Json, *required: str) -> Draft202012Validator:
    return Draft202012Validator(_object(properties, *required))


_NETWORK: Json = {
    **_NAMED, "admin_state_up": YES, "shared": YES, "router:external": YES, "port_security_enabled": YES,
    "mtu": {"type": "integer", "minimum": 68, "maximum": 65535},
}  # fmt: skip
NEW_NETWORK = _body({**_NETWORK, **_OWNER, "availability_zone_hints": _many(TEXT), "is_default": {"enum": [False]}})
CHANGED_NETWORK = _body({**_NETWORK, "is_default": {"enum": [False]}})

_POOL = _object({"start": IP, "end": IP}, "start", "end")
_SUBNET: Json = {
    **_NAMED, "gateway_ip": NO_IP, "enable_dhcp": YES, "allocation_pools": {"type": "array", "items": _POOL},
    "dns_nameservers": _many(IP, 5), "host_routes": _ROUTES,
}  # fmt: skip
_V6: Json = {"enum": [None, "slaac", "dhcpv6-stateful", "dhcpv6-stateless"]}
NEW_SUBNET = _body(
    {
        **_SUBNET, **_OWNER, "network_id": ID, "ip_version": {"enum": [4, 6]}, "cidr": {"type": "string"},
        "ipv6_address_mode": _V6, "ipv6_ra_mode": _V6, "subnetpool_id": {"type": "null"},
    },
    "network_id", "ip_version", "cidr",
)  # fmt: skip
CHANGED_SUBNET = _body(_SUBNET)

_FIXED_IPS: Json = {
    "type": "array", "maxItems": 10, "items": _object({"subnet_id": ID, "ip_address": IP}),
}  # fmt: skip
_PORT: Json = {
    **_NAMED, "admin_state_up": YES, "port_security_enabled": YES, "fixed_ips": _FIXED_IPS, "mac_address": MAC,
    "security_groups": _many(ID), "device_id": TEXT, "device_owner": TEXT,
    "binding:vnic_type": {"enum": ["normal"]}, "binding:profile": {"type": ["object", "null"], "maxProperties": 0},
    "allowed_address_pairs": _many(_object({"ip_address": TEXT, "mac_address": MAC}, "ip_address")),
    "extra_dhcp_opts": {"type": ["array", "null"], "maxItems": 0},
}  # fmt: skip
NEW_PORT, CHANGED_PORT = _body({**_PORT, **_OWNER, "network_id": ID}, "network_id"), _body(_PORT)

_GATEWAY: Json = {
    "type": ["object", "null"],
    "properties": {"network_id": ID, "enable_snat": YES, "external_fixed_ips": _FIXED_IPS},
    "additionalProperties": False,
}
_ROUTER: Json = {**_NAMED, "admin_state_up": YES, "external_gateway_info": _GATEWAY}
NEW_ROUTER = _body({**_ROUTER, **_OWNER, "availability_zone_hints": _many(TEXT)})
CHANGED_ROUTER = _body({**_ROUTER, "routes": _ROUTES})
INTERFACE = _body({"subnet_id": ID, "port_id": ID})

_FLOATING_IP: Json = {"description": TEXT, "port_id": NO_ID, "fixed_ip_address": NO_IP}
NEW_FLOATING_IP = _body(
    {**_FLOATING_IP, **_OWNER, "floating_network_id": ID, "floating_ip_address": NO_IP, "subnet_id": NO_ID},
    "floating_network_id",
)
CHANGED_FLOATING_IP = _body(_FLOATING_IP)

# What is accepted of a body and kept nowhere, since it can have this one value.
UNKEPT = {*OWNER, "availability_zone_hints", "is_default", "subnetpool_id"}
LISTS = {"dns_nameservers", "host_routes", "routes"}


def columns(body: Json, schema: Draft202012Validator) -> dict[str, Any]:
    """Give what a body says, by the names of columns.

    :raises errors.InvalidInput: naming the field that is wrong
    """
    said = {COLUMNS.get(name, name): value for name, value in checked(body, schema).items() if name not in UNKEPT}
    return {name: tuple(value or ()) if name in LISTS else value for name, value in said.items()}


TAGS = _body({"tags": {"type": "array", "maxItems": 50, "items": _TAG}}, "tags")

_MOST: Json = {"type": "integer", "minimum": -1, "maximum": 2**31 - 1}
QUOTA = _body({**dict.fromkeys(DEFAULTS, _MOST), **_OWNER, "force": YES, "check_limit": YES})
