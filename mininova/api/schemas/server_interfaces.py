"""What is said of a network interface that a server gets."""

from mininova.api.schemas.types import IP, TAG, UUID, Field, changes_of, fields_at, list_of, object_of, query
from mininova.api.validation import Schemas

_FIELDS = (
    Field("net_id", UUID),
    Field("port_id", UUID),
    Field("fixed_ips", list_of(object_of({"ip_address": IP}, ["ip_address"]), minItems=1, maxItems=1)),
    Field("tag", TAG, since="2.49"),
)
CREATE = Schemas(lambda version: object_of({"interfaceAttachment": fields_at(_FIELDS, version)}), changes_of(_FIELDS))
QUERY = query(strict_since="2.102")
