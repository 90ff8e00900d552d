"""What a query of hypervisors may say."""

from mininova.api.schemas.types import BOOLEAN, HOST, LIMIT, Field, parameter, query

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
