"""What a request may change of a service, and what a query of services may say."""

from mininova.api.schemas.types import BOOLEAN, HOST, SHORT, Field, fields_at, parameter, query
from mininova.api.validation import Schemas

# PUT /os-services/{id}: until 2.52 the last part of the URL is a verb, and the body names the service; from 2.53 on the
# URL names the service, and the body gives its new values.
UPDATE_SERVICE_FIELDS = (
    Field("host", HOST, until="2.52", required=True),
    Field("binary", SHORT, until="2.52", required=True),
    Field("status", {"type": "string", "enum": ["enabled", "disabled"]}, since="2.53"),
    Field("disabled_reason", SHORT),
    Field("forced_down", BOOLEAN, since="2.11"),
)
UPDATE_SERVICE = Schemas(lambda version: fields_at(UPDATE_SERVICE_FIELDS, version), ["2.11", "2.53"])
LIST_SERVICES = query(Field("host", parameter()), Field("binary", parameter()))
