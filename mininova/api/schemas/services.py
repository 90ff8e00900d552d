"""What may be said of a service, and what services can be found by."""

from mininova.api.schemas.types import BOOLEAN, HOST, SHORT, Field, fields_at, parameter, query
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
