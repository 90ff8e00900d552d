"""What a query of limits or quotas may say: of which project, or of which user."""

from mininova.api.schemas.types import Field, parameter, query

LIMITS = query(Field("tenant_id", parameter()))
QUOTAS = query(Field("user_id", parameter()))
