"""Which project may use a flavor, or may no longer."""

from mininova.api.schemas.types import SHORT, action, object_of

ADD_ACCESS = action("addTenantAccess", object_of({"tenant": SHORT}, ["tenant"]))
REMOVE_ACCESS = action("removeTenantAccess", object_of({"tenant": SHORT}, ["tenant"]))
