"""What the actions on a flavor's access list take: a project."""

from mininova.api.schemas.types import SHORT, action, object_of

ADD_ACCESS = action("addTenantAccess", object_of({"tenant": SHORT}, ["tenant"]))
REMOVE_ACCESS = action("removeTenantAccess", object_of({"tenant": SHORT}, ["tenant"]))
