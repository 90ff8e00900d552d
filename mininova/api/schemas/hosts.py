"""What may be said of services and hypervisors, and asked of instance actions, limits and quotas."""

from mininova.api.schemas.types import BOOLEAN, HOST, LIMIT, SHORT, Field, fields_at, parameter, query
from mininova.api.validation import Schemas

# PUT /os-services/{what}: until 2.52 one word says what to do and the body to which service; then the URL names the
# service and the body says what is to be.
UPDATE_SERVICE_FIELDS = (
    Field("host", HOST, until="2.52", required=True),
    Field("binary", SHORT, until="2.52", required=True),
    Field("status", {"type": "string", "enum": ["enabled", "disabled"]}, since="2.53"),
    Field("disabled_reason", SHORT),
    Field("forced_down", BOOLEAN, since="2.11"),
)
UPDATE_SERVICE = Schemas(lambda version: fields_at(UPDATE_SERVICE_FIELDS, version), ["2.11", "2.53"])
LIST_SERVICES = query(Field("host", parameter()), Field("binary", parameter()))

LIST_HYPERVISORS = query(
    Field("limit", parameter(LIMIT), since="2.33", until="2.52"),
    Field("marker", parameter(), since="2.33", until="2.52"),
    Field("limit", parameter(LIMIT, maxItems=1), since="2.53"),
    Field("marker", parameter(maxItems=1), since="2.53"),
    Field("hypervisor_hostname_pattern", parameter(HOST, maxItems=1), since="2.53"),
    Field("with_servers", parameter(BOOLEAN, maxItems=1), since="2.53"),
    strict_since="2.53",
)
SHOW_HYPERVISOR = query(Field("with_servers", parameter(BOOLEAN, maxItems=1), since="2.53"), strict_since="2.53")

MOMENT = {"type": "string", "format": "date-time"}
LIST_ACTIONS = query(
    Field("limit", parameter(LIMIT, maxItems=1), since="2.58"),
    Field("marker", parameter(maxItems=1), since="2.58"),
    Field("changes-since", parameter(MOMENT, maxItems=1), since="2.58"),
    Field("changes-before", parameter(MOMENT, maxItems=1), since="2.66"),
    strict_since="2.58",
)

LIMITS = query(Field("tenant_id", parameter()))
QUOTAS = query(Field("user_id", parameter()))
