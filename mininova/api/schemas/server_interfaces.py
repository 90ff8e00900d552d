"""What is said of a network interface that a server gets."""

from mininova.api.schemas.types import IP, TAG, UUID, Field, action, changes_of, fields_at, list_of, object_of, query
from mininova.api.validation import Schemas

_FIELDS = (
    Field("net_id", UUID),
    Field("port_id", UUID),
    Field("fixed_ips", list_of(object_of({"ip_address": IP}, ["ip_address"]), minItems=1, maxItems=1)),
    Field("tag", TAG, since="2.49"),
)
CREATE = Schemas(lambda version: object_of({"interfaceAttachment": fields_at(_FIELDS, version)}), changes_of(_FIELDS))
QUERY = query(strict_since="2.102")

ADD_FIXED_IP = action(
    "addFixedIp",
    object_of({"networkId": {"type": ["string", "number"], "minLength": 1, "maxLength": 36}}, ["networkId"]),
)
REMOVE_FIXED_IP = action("removeFixedIp", object_of({"address": IP}, ["address"]))
ADD_FLOATING_IP = action("addFloatingIp", object_of({"address": IP, "fixed_address": IP}, ["address"]))
REMOVE_FLOATING_IP = action("removeFloatingIp", object_of({"address": IP}, ["address"]))
POOL = Schemas.always({"type": ["object", "null"], "properties": {"pool": {"type": ["string", "null"]}}})
